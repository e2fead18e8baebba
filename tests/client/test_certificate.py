"""Whoever cannot prove to be the portal gets nothing."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import countersign
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.client.conftest import Clock
from tests.client.standin import SECRET, StandInPortal, serving


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[StandInPortal]:
    """A portal on https whose certificate nobody has vouched for."""
    server = StandInPortal()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path / "impostor.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield server


def test_an_untrusted_certificate_ends_the_call_before_anything_is_sent(
    impostor: StandInPortal, ask: Callable[..., countersign.Submitted], clock: Clock
) -> None:
    with pytest.raises(countersign.ApprovalUnavailable, match="certificate"):
        ask(url=impostor.url.replace("http://", "https://"), source="shop", secret=SECRET)

    assert impostor.received == []
    assert clock.pauses == []


def _self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(encoding))
    return path
