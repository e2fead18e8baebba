"""What is done to a house during a storm: a plan made from the seed, and its doing."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from signal import SIGCONT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from tests.chaos.house import WEBS, WORKERS, House
from tests.chaos.storms import Trouble

OFFSETS = ("+1h", "-1h", "+1d", "-1d")
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
)


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """AT seconds after the storm began. CHANCE chooses the victim."""

    at: float
    name: str
    lasts: float
    chance: float


def plan(troubles: Mapping[str, Trouble], *, seconds: float, seed: str) -> list[Deed]:
    """When what happens: spread evenly over its share of the storm, at random in between."""
    deeds = []
    for name, trouble in troubles.items():
        chance = random.Random(f"{seed}:{name}")
        span = (trouble.until - trouble.since) * seconds / max(trouble.times, 1)
        for number in range(trouble.times):
            slack = max(span - trouble.lasts, 0)
            at = trouble.since * seconds + number * span + chance.uniform(0, slack)
            deeds.append(Deed(at, name, trouble.lasts, chance.random()))
    return sorted(deeds)


class Mischief:
    """Does what is planned when its time has come, and undoes it when that is over."""

    def __init__(self, house: House, deeds: list[Deed]) -> None:
        self.done: Counter[str] = Counter()
        self.spans: list[tuple[str, float, float]] = []  # name, from and until (wall clock)
        self.endings: list[float] = []  # seconds from SIGTERM to the end
        self._house = house
        self._deeds = list(deeds)
        self._undo: list[tuple[float, Callable[[], None]]] = []
        self._ending: list[tuple[str, int, float]] = []  # name, pid, when it was asked to end
        self._returning: list[tuple[str, int]] = []  # name, and the pid that it had

    @property
    def is_over(self) -> bool:
        return not (self._deeds or self._undo or self._ending or self._returning)

    def tend(self, elapsed: float) -> None:
        """Do and undo what is due ELAPSED seconds into the storm."""
        self._see_off()
        for due in [each for each in self._undo if each[0] <= elapsed]:
            self._undo.remove(due)
            due[1]()
        for deed in [each for each in self._deeds if each.at <= elapsed]:
            if deed.name != "term_web" or self._house.proxy.is_whole:  # one at a time
                self._deeds.remove(deed)
                self._do(deed, elapsed)

    def end(self) -> None:
        """Undo what still lasts."""
        for _, undo in self._undo:
            undo()
        self._undo.clear()

    def _do(self, deed: Deed, elapsed: float) -> None:
        undo = getattr(self, f"_{deed.name}")(deed.chance)
        self.done[deed.name] += 1
        now = time.time()
        self.spans.append((deed.name, now, now + deed.lasts))
        if undo is not None:
            self._undo.append((elapsed + deed.lasts, undo))

    def _pick(self, names: tuple[str, ...], chance: float) -> str:
        return names[int(chance * len(names))]

    def _kill_worker(self, chance: float) -> None:
        self._house.programs.signal(self._pick(WORKERS, chance), SIGKILL)

    def _kill_child(self, chance: float) -> None:
        children = self._house.programs.children(self._pick(WORKERS, chance))
        if children:
            with suppress(ProcessLookupError):
                _kill(children[int(chance * 1000) % len(children)])

    def _kill_web(self, chance: float) -> None:
        self._house.programs.signal(self._pick(WEBS, chance), SIGKILL, group=True)

    def _freeze_worker(self, chance: float) -> Callable[[], None]:
        name = self._pick(WORKERS, chance)
        self._house.programs.signal(name, SIGSTOP, group=True)
        return lambda: self._house.programs.signal(name, SIGCONT, group=True)

    def _term_web(self, chance: float) -> Callable[[], None]:
        """The proxy is told first; SIGTERM comes when the trouble's time is over."""
        name = self._pick(WEBS, chance)
        self._house.proxy.leave(name)
        return lambda: self._returning.append((name, self._term(name)))

    def _term_worker(self, chance: float) -> None:
        self._term(self._pick(WORKERS, chance))

    def _term(self, name: str) -> int:
        pid = self._house.programs.pid(name)
        self._ending.append((name, pid, time.monotonic()))
        self._house.programs.signal(name, SIGTERM)
        return pid

    def _see_off(self) -> None:
        """Note who has ended, and let the proxy have who is back."""
        programs = self._house.programs
        for name, pid, since in list(self._ending):
            if programs.pid(name) != pid or not programs.runs(name):
                self._ending.remove((name, pid, since))
                self.endings.append(time.monotonic() - since)
        for name, pid in list(self._returning):
            if programs.pid(name) != pid and self._house.serves(name):
                self._returning.remove((name, pid))
                self._house.proxy.enter(name)

    def _freeze_beat(self, _: float) -> Callable[[], None]:
        self._house.programs.signal("beat", SIGSTOP)
        return lambda: self._house.programs.signal("beat", SIGCONT)

    def _no_beat(self, _: float) -> Callable[[], None]:
        return self._down("beat")

    def _more_beats(self, _: float) -> None:
        names = (f"beat-{letter}" for letter in "bcdef")
        self._house.start_beat(next(n for n in names if not self._house.programs.runs(n)))

    def _flush_broker(self, _: float) -> None:
        with suppress(RedisError), Redis.from_url(self._house.redis_url, socket_timeout=2) as redis:
            redis.flushall()

    def _freeze_broker(self, _: float) -> Callable[[], None]:
        self._house.programs.signal("valkey", SIGSTOP)
        return lambda: self._house.programs.signal("valkey", SIGCONT)

    def _kill_broker(self, _: float) -> None:
        self._house.programs.signal("valkey", SIGKILL)

    def _no_broker(self, _: float) -> Callable[[], None]:
        return self._down("valkey")

    def _no_workers(self, _: float) -> Callable[[], None]:
        ends = [self._down(name) for name in WORKERS]

        def release() -> None:
            for end in ends:
                end()

        return release

    def _terminate_connections(self, _: float) -> None:
        with suppress(psycopg.Error):
            self._house.ask(TERMINATE)

    def _restart_postgres(self, _: float) -> None:
        self._house.programs.signal("postgres", SIGQUIT)  # immediate: it has to recover

    def _skew_clock(self, chance: float) -> Callable[[], None]:
        self._house.set_clock(self._pick(OFFSETS, chance))
        return lambda: self._house.set_clock("+0")

    def _aws_down(self, _: float) -> Callable[[], None]:
        self._house.set_mood("down")
        return lambda: self._house.set_mood(self._house.storm.mood)

    def _down(self, name: str) -> Callable[[], None]:
        self._house.programs.hold(name)
        self._house.programs.signal(name, SIGKILL)
        return lambda: self._house.programs.release(name)


def _kill(pid: int) -> None:
    os.kill(pid, SIGKILL)
