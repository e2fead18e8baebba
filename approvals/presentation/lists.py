"""Lists of a payload: words, tables, or numbered steps, whichever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.presentation.blocks import (
    Block,
    Cell,
    Column,
    Step,
    Steps,
    Table,
    Value,
    Values,
)
from approvals.presentation.jsontext import Json, Number
from approvals.presentation.pointer import EVERY, Path, pointer_of
from approvals.presentation.text import visible_line
from approvals.presentation.values import MISSING

if TYPE_CHECKING:
    from approvals.presentation.build import Builder

FIRST_ROWS = 50
_MOST_COLUMNS = 10
_MOST_TAGS = 12
_LONGEST_TAG = 40
_LONGEST_CELL = 120
_NUMERIC = frozenset({"number", "money", "percent"})


class ListBuilder:
    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def block(self, label: str, items: list[Json], path: Path, depth: int) -> Block:
        """The block of a list that has items."""
        if len(items) > self._builder.left:
            return self._builder.raw(label, items)
        if all(is_scalar(item) for item in items):
            return self._values(label, items, path)
        rows = [item for item in items if isinstance(item, dict)]
        columns = self._columns(rows, path) if len(rows) == len(items) else []
        if columns and len(columns) * len(rows) <= self._builder.left:
            return self._table(label, rows, columns, path)
        return self._steps(label, items, path, depth)

    def _values(self, label: str, items: list[Json], path: Path) -> Values:
        shown = tuple(self._builder.leaf(item, (*path, EVERY)) for item in items)
        return Values(label, shown[:FIRST_ROWS], shown[FIRST_ROWS:], len(shown))

    def _columns(self, rows: list[dict[str, Json]], path: Path) -> list[str]:
        """The keys of a table, or none where rows have an inside or differ too much."""
        keys = dict.fromkeys(key for row in rows for key in row)
        fits = len(rows) > 1 and 0 < len(keys) <= _MOST_COLUMNS
        if not fits or self._builder.presentation.title_key((*path, EVERY)):
            return []
        if not all(_fits_cell(value) for row in rows for value in row.values()):
            return []
        presentation = self._builder.presentation
        ordered = presentation.sorted(list(keys), (*path, EVERY))
        for key in ordered:
            if presentation.hides((*path, EVERY, key)):
                self._builder.hidden.append(pointer_of((*path, EVERY, key)))
        return [key for key in ordered if not presentation.hides((*path, EVERY, key))]

    def _table(self, label: str, rows: list[dict[str, Json]], keys: list[str], path: Path) -> Table:
        paths = {key: (*path, EVERY, key) for key in keys}
        drawn = [
            [
                self._builder.leaf(row[key], paths[key], row) if key in row else MISSING
                for key in keys
            ]
            for row in rows
        ]
        numeric = [_is_numeric([row[place] for row in drawn]) for place in range(len(keys))]
        cells = tuple(tuple(map(Cell, row, numeric)) for row in drawn)
        labels = (self._builder.presentation.label(paths[key]) for key in keys)
        columns = tuple(map(Column, labels, numeric))
        return Table(label, columns, cells[:FIRST_ROWS], cells[FIRST_ROWS:], len(cells))

    def _steps(self, label: str, items: list[Json], path: Path, depth: int) -> Steps:
        steps = tuple(self._step(item, (*path, EVERY), depth) for item in items)
        return Steps(label, steps[:FIRST_ROWS], steps[FIRST_ROWS:], len(steps))

    def _step(self, item: Json, path: Path, depth: int) -> Step:
        if not isinstance(item, dict):
            return Step("", (), tuple(self._builder.blocks(item, path, depth + 1)))
        title_key = self._builder.presentation.title_key(path)
        heading = item.get(title_key)
        titled = isinstance(heading, str)
        members = {key: value for key, value in item.items() if not (titled and key == title_key)}
        tags = self._take_tags(members, path)
        blocks = self._builder.blocks(members, path, depth + 1) if members else []
        return Step(visible_line(heading) if isinstance(heading, str) else "", tags, tuple(blocks))

    def _take_tags(self, members: dict[str, Json], path: Path) -> tuple[str, ...]:
        """Remove the members formatted as tags and return their words."""
        taken: list[str] = []
        for key in list(members):
            words = members[key]
            tagged = self._builder.presentation.format((*path, key)) == "tags"
            if tagged and isinstance(words, list) and tags_of(words).kind == "tags":
                taken += tags_of(words).items
                del members[key]
        return tuple(taken)


def is_scalar(value: Json) -> bool:
    return not isinstance(value, dict | list)


def tags_of(value: dict[str, Json] | list[Json]) -> Value:
    """A few short words as one value; `missing` where VALUE is more than that."""
    if not value:
        return Value("null", "none", title="{}" if isinstance(value, dict) else "[]")
    words = value if isinstance(value, list) and len(value) <= _MOST_TAGS else []
    if not words or not all(_is_word(word) for word in words):
        return MISSING
    return Value("tags", "", items=tuple(visible_line(str(word)) for word in words))


def _is_word(value: Json) -> bool:
    return isinstance(value, str | Number) and 0 < len(value) <= _LONGEST_TAG


def _fits_cell(value: Json) -> bool:
    if isinstance(value, dict | list):
        return tags_of(value).kind != "missing"
    return not isinstance(value, str) or len(value) <= _LONGEST_CELL


def _is_numeric(column: list[Value]) -> bool:
    kinds = {value.kind for value in column if value.kind not in {"null", "missing"}}
    return bool(kinds) and kinds <= _NUMERIC
