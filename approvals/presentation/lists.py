"""Lists of a payload: words, tables, or numbered steps, whichever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.presentation.blocks import (
    Cell,
    Column,
    Note,
    Step,
    Steps,
    Table,
    Value,
    Values,
)
from approvals.presentation.jsontext import Json
from approvals.presentation.pointer import EVERY, Path, pointer_of
from approvals.presentation.text import visible_line
from approvals.presentation.values import MISSING

if TYPE_CHECKING:
    from approvals.presentation.build import Builder

ListBlock: TypeAlias = Table | Values | Steps

FIRST_ROWS = 50
STEP_COST = 6
_MOST_COLUMNS = 10
_MOST_TAGS = 12
_LONGEST_TAG = 40
_LONGEST_CELL = 120
_NUMERIC = frozenset({"number", "money", "percent"})


class ListBuilder:
    def __init__(self, builder: Builder, first_rows: int = FIRST_ROWS) -> None:
        self._builder = builder
        self._first = first_rows

    def block(self, label: str, items: list[Json], path: Path, depth: int) -> ListBlock:
        """The block of a list that has items."""
        if all(is_scalar(item) for item in items):
            return self._values(label, items, path)
        rows = [item for item in items if isinstance(item, dict)]
        keys = self._columns(rows, path) if len(rows) == len(items) else []
        if keys:
            return self._table(label, rows, keys, path)
        return self._steps(label, items, path, depth)

    def _values(self, label: str, items: list[Json], path: Path) -> Values:
        fitting = items[: max(self._builder.left, 1)]
        drawn = tuple(self._builder.leaf(item, (*path, EVERY)) for item in fitting)
        more = drawn[self._first :]
        rest = [Values("", more, (), len(more))] if more else []
        beyond = not_laid_out(len(items) - len(drawn), path)
        return Values(label, drawn[: self._first], (*rest, *beyond), len(items))

    def _columns(self, rows: list[dict[str, Json]], path: Path) -> list[str]:
        """The keys of a table, or none where rows have an inside or differ too much."""
        keys = dict.fromkeys(key for row in rows[:FIRST_ROWS] for key in row)
        presentation = self._builder.presentation
        expected = len(rows) > 1 or presentation.knows(list(keys), (*path, EVERY))
        fits = expected and 0 < len(keys) <= _MOST_COLUMNS
        if not fits or presentation.title_key((*path, EVERY)):
            return []
        if not all(key in keys and _fits_cell(row[key]) for row in rows for key in row):
            return []
        ordered = presentation.sorted(list(keys), (*path, EVERY))
        return [key for key in ordered if not self._builder.hide((*path, EVERY, key))]

    def _table(self, label: str, rows: list[dict[str, Json]], keys: list[str], path: Path) -> Table:
        paths = {key: (*path, EVERY, key) for key in keys}
        fitting = rows[: max(self._builder.left // len(keys), 1)]
        drawn = [
            [
                self._builder.leaf(row[key], paths[key], row) if key in row else MISSING
                for key in keys
            ]
            for row in fitting
        ]
        numeric = [
            place > 0 and _is_numeric([row[place] for row in drawn]) for place in range(len(keys))
        ]
        labels = (self._builder.presentation.label(paths[key]) for key in keys)
        columns = tuple(map(Column, labels, numeric))
        cells = tuple(tuple(map(Cell, row, numeric)) for row in drawn)
        more = cells[self._first :]
        rest = [Table("", columns, more, (), len(more))] if more else []
        beyond = not_laid_out(len(rows) - len(drawn), path)
        foot = self._builder.foot_of(path) if numeric[-1] else ()
        return Table(label, columns, cells[: self._first], (*rest, *beyond), len(rows), foot)

    def _steps(self, label: str, items: list[Json], path: Path, depth: int) -> Steps:
        steps: list[Step] = []
        while len(steps) < len(items) and (self._builder.left > 0 or not steps):
            steps.append(self._step(items[len(steps)], (*path, EVERY), depth))
        more = tuple(steps[self._first :])
        rest = [Steps("", more, (), len(more))] if more else []
        beyond = not_laid_out(len(items) - len(steps), path)
        return Steps(label, tuple(steps[: self._first]), (*rest, *beyond), len(items))

    def _step(self, item: Json, path: Path, depth: int) -> Step:
        self._builder.left -= STEP_COST
        if not isinstance(item, dict):
            return Step("", (), tuple(self._builder.blocks(item, path, depth + 1)))
        members = dict(item)
        title = self._take_title(members, path)
        tags = self._take_tags(members, path)
        blocks = self._builder.blocks(members, path, depth + 1) if members else []
        return Step(title, tags, tuple(blocks))

    def _take_title(self, members: dict[str, Json], path: Path) -> str:
        """Remove the member that names the step, if it is a word, and return it."""
        key = self._builder.presentation.title_key(path)
        title = members.get(key)
        if not isinstance(title, str) or not visible_line(title):
            return ""
        del members[key]
        return visible_line(title)

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
        return Value("null", _("none"), title="{}" if isinstance(value, dict) else "[]")
    words = value if isinstance(value, list) and len(value) <= _MOST_TAGS else []
    if not words or not all(_is_word(word) for word in words):
        return MISSING
    return Value("tags", "", items=tuple(visible_line(str(word)) for word in words))


def not_laid_out(count: int, path: Path = (EVERY,)) -> list[Note]:
    """What says that COUNT things more are there than the page can draw.

    PATH: of a list whose rows can be read one page at a time, if it has one of its own.
    """
    if not count:
        return []
    at = "" if EVERY in path else pointer_of(path)
    words = ngettext(
        "%(count)s more is in the payload as received.",
        "%(count)s more are in the payload as received.",
        count,
    )
    return [Note(words % {"count": count}, at)]


def _is_word(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TAG


def _fits_cell(value: Json) -> bool:
    if isinstance(value, dict | list):
        return tags_of(value).kind != "missing"
    return not isinstance(value, str) or len(value) <= _LONGEST_CELL


def _is_numeric(column: list[Value]) -> bool:
    kinds = {value.kind for value in column if value.kind not in {"null", "missing"}}
    return bool(kinds) and kinds <= _NUMERIC
