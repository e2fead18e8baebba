"""What a reviewer changed before approving: checked, put in its place, named by hashes.

Values are JSON with their number tokens kept: what was written is what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.canonical import Json, NumberToken, canonical_json, sha256_hex, with_tokens
from approvals.errors import InvalidFields, StalePage
from approvals.locales import Words
from approvals.models import ApprovalRequest, Decision
from approvals.states import Verdict
from approvals.strict_json import MAX_PAYLOAD_BYTES

Type: TypeAlias = Literal["text", "date", "integer", "number", "boolean", "null"]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE = re.compile(r"-?[0-9]+")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")

#: What may stand where a value of that type stood.
_FITTING: dict[Type, tuple[Type, ...]] = {
    "text": ("text", "date"),
    "date": ("date",),
    "integer": ("integer",),
    "number": ("integer", "number"),
    "boolean": ("boolean",),
    "null": (),
}
SENTENCES: dict[Type, Words] = {
    "text": gettext_lazy("Write a text."),
    "date": gettext_lazy("Write a date, as 2026-11-20."),
    "integer": gettext_lazy("Write a whole number, such as 12."),
    "number": gettext_lazy("Write a number, such as 12 or 12.50."),
    "boolean": gettext_lazy("Say true or false."),
    "null": gettext_lazy("This value is null and has no type: it cannot be edited."),
}


@dataclass(frozen=True, slots=True)
class Edited:
    """The edits as canonical JSON by pointer, and SHA-256 of the payload with them.

    Both are empty where nothing was changed.
    """

    text: str = ""
    sha256: str = ""


def editable_of(request: ApprovalRequest) -> list[str]:
    """The pointers a reviewer may edit, in the sender's order.

    None where the function receives a fixed word: it would never hear of the edits.
    """
    return list(request.editable) if request.approve_with is None else []


def check_edits(request: ApprovalRequest, edits: Mapping[str, Json], verdict: Verdict) -> Edited:
    """EDITS as they are recorded; those that change nothing are left out.

    Raises:
        InvalidFields: a pointer is not editable, a value is not of the type it was, the
            payload would become too large, or VERDICT is a rejection, which changes
            nothing. Names are `edits` and `edits.<pointer>`.
    """
    if not edits:
        return Edited()
    if verdict is Verdict.REJECTED:
        raise InvalidFields(
            {"edits": _("A rejection changes nothing: leave edits out, or approve.")}
        )
    payload = with_tokens(request.payload_text)
    allowed = editable_of(request)
    complaints = {
        f"edits.{pointer}": why
        for pointer, value in edits.items()
        if (why := _complaint(payload, pointer, value, allowed))
    }
    if complaints:
        raise InvalidFields(complaints)
    return _edited(payload, edits)


def _edited(payload: Json, edits: Mapping[str, Json]) -> Edited:
    changed = {
        pointer: value
        for pointer, value in edits.items()
        if canonical_json(value) != canonical_json(value_at(payload, pointer))
    }
    if not changed:
        return Edited()
    text = canonical_json(with_edits(payload, changed))
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        too_long = _(
            "The payload would exceed %(max_payload_bytes)s bytes: shorten what you wrote."
        ) % {"max_payload_bytes": MAX_PAYLOAD_BYTES}
        raise InvalidFields({"edits": too_long})
    return Edited(canonical_json(changed), sha256_hex(text))


def check_agreed(former: Iterable[Decision], edited: Edited) -> None:
    """Return if who approved first, of FORMER, approved the payload that EDITED makes.

    All approvals of a request are of one payload: the first fixes it, for good.

    Raises:
        StalePage: they approved another; says who, and what is left to do.
    """
    first = next((d for d in former if d.verdict == Verdict.APPROVED), None)
    if first is None or first.edits_text == edited.text:
        return
    if first.edits_text:
        raise StalePage(
            _(
                "%(who)s approved this with %(edits)s. Approve the same values, or reject and "
                "say what should change."
            )
            % {"who": first.who, "edits": counted(len(first.edits))}
        )
    raise StalePage(
        _(
            "%(who)s approved this as it was sent. Approve it unchanged, or reject and "
            "say what should change."
        )
        % {"who": first.who}
    )


def counted(edits: int) -> str:
    """`1 edit`, `2 edits`."""
    return ngettext("%(count)s edit", "%(count)s edits", edits) % {"count": edits}


def named(decision: Decision) -> dict[str, Any]:
    """How history tells of DECISION's edits: by place and hash, never by value."""
    if not decision.edits_text:
        return {}
    return {
        "edited": sorted(decision.edits),
        "edits_sha256": sha256_hex(decision.edits_text),
        "final_payload_sha256": decision.final_sha256,
    }


def final_payload(payload_text: str, edits: Mapping[str, Json]) -> Json:
    """The payload with EDITS in it, numbers as tokens."""
    return with_edits(with_tokens(payload_text), edits)


def type_of(value: Json) -> Type:
    """What VALUE, a single one, is; a text that is a date is a date."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, NumberToken | int | float):
        return "integer" if _WHOLE.fullmatch(str(value)) else "number"
    return "date" if is_date(str(value)) else "text"


def is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def value_at(payload: Json, pointer: str) -> Json:
    """What stands at POINTER, which leads somewhere (checked at receipt)."""
    container, key = _placed(payload, pointer)
    value: Json = container[key]
    return value


def with_edits(payload: Json, edits: Mapping[str, Json]) -> Json:
    """PAYLOAD, which is changed, with each of EDITS in its place."""
    for pointer, value in edits.items():
        container, key = _placed(payload, pointer)
        container[key] = value
    return payload


def _complaint(payload: Json, pointer: str, value: Json, allowed: list[str]) -> str:
    if pointer not in allowed:
        return _("This cannot be edited: leave it out.")
    if isinstance(value, list | dict):
        return str(SENTENCES[type_of(value_at(payload, pointer))])
    before = type_of(value_at(payload, pointer))
    if type_of(value) not in _FITTING[before]:
        return str(SENTENCES[before])
    if isinstance(value, str) and _NO_TEXT.search(value):
        return _("Take out the characters that are no text.")
    return ""


def _placed(payload: Json, pointer: str) -> tuple[Any, str | int]:
    """The object or list that holds what POINTER leads to, and its key in there."""
    *way, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))
    found: Any = payload
    for step in way:
        found = found[_key(found, step)]
    return found, _key(found, last)


def _key(container: Any, step: str) -> str | int:
    return int(step) if isinstance(container, list) else step
