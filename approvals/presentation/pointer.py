"""JSON pointers and patterns of them: `/lines/*/price` means the price of every line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from approvals.presentation.jsontext import Json

Path = tuple[str, ...]
EVERY = "*"
T = TypeVar("T")


def path_of(pointer: str) -> Path:
    """The segments of an RFC 6901 pointer; "" is the whole document."""
    segments = pointer.split("/")[1:]
    return tuple(segment.replace("~1", "/").replace("~0", "~") for segment in segments)


def pointer_of(path: Path) -> str:
    return "".join("/" + segment.replace("~", "~0").replace("/", "~1") for segment in path)


def resolve(document: Json, path: Path) -> Json | None:
    """What stands at PATH; the first item where a list meets `*`; None if nothing does."""
    found = document
    for segment in path:
        if isinstance(found, dict):
            found = found.get(segment)
        elif isinstance(found, list):
            found = _item(found, segment)
        else:
            return None
    return found


def _item(items: list[Json], segment: str) -> Json | None:
    index = 0 if segment == EVERY else int(segment) if segment.isdecimal() else -1
    return items[index] if 0 <= index < len(items) else None


class PatternTable(Generic[T]):
    """Settings by pattern. An exact path wins over a pattern, an earlier over a later."""

    def __init__(self, settings: Mapping[str, T]) -> None:
        self._exact = {path_of(pointer): setting for pointer, setting in settings.items()}
        self._patterns = [(path, what) for path, what in self._exact.items() if EVERY in path]
        self._known: dict[Path, T | None] = {}

    def at(self, path: Path) -> T | None:
        """The setting for PATH, in which list positions are written `*`."""
        if path not in self._known:
            self._known[path] = self._find(path)
        return self._known[path]

    def _find(self, path: Path) -> T | None:
        if path in self._exact:
            return self._exact[path]
        return next((what for pattern, what in self._patterns if _matches(pattern, path)), None)


def _matches(pattern: Path, path: Path) -> bool:
    return len(pattern) == len(path) and all(
        wanted in (EVERY, segment) for wanted, segment in zip(pattern, path, strict=True)
    )
