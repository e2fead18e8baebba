"""What a payload becomes: a small set of shapes a template can draw.

Every text in them is plain text that still has to be escaped; `href` is always an
https address. `kind` tells the template which shape it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

ValueKind: TypeAlias = Literal[
    "text", "number", "money", "percent", "date", "datetime", "boolean", "null", "missing",
    "link", "code", "quote", "tags",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """One leaf: TEXT is shown, TITLE says more on hover, FLAG warns beside it."""

    kind: ValueKind
    text: str
    title: str = ""
    href: str = ""
    flag: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One labelled value; KEY marks one the kind puts before all others."""

    label: str
    pointer: str
    value: Value
    key: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """Labels with values; REST is what the first screenful leaves out."""

    kind: ClassVar[str] = "fields"
    items: tuple[Field, ...]
    rest: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """The few fields the kind puts before all others."""

    kind: ClassVar[str] = "key"
    items: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    value: Value
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A list of flat objects: the first rows, then REST; COUNT is all of them.

    FOOT: what the rows add up to.
    In every list REST is a further block of the same shape, a note on what is not
    laid out, or both.
    """

    kind: ClassVar[str] = "table"
    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    rest: tuple[Block, ...]
    count: int
    foot: tuple[Field, ...] = ()

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


@dataclass(frozen=True, slots=True)
class Values:
    """A list of single values."""

    kind: ClassVar[str] = "values"
    label: str
    items: tuple[Value, ...]
    rest: tuple[Block, ...]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.items)


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    tags: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """A list whose items have an inside of their own, numbered."""

    kind: ClassVar[str] = "steps"
    label: str
    items: tuple[Step, ...]
    rest: tuple[Block, ...]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.items)


@dataclass(frozen=True, slots=True)
class Section:
    kind: ClassVar[str] = "section"
    label: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Small sections side by side, such as two addresses."""

    kind: ClassVar[str] = "row"
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """An address: its values one below the other, as on an envelope."""

    kind: ClassVar[str] = "lines"
    items: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON text; LABEL names it, NOTE says why it is shown raw."""

    kind: ClassVar[str] = "raw"
    label: str
    text: str
    note: str = ""
    size: str = field(default="")


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence of ours; AT is the pointer of a list that can be read row by row."""

    kind: ClassVar[str] = "note"
    text: str
    at: str = ""


Block: TypeAlias = "Fields | KeyFacts | Table | Values | Steps | Section | Row | Lines | Raw | Note"
