"""The signature door, on bytes. The reference library is the oracle for good ones."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from standardwebhooks import Webhook

from approvals.intake import signature
from approvals.intake.signature import UntrustedMessage, verify, verify_key
from approvals.models.source import secret_bytes

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TOLERANCE = timedelta(seconds=300)
BODY = b'{"callback_id":"abc"}'
SECRET, OTHER, RETIRED = (bytes([letter]) * 32 for letter in b"sor")


def sign(
    body: bytes = BODY, *, secret: bytes = SECRET, at: datetime = NOW, message_id: str = "msg_1"
) -> dict[str, str]:
    """Headers made by the reference implementation."""
    reference = Webhook("whsec_" + base64.b64encode(secret).decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": reference.sign(message_id, at, body.decode()),
    }


def check(headers: dict[str, str], *, body: bytes = BODY, secrets: tuple[bytes, ...]) -> datetime:
    return verify(headers, body, secrets=secrets, now=NOW, tolerance=TOLERANCE)


@pytest.mark.parametrize("secrets", [(SECRET,), (SECRET, OTHER), (OTHER, SECRET)])
def test_a_signature_of_the_reference_library_verifies(secrets: tuple[bytes, ...]) -> None:
    assert check(sign(), secrets=secrets) == NOW


def test_one_good_signature_among_several_is_enough() -> None:
    headers = sign()
    old = sign(secret=RETIRED)["webhook-signature"]
    headers["webhook-signature"] = f"v1a,AAAA {old} {headers['webhook-signature']}"
    assert check(headers, secrets=(SECRET,)) == NOW


@pytest.mark.parametrize("secrets", [(), (OTHER,), (OTHER, RETIRED)])
def test_a_signature_by_no_live_secret_is_refused(secrets: tuple[bytes, ...]) -> None:
    with pytest.raises(UntrustedMessage, match="No signature matches"):
        check(sign(), secrets=secrets)


def test_nobody_can_sign_with_the_secret_that_stands_in_for_none() -> None:
    with pytest.raises(UntrustedMessage, match="No signature matches"):
        check(sign(secret=b"\x00" * 32), secrets=())


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(UntrustedMessage, match="No signature matches"):
        check(sign(), body=BODY + b" ", secrets=(SECRET,))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_message_may_be_five_minutes_off(seconds: int) -> None:
    at = NOW + timedelta(seconds=seconds)
    assert check(sign(at=at), secrets=(SECRET,)) == at


@pytest.mark.parametrize("seconds", [-301, 301, -86_400 * 365])
def test_a_message_may_not_be_more_than_five_minutes_off(seconds: int) -> None:
    headers = sign(at=NOW + timedelta(seconds=seconds))
    with pytest.raises(UntrustedMessage, match="300 seconds away"):
        check(headers, secrets=(SECRET,))


MALFORMED = {
    "webhook-id": ["", "a.b", "a b", "a" * 129, "é", "a\n", "msg_1\x00"],
    "webhook-timestamp": [
        "", "1.5", "-1", "+1", " 1", "1e9", "١٢٣", "1_000", "9" * 13, "NaN", "0x10", "1\n",
    ],
    "webhook-signature": [
        "", "v1", "v1,", "v1,é", "v1,=", "v1,AAAA\n", ",AAAA", "v1,AAAA v1", "v1,AAAA  v1,AAAA",
        " v1,AAAA", "v1;AAAA", " ".join(["v1,AAAA"] * 9), " ".join(["v1," + "A" * 512] * 4),
        "v1," + "A" * 2_100, "\x00", "v1,ÿÿ",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("header", "value"),
    [(header, value) for header, values in MALFORMED.items() for value in [*values, None]],
)
def test_a_malformed_header_is_an_untrusted_message(header: str, value: str | None) -> None:
    headers = sign()
    if value is None:
        del headers[header]
    else:
        headers[header] = value
    with pytest.raises(UntrustedMessage, match="missing or malformed"):
        check(headers, secrets=(SECRET,))


def test_the_largest_timestamp_is_refused_not_overflowed() -> None:
    headers = sign() | {"webhook-timestamp": "9" * 12}
    with pytest.raises(UntrustedMessage, match="300 seconds away"):
        check(headers, secrets=(SECRET,))


@pytest.mark.parametrize("secrets", [(), (SECRET,), (SECRET, OTHER)])
def test_every_source_costs_the_same_number_of_comparisons(secrets: tuple[bytes, ...]) -> None:
    headers = sign()
    headers["webhook-signature"] += " v1,AAAA"
    compare = mock.Mock(side_effect=signature.hmac.compare_digest)
    with mock.patch.object(signature.hmac, "compare_digest", compare):
        if secrets:
            check(headers, secrets=secrets)
        else:
            with pytest.raises(UntrustedMessage):
                check(headers, secrets=secrets)
    assert compare.call_count == 4


KEY = "csk_" + "k" * 43
KEY_HASH = "0f" * 32


def hash_of(key: str) -> str:
    return signature.hashlib.sha256(key.encode()).hexdigest()


@pytest.mark.parametrize("hashes", [[hash_of(KEY)], [KEY_HASH, hash_of(KEY)]])
def test_a_source_key_is_known_by_its_hash(hashes: list[str]) -> None:
    verify_key({"authorization": f"Bearer {KEY}"}, key_hashes=hashes)


@pytest.mark.parametrize("hashes", [[], [KEY_HASH], [KEY_HASH, KEY_HASH]])
def test_a_key_by_no_live_hash_is_refused(hashes: list[str]) -> None:
    with pytest.raises(UntrustedMessage, match="not a live key"):
        verify_key({"authorization": f"Bearer {KEY}"}, key_hashes=hashes)


@pytest.mark.parametrize(
    "value", ["", KEY, "Bearer", "Bearer ", "Basic " + KEY, "Bearer short", f"Bearer {KEY} x",
              f"Bearer  {KEY}", "Bearer " + "ü" * 30, "Bearer " + "k" * 300],
)  # fmt: skip
def test_a_malformed_key_is_an_untrusted_message(value: str) -> None:
    with pytest.raises(UntrustedMessage, match="Sign the message"):
        verify_key({"authorization": value}, key_hashes=[hash_of(KEY)])


def test_a_secret_is_read_from_its_written_form() -> None:
    assert secret_bytes("whsec_" + base64.b64encode(SECRET).decode()) == SECRET


@pytest.mark.parametrize(
    "secret", ["", base64.b64encode(SECRET).decode(), "whsec_", "whsec_!!!!", "whsec_AAAA",
               "whsec_" + base64.b64encode(b"x" * 65).decode()],
)  # fmt: skip
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="A signing secret"):
        secret_bytes(secret)
