"""Which storms there are, and which goal of docs/operations/results.md each is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Trouble:
    """TIMES times between the shares SINCE and UNTIL of a storm, LASTS seconds each."""

    times: int
    lasts: float = 0.0
    since: float = 0.05
    until: float = 0.95


@dataclass(frozen=True, slots=True)
class Storm:
    """REQUESTS at RATE a second while TROUBLES happen over SECONDS.

    MOOD: of the stand-in while it rages: it deals all its faults ("faults"), lets some callers
    wait in vain ("slow"), or none goes wrong ("well"); none does afterwards. SCALED: with the
    short lease and timeouts of tests/chaos/apps.py. SLOWEST: what AWS takes at most, in
    seconds, if all goes well. SWEEPER: `manage.py run_sweeps` runs beside the rest.
    QUIET_WITHIN: all must be settled so long after. POSTED_WITHIN: so many seconds after the
    beginning all are opened, where that is not the whole storm. OPEN_FOR: how long, in
    seconds, one waits at least and at most for its deciders. HEARTBEAT: the heartbeat timeout
    of each, in seconds.
    """

    requests: int
    seconds: float
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    mood: str = "faults"
    scaled: bool = False
    slowest: float = 0.06
    sweeper: bool = False
    # The longest back-off is five minutes; then one attempt, and the reading of a history.
    quiet_within: timedelta = timedelta(seconds=400)
    posted_within: float | None = None
    open_for: tuple[float, float] = (0.0, 2.0)
    heartbeat: int = 90

    @property
    def rate(self) -> float:
        return self.requests / (self.posted_within or self.seconds)

    @property
    def aws_hears(self) -> bool:
        """Whether AWS takes each beat that is sent: then it must never wait in vain for one."""
        return self.mood != "faults" and "aws_down" not in self.troubles

    def of(self, seconds: float) -> Storm:
        """As dense a storm of another length; each trouble still lasts as long."""
        share = seconds / self.seconds
        troubles = {
            name: replace(trouble, times=max(1, round(trouble.times * share)))
            for name, trouble in self.troubles.items()
        }
        requests = round(self.requests * share)
        return replace(self, seconds=seconds, requests=requests, troubles=troubles)


SHORT = Storm(
    requests=120,
    seconds=32,
    scaled=True,
    troubles={
        "kill_worker": Trouble(2),
        "kill_child": Trouble(4),
        "kill_web": Trouble(1),
        "freeze_worker": Trouble(1, 7, 0.5, 0.8),
        "freeze_beat": Trouble(1, 6, 0.1, 0.5),
        "more_beats": Trouble(1, since=0.5),
        "flush_broker": Trouble(2),
        "freeze_broker": Trouble(1, 4, 0.2, 0.6),
        "kill_broker": Trouble(1, since=0.6),
        "terminate_connections": Trouble(2),
        "restart_postgres": Trouble(1, since=0.3, until=0.7),
        "skew_clock": Trouble(1, 6),
    },
)

#: Nothing is killed: enough to miss a lease, a row lock or a sweep, and quickly done. So few
#: that none is left to a clock, whose bell would come long after the last decision's.
CALM = Storm(
    requests=32,
    seconds=12,
    scaled=True,
    slowest=0.4,
    quiet_within=timedelta(seconds=90),
)

#: Workers that wake up with old news: what the fencing is there for. Many answers, of which
#: some wait in vain, so that each has such a one under way when it freezes; and no more, as
#: a source with many failures is cut off.
FROZEN = Storm(
    requests=1600,
    seconds=150,
    mood="slow",
    scaled=True,
    slowest=1.2,
    quiet_within=timedelta(seconds=90),
    troubles={"freeze_worker": Trouble(10, 13.5, 0.02, 1.0)},
)

EVERYTHING = Storm(
    requests=2200,
    seconds=700,
    troubles={
        "kill_worker": Trouble(16),
        "kill_child": Trouble(24),
        "kill_web": Trouble(12),
        "freeze_worker": Trouble(3, 63, 0.1, 0.8),
        "term_worker": Trouble(4),
        "term_web": Trouble(4),
        "freeze_beat": Trouble(2, 30),
        "no_beat": Trouble(1, 40, 0.5, 0.7),
        "more_beats": Trouble(2, since=0.3),
        "flush_broker": Trouble(6),
        "freeze_broker": Trouble(2, 15),
        "kill_broker": Trouble(4),
        "no_broker": Trouble(1, 40, 0.3, 0.5),
        "terminate_connections": Trouble(10),
        "restart_postgres": Trouble(5),
        "skew_clock": Trouble(6, 25),
    },
)

STORMS: dict[str, Storm] = {
    "short": SHORT,
    "everything": EVERYTHING,
    "calm": CALM,
    "frozen": FROZEN,
    "workers": Storm(
        2000, 400, {"kill_worker": Trouble(100), "kill_child": Trouble(100)}, mood="well"
    ),
    "web": Storm(2500, 125, {"kill_web": Trouble(100)}, mood="well"),
    "broker": Storm(
        1500,
        450,
        {
            "no_broker": Trouble(1, 300, 0.02, 0.7),
            "flush_broker": Trouble(3, 0, 0.7, 0.8),
            "freeze_broker": Trouble(1, 60, 0.8, 0.95),
            "kill_broker": Trouble(3, 0, 0.95, 1.0),
        },
        mood="well",
        sweeper=True,  # as Compose has it: without the broker nobody else beats
    ),
    "database": Storm(
        1200,
        360,
        {"restart_postgres": Trouble(20), "terminate_connections": Trouble(60)},
        mood="well",
    ),
    "aws": Storm(1000, 200, {"aws_down": Trouble(1, 120, 0.3, 0.95)}, mood="well"),
    # No bell rings and nobody hears any: what is done is done by sweeps of the database.
    "outage": Storm(
        450,
        150,
        {"no_broker": Trouble(1, 148, 0, 1), "no_workers": Trouble(1, 148, 0, 1)},
        mood="well",
        sweeper=True,
    ),
    "beat": Storm(
        600,
        180,
        {"no_beat": Trouble(1, 80, 0.02, 0.5), "more_beats": Trouble(2, 0, 0.6, 0.7)},
        mood="well",
    ),
    # Nobody decides for minutes, so that hearts beat: three to a timeout, whoever dies.
    "hearts": Storm(
        1000,
        420,
        {"kill_worker": Trouble(6), "kill_child": Trouble(6), "more_beats": Trouble(1, since=0.4)},
        mood="well",
        posted_within=60,
        open_for=(300, 390),
        heartbeat=60,
    ),
    "clock": Storm(600, 180, {"skew_clock": Trouble(8, 18, 0.02, 0.98)}, mood="well"),
    # A web server goes a second after the proxy was told.
    "rolling": Storm(
        2400, 200, {"term_web": Trouble(20, 1.0), "term_worker": Trouble(20)}, mood="well"
    ),
    "load": Storm(12000, 300, mood="well"),
}
