"""A payload becomes blocks.

The order of things on the page: the kind's key facts, single values, then whatever
has an inside, then what the kind hides (named), then the text as received. A budget
bounds the work; what is beyond it is counted, and read in the text as received.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.locales import here
from approvals.presentation.blocks import (
    Block,
    Field,
    Fields,
    KeyFacts,
    Lines,
    Note,
    Raw,
    Section,
    Table,
    Value,
)
from approvals.presentation.grouping import beside_each_other
from approvals.presentation.jsontext import Json, parse, pretty
from approvals.presentation.lists import (
    FIRST_ROWS,
    ListBlock,
    ListBuilder,
    is_scalar,
    not_laid_out,
    tags_of,
)
from approvals.presentation.pointer import EVERY, Path, path_of, pointer_of, resolve
from approvals.presentation.settings import Presentation
from approvals.presentation.text import visible
from approvals.presentation.values import leaf

# About 30 ms of drawing: a value costs one, a heading with an inside four.
BUDGET = 1_200
SECTION_COST = 4
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
        return [Raw(_("Payload as received"), visible(payload_text), _("This is not JSON."))]
    return Builder(document, Presentation(kind_presentation)).page(payload_text)


PAGE_OF_ROWS = 100


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of one list: those from START on, up to END, of COUNT in all."""

    label: str
    block: Block
    start: int
    end: int
    count: int


def present_rows(
    payload_text: str, kind_presentation: Mapping[str, Any] | None, pointer: str, start: int
) -> Rows | None:
    """The rows from START (0 is the first) of the list at POINTER, laid out as on the page.

    None where no list stands there, or it has no such row. As many as the budget bears, 100
    at most, and always one.
    """
    document, path = parse(payload_text), path_of(pointer)
    items = resolve(document, path)
    if EVERY in path or not isinstance(items, list) or not 0 <= start < len(items):
        return None
    presentation = Presentation(kind_presentation)
    builder = Builder(document, presentation, first_rows=PAGE_OF_ROWS)
    block = builder.lists.block("", items[start : start + PAGE_OF_ROWS], path, 2)
    shown = len(block.rows if isinstance(block, Table) else block.items)
    label = presentation.label(path) or pointer
    return Rows(label, without_rest(block), start, start + shown, len(items))


class Builder:
    """One walk over one document; `left` is what may still be spent on drawing."""

    def __init__(
        self, document: Json, presentation: Presentation, first_rows: int = FIRST_ROWS
    ) -> None:
        self.document = document
        self.presentation = presentation
        self.left = BUDGET
        self.hidden: dict[str, None] = {}
        self.shown_first: set[Path] = set()
        self.laid_out: set[Path] = set()
        self.lists = ListBuilder(self, first_rows)

    def page(self, payload_text: str) -> list[Block]:
        facts = self._key_facts()
        body = self.blocks(self.document, (), 1)
        text = visible(pretty(self.document))
        last = Raw(_("Payload as received"), text, size=_size(payload_text))
        return [*facts, *body, *self._left_out(), last]

    def blocks(self, value: Json, path: Path, depth: int) -> list[Block]:
        """The inside of VALUE, without a heading of its own."""
        if depth > DEEPEST:
            return [raw("", value)]
        if isinstance(value, dict) and value:
            return self._object(value, path, depth)
        if isinstance(value, list) and value:
            return [self.lists.block("", value, path, depth)]
        return [Fields((Field(_("Value"), visible(pointer_of(path)), self.leaf(value, path)),))]

    def leaf(self, value: Json, path: Path, parent: Json = None) -> Value:
        self.left -= 1
        if isinstance(value, dict | list):
            return tags_of(value)
        return leaf(value, self.presentation.format(path), self.document, parent)

    def hide(self, path: Path) -> bool:
        """Whether the kind hides PATH; what was hidden is named below."""
        hidden = self.presentation.hides(path)
        if hidden:
            self.hidden[pointer_of(path)] = None
        return hidden

    def foot_of(self, path: Path) -> tuple[Field, ...]:
        """The sums that stand below the table at PATH; they are not shown again."""
        at = self.presentation.sums_of(path)
        sums = resolve(self.document, at) if at else None
        if at is None or at in self.laid_out or not _is_flat(sums):
            return ()
        self.laid_out.add(at)
        return self._fields_of(sums, at)

    def _fields_of(self, members: dict[str, Json], path: Path) -> tuple[Field, ...]:
        names = self.presentation.sorted(list(members), path)
        return tuple(
            self._field(members[name], (*path, name), members)
            for name in names
            if not self.hide((*path, name))
        )

    def _object(self, members: dict[str, Json], path: Path, depth: int) -> list[Block]:
        singles: list[Field] = []
        inner: list[Block] = []
        beyond = 0
        for key in self.presentation.sorted(list(members), path):
            at, value = (*path, key), members[key]
            if self.hide(at) or at in self.shown_first:
                continue
            if self.left <= 0:
                beyond += 1
            elif is_single(value):
                singles.append(self._field(value, at, members))
            else:
                inner += self._inside(value, at, depth)
        fields = [Fields(tuple(singles[:MOST_FIELDS]), tuple(singles[MOST_FIELDS:]))]
        return [*(fields if singles else []), *beside_each_other(inner), *not_laid_out(beyond)]

    def _inside(self, value: Json, path: Path, depth: int) -> list[Block]:
        if EVERY not in path:  # items of a list share their path
            if path in self.laid_out:
                return []
            self.laid_out.add(path)
        self.left -= SECTION_COST
        label = self.presentation.label(path)
        if self.presentation.format(path) == "address" and _is_flat(value):
            return [Section(label, (Lines(self._fields_of(value, path)),))]
        if depth >= DEEPEST:
            return [raw(label, value)]
        if isinstance(value, list):
            return [self.lists.block(label, value, path, depth + 1)]
        blocks = self.blocks(value, path, depth + 1)
        return [Section(label, tuple(blocks))] if label else blocks

    def _field(self, value: Json, path: Path, parent: Json) -> Field:
        drawn = self.leaf(value, path, parent)
        key = path in self.presentation.highlights
        return Field(self.presentation.label(path), visible(pointer_of(path)), drawn, key)

    def _key_facts(self) -> list[Block]:
        found: list[Field] = []
        for path in self.presentation.highlights:
            value = resolve(self.document, path)
            if value is not None and is_single(value):
                drawn = self.leaf(value, path, resolve(self.document, path[:-1]))
                label = self.presentation.fact_label(path)
                found.append(Field(label, visible(pointer_of(path)), drawn))
                if len(path) == 1:  # a total stays among its totals as well
                    self.shown_first.add(path)
        return [KeyFacts(tuple(found))] if found else []

    def _left_out(self) -> list[Block]:
        if not self.hidden:
            return []
        names = ", ".join(map(visible, self.hidden))
        return [Note(_("Left out above, in the payload as received: %(names)s") % {"names": names})]


def without_rest(block: ListBlock) -> Block:
    """BLOCK alone: what follows it stands on the next page."""
    return replace(block, rest=())


def raw(label: str, value: Json) -> Raw:
    return Raw(label, visible(pretty(value)), _("Nested too deeply to lay out."))


def _is_flat(value: Json | None) -> TypeGuard[dict[str, Json]]:
    return isinstance(value, dict) and bool(value) and all(map(is_scalar, value.values()))


def is_single(value: Json) -> bool:
    """Whether VALUE fits beside one label: a scalar, nothing, or a few short words."""
    if isinstance(value, dict):
        return not value
    return not isinstance(value, list) or tags_of(value).kind != "missing"


def _size(text: str) -> str:
    length = len(text.encode(errors="surrogatepass"))
    if length < 1_024:
        return ngettext("%(count)s byte", "%(count)s bytes", length) % {"count": length}
    return here().number(f"{length / 1_024:.1f} KiB")
