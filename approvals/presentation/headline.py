"""The one amount an approve button names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals.presentation.jsontext import Json, parse
from approvals.presentation.pointer import resolve
from approvals.presentation.settings import Presentation
from approvals.presentation.values import leaf


def headline_amount(
    payload: str | Mapping[str, Any], kind_presentation: Presentation | Mapping[str, Any] | None
) -> str | None:
    """The first highlighted amount, such as `€4,597.00`; None where there is none.

    PAYLOAD is the original text where digits matter; an already parsed payload will
    do for a list. Only a highlight formatted as money counts, and only a whole one. A
    Presentation read before serves many payloads.
    """
    try:
        document: Json = parse(payload) if isinstance(payload, str) else dict(payload)
    except ValueError:
        return None
    presentation = kind_presentation
    if not isinstance(presentation, Presentation):
        presentation = Presentation(presentation)
    for path in presentation.highlights:
        value = resolve(document, path)
        if isinstance(value, dict | list | bool) or value is None:
            continue
        shown = leaf(value, presentation.format(path), document, resolve(document, path[:-1]))
        if shown.kind == "money":
            return shown.text
    return None
