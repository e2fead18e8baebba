"""Following the lines of history by their key, each once, behind whoever still writes.

A line may become visible after one with a higher key, so one who follows goes only as far as
no line can appear any more: up to a ceiling seen once, after every transaction of that moment
has ended. A transaction of that moment has a lower number than one that begins just after
(the fence); https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction

from approvals.models.tally import Tally

_NEWEST = "SELECT coalesce((SELECT id FROM approvals_auditevent ORDER BY id DESC LIMIT 1), 0)"
_OPEN = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Behind us are all lines up to `counted`. No line up to `ceiling` can appear any more
    once no transaction below `fence` is open."""

    counted: int = 0
    ceiling: int = 0
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Trail:
    """One who follows. Its place is kept under NAME; LOCK (approvals.turns) is held meanwhile."""

    name: str
    lock: int

    def behind(self) -> int:
        """How many keys are still to come by; some may never have been used."""
        return max(newest_line() - self._read().counted, 0)

    def follow(
        self,
        work: Callable[[int, int], None],
        *,
        batch: int,
        leap: Callable[[], None] | None = None,
    ) -> int:
        """Let WORK have the lines after one key up to another, BATCH at most; how many keys.

        In one transaction with the place: two at once, or one that dies, do each line once.
        LEAP: called instead where the trail begins behind a history longer than a batch, which
        is then passed by; whatever its lines told is committed.
        """
        self._raise_ceiling()
        return self._go_on(work, batch, leap)

    @transaction.atomic(durable=True)
    def _raise_ceiling(self) -> None:
        self._lock()
        place, newest = self._read(), newest_line()
        if place.ceiling > place.counted or newest <= place.counted:
            return
        # After the look: whoever has taken a key up to the newest has a lower number than this.
        (fence,) = _ask("SELECT pg_current_xact_id()::text::bigint")
        self._write(_Place(place.counted, newest, fence))

    @transaction.atomic(durable=True)
    def _go_on(
        self, work: Callable[[int, int], None], batch: int, leap: Callable[[], None] | None
    ) -> int:
        self._lock()
        place, (oldest_open, next_seen) = self._read(), _ask(_OPEN)
        if place.fence >= next_seen:  # of another server, from before a restore: look anew
            self._write(_Place(place.counted, place.counted, 0))
            return 0
        if place.fence > oldest_open or place.ceiling <= place.counted:
            return 0
        upto = min(place.ceiling, place.counted + batch)
        if leap and not place.counted and upto < place.ceiling:
            upto = place.ceiling
            leap()
        else:
            work(place.counted, upto)
        self._write(_Place(upto, place.ceiling, place.fence))
        return upto - place.counted

    def _lock(self) -> None:
        # A lock of its own, not a row's: that would give this transaction a number, and the
        # oldest open one would always be this.
        _ask("SELECT pg_advisory_xact_lock(%s)", self.lock)

    def _read(self) -> _Place:
        rows = Tally.objects.filter(name=self.name).values_list("label", "value")
        return _Place(**{label: int(value) for label, value in rows})

    def _write(self, place: _Place) -> None:
        Tally.objects.bulk_create(
            [
                Tally(name=self.name, label=label, value=float(value))
                for label, value in asdict(place).items()
            ],
            update_conflicts=True,
            unique_fields=["name", "label"],
            update_fields=["value"],
        )


def newest_line() -> int:
    (newest,) = _ask(_NEWEST)
    return int(newest)


def _ask(sql: str, *values: int) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
