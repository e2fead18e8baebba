"""One JSON leaf as a reviewer reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from approvals.locales import here
from approvals.presentation.blocks import Value
from approvals.presentation.jsontext import Json, Number
from approvals.presentation.money import MINUS, format_money
from approvals.presentation.pointer import path_of, resolve
from approvals.presentation.text import visible

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_LONGEST_AMOUNT = 40  # characters, as of any number
NOTHING = Value("null", "—", title="null")
MISSING = Value("missing", "")


def leaf(value: Json, style: str = "", root: Json = None, parent: Json = None) -> Value:
    """VALUE as a `Value`; STYLE is its format from the kind, "" to recognise it.

    ROOT and PARENT are where `money:@/currency` and `money:@./currency` look.
    """
    if value is None or value == "":
        return NOTHING if value is None else Value("null", "—", title=_("empty text"))
    if isinstance(value, bool):
        return Value("boolean", _("Yes") if value else _("No"))
    if style.startswith("money:"):
        return _money(str(value), currency_of(style, root, parent))
    named = _STYLES.get(style)
    if named is not None:
        return named(str(value))
    if isinstance(value, Number):
        return Value("number", str(value))
    return _recognised(value) if isinstance(value, str) else _plain(str(value))


def currency_of(style: str, root: Json, parent: Json) -> str:
    """The currency that STYLE, `money:…`, names or says where to find; empty if it is no text."""
    spec = style.removeprefix("money:")
    if spec.startswith("@./"):
        found = resolve(parent, path_of(spec[2:]))
    elif spec.startswith("@"):
        found = resolve(root, path_of(spec[1:]))
    else:
        found = spec
    return found if isinstance(found, str) and not isinstance(found, Number) else ""


def _money(amount: str, currency: str) -> Value:
    formatted = format_money(amount, currency)
    if formatted is not None:
        return Value("money", formatted, title=f"{amount} {currency}")
    shown = f"{visible(amount)} {visible(currency)}".strip()
    return Value(
        "text", shown, flag=_("no currency") if _DECIMAL.fullmatch(amount) else _("no amount")
    )


def _percent(token: str) -> Value:
    if not _DECIMAL.fullmatch(token):
        return Value("text", visible(token), flag=_("no number"))
    return Value("percent", here().number(token).replace("-", MINUS) + "\u00a0%", title=token)


def _duration(token: str) -> Value:
    """TOKEN seconds as `2 h 5 min`; the title has them as they were sent."""
    if not _DECIMAL.fullmatch(token) or len(token) > _LONGEST_AMOUNT:
        return Value("text", visible(token), flag=_("no number"))
    whole, _point, fraction = token.lstrip("-").partition(".")
    minutes, seconds = divmod(int(whole), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    rest = here().number(f"{seconds}.{fraction}") if fraction.strip("0") else str(seconds)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    words = [f"{amount}\u00a0{unit}" for amount, unit in parts if amount]
    words += [f"{rest}\u00a0s"] if rest != "0" or not words else []
    sign = MINUS if token.startswith("-") else ""
    return Value(
        "number", sign + " ".join(words), title=_("%(number)s seconds") % {"number": token}
    )


def _bytes(token: str) -> Value:
    """TOKEN bytes as `1.4 MiB`; the title has them as they were sent."""
    if not token.isascii() or not token.isdecimal() or len(token) > _LONGEST_AMOUNT:
        return Value("text", visible(token), flag=_("no size"))
    size, unit = float(token), 0
    while size >= 1_024 and unit < len(_UNITS) - 1:
        size, unit = size / 1_024, unit + 1
    shown = here().number(f"{size:.1f}") if unit else token
    return Value(
        "number", f"{shown}\u00a0{_UNITS[unit]}", title=_("%(number)s bytes") % {"number": token}
    )


def _date(text: str) -> Value:
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    return Value("date", here().full_date(day), title=text) if day else _plain(text)


def _datetime(text: str) -> Value:
    try:
        moment = datetime.fromisoformat(text) if _DATETIME.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        return _date(text)
    clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    words = f"{here().full_date(moment)}, {clock} {_zone(moment)}"
    return Value("datetime", words.rstrip(), title=text)


def _zone(moment: datetime) -> str:
    if moment.tzinfo is None:
        return ""
    offset = f"{moment:%z}"
    return "UTC" if offset == "+0000" else f"(UTC{offset[:3].replace('-', MINUS)}:{offset[3:5]})"


def _recognised(text: str) -> Value:
    if text.startswith("https://"):
        return _link(text)
    if text[:2].isdigit() and len(text) <= 40:
        return _datetime(text)
    return _plain(text)


def _link(text: str) -> Value:
    """A link with its host beside it; plain text where the address could mislead."""
    host = _honest_host(text)
    return Value("link", text, href=text, title=host) if host else _plain(text)


def _honest_host(address: str) -> str:
    if (
        len(address) > 2_000
        or not address.isascii()
        or re.search(r"[\s\x00-\x20\x7f\\\"<>]", address)
    ):
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return "" if "@" in parts.netloc else parts.hostname or ""


def _plain(text: str) -> Value:
    return Value("text", visible(text))


_STYLES: dict[str, Callable[[str], Value]] = {
    "text": _plain,
    "code": lambda text: Value("code", visible(text)),
    "quote": lambda text: Value("quote", visible(text)),
    "percent": _percent,
    "duration": _duration,
    "bytes": _bytes,
    "date": _date,
    "datetime": _datetime,
}
