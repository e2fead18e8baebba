"""One value of a payload by its pointer: what it is called, within what, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from approvals.presentation.blocks import Value
from approvals.presentation.jsontext import Json, Number, parse
from approvals.presentation.pointer import EVERY, Path, path_of, resolve
from approvals.presentation.settings import Presentation
from approvals.presentation.text import visible_line
from approvals.presentation.values import leaf


@dataclass(frozen=True, slots=True)
class Place:
    """LABEL names the value, WITHIN what surrounds it ("" at the top); VALUE is drawn."""

    label: str
    within: str
    value: Value

    @property
    def name(self) -> str:
        return f"{self.label} ({self.within})" if self.within else self.label


class Places:
    """The values of one payload, read once; every pointer asked for must lead to one."""

    def __init__(self, payload_text: str, kind_presentation: Mapping[str, Any] | None) -> None:
        self._document = parse(payload_text)
        self._presentation = Presentation(kind_presentation)

    def at(self, pointer: str) -> Place:
        path = path_of(pointer)
        pattern = self._pattern(path)
        drawn = self._drawn(resolve(self._document, path), path, pattern)
        return Place(self._presentation.label(pattern), self._within(path, pattern), drawn)

    def drawn(self, pointer: str, value: Json) -> Value:
        """VALUE as it reads at POINTER, in place of what stands there."""
        path = path_of(pointer)
        return self._drawn(value, path, self._pattern(path))

    def raw(self, pointer: str) -> Json:
        """The value itself, as it was sent."""
        return resolve(self._document, path_of(pointer))

    def format(self, pointer: str) -> str:
        return self._presentation.format(self._pattern(path_of(pointer)))

    def _drawn(self, value: Json, path: Path, pattern: Path) -> Value:
        style, parent = self._presentation.format(pattern), resolve(self._document, path[:-1])
        return leaf(value, style, self._document, parent)

    def _pattern(self, path: Path) -> Path:
        """PATH with the positions of lists as `*`, as a presentation names them."""
        steps = (
            EVERY if isinstance(resolve(self._document, path[:depth]), list) else step
            for depth, step in enumerate(path)
        )
        return tuple(steps)

    def _within(self, path: Path, pattern: Path) -> str:
        """The nearest named thing around PATH: a step's title, the nth of a list, a heading."""
        for depth in range(len(path) - 1, 0, -1):
            if pattern[depth - 1] == EVERY:
                return self._item(path[:depth], pattern[:depth])
            if label := self._presentation.label(pattern[:depth]):
                return label
        return ""

    def _item(self, path: Path, pattern: Path) -> str:
        item = resolve(self._document, path)
        key = self._presentation.title_key(pattern)
        title = item.get(key) if isinstance(item, dict) else None
        if isinstance(title, str) and not isinstance(title, Number) and title.strip():
            return visible_line(title)
        return f"{self._presentation.label(pattern[:-1])} {int(path[-1]) + 1}".strip()
