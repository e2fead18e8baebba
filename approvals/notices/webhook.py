"""One signed POST to an address an admin named, and to no other place.

The portal stands where more can be reached than from outside, so an address is a place it
is made to speak to (SSRF): the name is looked up once, each place it gives must be public,
and the connection goes to the very place that was looked at. No redirect is followed.
"""

from __future__ import annotations

import base64
import hmac
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext_noop
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError

PATIENCE = timedelta(seconds=10)
#: What stands for a private IPv4 address behind a translator (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")
#: What Python takes for global and nobody reaches: local translation (RFC 8215), and
#: IPv4-compatible addresses (RFC 4291).
_NOT_PUBLIC = (IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
GONE = 410


class NotTaken(Exception):
    """The other side did not take it; DETAIL is safe to show. FOR_GOOD: it never will."""

    def __init__(self, detail: str, *, for_good: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.for_good = for_good


def signed(
    body: bytes, *, message_id: str, secrets: Iterable[bytes], now: datetime
) -> dict[str, str]:
    """The headers of BODY as Standard Webhooks has them: one signature for each of SECRETS."""
    stamp = str(int(now.timestamp()))
    content = f"{message_id}.{stamp}.".encode() + body
    digests = (hmac.digest(secret, content, sha256) for secret in secrets)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(d).decode()}" for d in digests),
    }


def post(url: str, body: bytes, headers: dict[str, str], *, private: bool) -> None:
    """POST BODY to URL; return once the other side has answered that it took it (2xx).

    PRIVATE: plain http and addresses that are not public are taken too.

    Raises:
        NotTaken: it did not, or nobody knows. Each step, to connect and to hear anything,
            takes PATIENCE at most.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not private:
        raise NotTaken(gettext_noop("The address is not https."))
    try:
        status = _status(parts, body, headers, private=private)
    except (OSError, HTTPError) as error:
        raise NotTaken(f"{type(error).__name__}: the address did not answer.") from error
    if 300 <= status < 400:
        raise NotTaken(f"It redirects ({status}), and a redirect is not followed.")
    if not 200 <= status < 300:
        raise NotTaken(f"It answered {status}.", for_good=status == GONE)


def _status(parts: SplitResult, body: bytes, headers: dict[str, str], *, private: bool) -> int:
    host, tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    place = _place(host, port, private=private)
    pool: HTTPConnectionPool
    if tls:
        # The certificate must be HOST's, wherever its name has led.
        pool = HTTPSConnectionPool(place, port, server_hostname=host, assert_hostname=host)
    else:
        pool = HTTPConnectionPool(place, port)
    seconds = PATIENCE.total_seconds()
    with pool:
        answer = pool.urlopen(
            "POST",
            parts.path or "/",
            body,
            {"Host": parts.netloc, "User-Agent": "Countersign", **headers},
            retries=False,
            redirect=False,
            timeout=Timeout(total=seconds),
            preload_content=False,  # what it says beside the status is of no interest
        )
        answer.close()
    return answer.status


def _place(host: str, port: int, *, private: bool) -> str:
    """Where HOST is, as an address.

    Raises:
        NotTaken: one of its addresses is not public.
        OSError: nobody knows.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places = [str(entry[4][0]) for entry in found]
    if not private and not all(is_public(place) for place in places):
        raise NotTaken(gettext_noop("The address leads to a place that is not public."))
    return places[0]


def is_public(place: str) -> bool:
    """Whether anybody on the internet reaches the address PLACE, and the same place by it."""
    address: IPv4Address | IPv6Address = ip_address(place.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not is_public(str(inner)):
            return False
        if address.is_site_local or any(address in net for net in _NOT_PUBLIC):
            return False
        if address.ipv4_mapped:
            return True
    return address.is_global and not address.is_multicast
