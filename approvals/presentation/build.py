"""A payload becomes blocks.

The order of things on the page: the kind's key facts, single values, then whatever
has an inside, then what the kind hides (named), then the text as received. A budget
of values bounds the work; what is beyond it is shown as JSON, never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals.presentation.blocks import Block, Field, Fields, KeyFacts, Note, Raw, Section, Value
from approvals.presentation.grouping import beside_each_other
from approvals.presentation.jsontext import Json, parse, pretty
from approvals.presentation.lists import ListBuilder, tags_of
from approvals.presentation.pointer import Path, pointer_of, resolve
from approvals.presentation.settings import Presentation
from approvals.presentation.text import visible
from approvals.presentation.values import leaf

MOST_VALUES = 4_000
MOST_FIELDS = 60
DEEPEST = 6


def present(payload_text: str, kind_presentation: Mapping[str, Any] | None = None) -> list[Block]:
    """The blocks of PAYLOAD_TEXT, the JSON as it was received.

    KIND_PRESENTATION is data, with every part optional: `labels`, `formats` and
    `titles` by pointer, `order`, `highlights` and `hide` as lists of pointers; `*`
    in a pointer stands for every item of a list or every member of an object.
    """
    try:
        document = parse(payload_text)
    except ValueError:
        return [Raw("Payload as received", visible(payload_text), "This is not JSON.")]
    return Builder(document, Presentation(kind_presentation)).page(payload_text)


class Builder:
    """One walk over one document; `left` counts the values that may still be drawn."""

    def __init__(self, document: Json, presentation: Presentation) -> None:
        self.document = document
        self.presentation = presentation
        self.left = MOST_VALUES
        self.hidden: list[str] = []
        self.shown_first: set[Path] = set()
        self.lists = ListBuilder(self)

    def page(self, payload_text: str) -> list[Block]:
        facts = self._key_facts()
        body = self.blocks(self.document, (), 1)
        last = Raw("Payload as received", visible(pretty(self.document)), size=_size(payload_text))
        return [*facts, *body, *self._left_out(), last]

    def blocks(self, value: Json, path: Path, depth: int) -> list[Block]:
        """The inside of VALUE, without a heading of its own."""
        if depth > DEEPEST or self.left <= 0:
            return [self.raw("", value)]
        if isinstance(value, dict):
            return self._object(value, path, depth)
        if isinstance(value, list) and value:
            return [self.lists.block("", value, path, depth)]
        return [Fields((Field("Value", pointer_of(path), self.leaf(value, path)),))]

    def leaf(self, value: Json, path: Path, parent: Json = None) -> Value:
        self.left -= 1
        if isinstance(value, dict | list):
            return tags_of(value)
        return leaf(value, self.presentation.format(path), self.document, parent)

    def raw(self, label: str, value: Json) -> Raw:
        return Raw(label, visible(pretty(value)), "Shown as JSON: too deep or too much to lay out.")

    def _object(self, members: dict[str, Json], path: Path, depth: int) -> list[Block]:
        singles: list[Field] = []
        inner: list[Block] = []
        for key in self.presentation.sorted(list(members), path):
            at, value = (*path, key), members[key]
            if self.presentation.hides(at):
                self.hidden.append(pointer_of(at))
            elif is_single(value) and self.left > 0:
                if at not in self.shown_first:
                    singles.append(self.field(value, at, members))
            else:
                inner.append(self._inside(value, at, depth))
        fields = [Fields(tuple(singles[:MOST_FIELDS]), tuple(singles[MOST_FIELDS:]))]
        return [*(fields if singles else []), *beside_each_other(inner)]

    def _inside(self, value: Json, path: Path, depth: int) -> Block:
        label = self.presentation.label(path)
        if self.left <= 0 or depth >= DEEPEST:
            return self.raw(label, value)
        if isinstance(value, list):
            return self.lists.block(label, value, path, depth + 1)
        return Section(label, tuple(self.blocks(value, path, depth + 1)))

    def field(self, value: Json, path: Path, parent: Json) -> Field:
        return Field(
            self.presentation.label(path), pointer_of(path), self.leaf(value, path, parent)
        )

    def _key_facts(self) -> list[Block]:
        found: list[Field] = []
        for path in self.presentation.highlights:
            value = resolve(self.document, path)
            if value is not None and is_single(value):
                parent = resolve(self.document, path[:-1])
                found.append(self.field(value, path, parent))
                if len(path) == 1:  # a total stays among its totals as well
                    self.shown_first.add(path)
        return [KeyFacts(tuple(found))] if found else []

    def _left_out(self) -> list[Block]:
        if not self.hidden:
            return []
        names = ", ".join(dict.fromkeys(map(visible, self.hidden)))
        return [Note(f"Left out above, in the payload as received: {names}")]


def is_single(value: Json) -> bool:
    """Whether VALUE fits beside one label: a scalar, nothing, or a few short words."""
    if isinstance(value, dict):
        return not value
    return not isinstance(value, list) or tags_of(value).kind != "missing"


def _size(text: str) -> str:
    length = len(text.encode(errors="surrogatepass"))
    return f"{length} bytes" if length < 1_024 else f"{length / 1_024:.1f} KiB"
