"""Which web servers are given requests."""

from __future__ import annotations

from collections.abc import Mapping


class Proxy:
    """Sends nobody to a web server that is about to end, as docs/deploy.md asks of a real one.

    One that dies unasked is not noticed: whoever finds nobody there goes to the next.
    """

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = dict(ports)
        self._away: frozenset[str] = frozenset()

    @property
    def ports(self) -> list[int]:
        """Of those who are not away, never of nobody."""
        here = [port for name, port in self._ports.items() if name not in self._away]
        return here or list(self._ports.values())

    @property
    def is_whole(self) -> bool:
        return not self._away

    def leave(self, name: str) -> None:
        self._away |= {name}

    def enter(self, name: str) -> None:
        self._away -= {name}
