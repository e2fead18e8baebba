"""A kind's presentation, read from its data once per payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from approvals.presentation.pointer import EVERY, Path, PatternTable, path_of
from approvals.presentation.text import humanised, visible_line


class Presentation:
    """Labels, order, formats, highlights and hidden fields of one kind.

    DATA is what an admin wrote; parts of it that do not have the right shape are
    passed over, because a reviewer must be able to read the payload all the same.
    """

    def __init__(self, data: Mapping[str, Any] | None) -> None:
        source = data or {}
        self._labels = PatternTable(_texts(source.get("labels")))
        self._formats = PatternTable(_texts(source.get("formats")))
        self._titles = PatternTable(_texts(source.get("titles")))
        order = _list(source.get("order"))
        self._order = PatternTable({pointer: place for place, pointer in enumerate(order)})
        self._hidden = PatternTable(dict.fromkeys(_list(source.get("hide")), True))
        self._sums = {path_of(rows): path_of(at) for rows, at in _texts(source.get("sums")).items()}
        self.highlights: tuple[Path, ...] = tuple(map(path_of, _list(source.get("highlights"))))

    def label(self, path: Path) -> str:
        """What PATH is called; a kind that says "" wants its inside without a heading."""
        given = self._labels.at(path)
        named = path[-1] if path and path[-1] != EVERY else ""
        if given is not None:
            return visible_line(given)
        return humanised(named) if path else ""

    def fact_label(self, path: Path) -> str:
        """What PATH is called away from its surroundings: "Customer name"."""
        given = self._labels.at(path)
        return visible_line(given) if given else humanised(" ".join(path[-2:]))

    def format(self, path: Path) -> str:
        return self._formats.at(path) or ""

    def title_key(self, path: Path) -> str:
        """Which member of a list's item is its heading; "" if none is named."""
        return self._titles.at(path) or ""

    def hides(self, path: Path) -> bool:
        return bool(self._hidden.at(path))

    def sums_of(self, path: Path) -> Path | None:
        """Where the sums of the table at PATH stand; None if the kind names no place."""
        return self._sums.get(path)

    def knows(self, keys: Sequence[str], path: Path) -> bool:
        """Whether the kind names any of KEYS at PATH: then even one row is a table."""
        return any(self._labels.at((*path, key)) is not None for key in keys)

    def sorted(self, keys: Sequence[str], path: Path) -> list[str]:
        """KEYS of the object at PATH: those with a place first, the others as sent."""
        last = len(keys) + 100_000
        places = {key: self._order.at((*path, key)) for key in keys}
        return sorted(keys, key=lambda key: last if places[key] is None else places[key] or 0)


def _texts(source: object) -> dict[str, str]:
    if not isinstance(source, Mapping):
        return {}
    return {str(key): text for key, text in source.items() if isinstance(text, str)}


def _list(source: object) -> list[str]:
    return [item for item in source if isinstance(item, str)] if isinstance(source, list) else []
