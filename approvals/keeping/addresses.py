"""Whether names at AWS and the way there can be meant. Pure: text in, a complaint out.

Every call to an endpoint carries a signature made with the portal's credentials, so an
endpoint is a place the portal is made to speak to (SSRF): https, or this very machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

FUNCTION_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,140}"
)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")


def region_complaint(region: str) -> str:
    """What is wrong with REGION, in a sentence; "" if nothing is."""
    return "" if _REGION.fullmatch(region) else _("Write a region of AWS, such as eu-north-1.")


def endpoint_complaint(address: str) -> str:
    """As above, of an endpoint's ADDRESS; empty is AWS's own."""
    if not address:
        return ""
    parts = _parts(address)
    if parts is None:
        return _("This is no address. Write https://HOST, or leave it empty for AWS's own.")
    if _says_more(parts, address):
        return _(_PLAIN)
    host = parts.hostname or ""
    if parts.scheme == "http" and _is_loopback(host):
        return ""
    if parts.scheme != "https" or not host:
        return _(
            "Write https://HOST: calls carry signatures of the portal's credentials. "
            "Plain http is taken for this machine only, such as http://127.0.0.1:3001."
        )
    return _place_complaint(host)


def questions_complaint(address: str, *, private: bool) -> str:
    """As above, of the ADDRESS that questions are posted to; empty is none.

    PRIVATE: places that are not public are taken too, and plain http. Where a name leads
    is looked at each time a question is sent (notices.webhook).
    """
    if not address:
        return ""
    parts = _parts(address)
    if parts is None or not parts.hostname:
        return _("This is no address. Write https://HOST/PATH, or leave it empty.")
    if _says_more(parts, address):
        return _(_PLAIN)
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return _("Write https://HOST/PATH: questions may hold what only its people may read.")
    if not private and not _is_public(parts.hostname):
        return _("%(hostname)s is not a public place. Name one, or let the function look.") % {
            "hostname": parts.hostname
        }
    return ""


def one_way_complaint(address: str, mail: str) -> str:
    """What is wrong with sending questions to ADDRESS and MAIL both."""
    return _("Choose one of the two: a question goes one way only.") if address and mail else ""


def role_complaint(arn: str) -> str:
    if not arn or _ROLE_ARN.fullmatch(arn):
        return ""
    return _("Write arn:aws:iam::ACCOUNT:role/NAME, with an account of 12 digits.")


def external_id_complaint(external_id: str) -> str:
    if not external_id or _EXTERNAL_ID.fullmatch(external_id):
        return ""
    return _("Use 2 to 1,224 letters, digits and any of _+=,.@:/- as AWS does.")


def functions_complaint(arns: Sequence[str], *, region: str, allow_local_runner: bool) -> str:
    if wrong := [arn for arn in arns if not FUNCTION_ARN.fullmatch(arn)]:
        return _(
            "Not a function ARN without a version: %(wrong)s. Write "
            "arn:aws:lambda:REGION:ACCOUNT:function:NAME."
        ) % {"wrong": ", ".join(wrong)}
    elsewhere = [arn for arn in arns if arn.split(":")[3] != region]
    if elsewhere and not region_complaint(region):
        return _(
            "Not in %(region)s: %(elsewhere)s. Answers go to the source's own region, "
            "where nobody knows these: make a source for each region."
        ) % {"region": region, "elsewhere": ", ".join(elsewhere)}
    if not arns and not allow_local_runner:
        return _(
            "Name at least one function: a source speaks only for functions it names. "
            "Only the local runner of AWS does without."
        )
    return ""


_PLAIN = gettext_noop("Write scheme, host, port and path only: no user, query or fragment.")


def _parts(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _named = parts.hostname, parts.port
    except ValueError:
        return None
    return parts


def _says_more(parts: SplitResult, address: str) -> bool:
    more = "@" in parts.netloc or parts.query or parts.fragment
    return bool(more or re.search(r"[\s\\]", address))


def _is_public(host: str) -> bool:
    """Whether HOST can be a public place: a name can, but for this machine's own."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return host != "localhost" and not host.endswith((".localhost", ".local", ".internal"))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _place_complaint(host: str) -> str:
    try:
        place = ip_address(host)
    except ValueError:
        return ""
    if place.is_link_local or place.is_unspecified or place.is_multicast:
        return _(
            "%(host)s is no place of Lambda: credentials of machines are kept there. Name another."
        ) % {"host": host}
    return ""
