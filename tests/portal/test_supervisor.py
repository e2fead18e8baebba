"""Small shell programs stand in for the portal's; only the clock is not real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from portal.supervisor import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    SETTLED_AFTER,
    Program,
    Supervisor,
    wait_until,
)
from tests.portal.processes import alive

SOON = timedelta(seconds=10)
#: What a parent's death is told by; the kernel does it on Linux only.
MESSENGERS = ["undertaker", *(["kernel"] if sys.platform == "linux" else [])]

SUPERVISE_TWO = """
import sys
from pathlib import Path
from portal import orphans
from portal.supervisor import Program, Supervisor
undertaker = None
if sys.argv[2] == "undertaker":
    orphans._LIBC, undertaker = None, orphans.Undertaker()
    print(undertaker.pid)
supervisor = Supervisor(Path(sys.argv[1]), undertaker=undertaker)
for name in ("first", "second"):
    print(supervisor.start(Program(name=name, argv=["sleep", "1000"], env={})))
print("all", flush=True)
input()
"""


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, span: timedelta) -> None:
        self.now += span.total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, clock: Clock, said: list[str]) -> Iterator[Supervisor]:
    supervising = Supervisor(tmp_path / "logs", say=said.append, clock=clock)
    yield supervising
    supervising.stop()


def shell(script: str, *, name: str = "web", layer: int = 1, grace: float = 5) -> Program:
    return Program(
        name=name,
        argv=["sh", "-c", script],
        env={"PATH": os.environ["PATH"]},
        layer=layer,
        grace=timedelta(seconds=grace),
    )


def _wait_for_line(path: Path, line: str) -> None:
    assert wait_until(lambda: path.exists() and line in path.read_text().split("\n"), within=SOON)


def _let_it_end(supervisor: Supervisor) -> None:
    assert wait_until(lambda: not supervisor.running("web"), within=SOON)


def test_a_program_that_ends_is_started_again_after_a_pause(
    supervisor: Supervisor, clock: Clock
) -> None:
    first = supervisor.start(shell("exit 3"))
    _let_it_end(supervisor)
    supervisor.tend()
    supervisor.tend()
    assert supervisor.pids["web"] == first

    clock.pass_by(FIRST_PAUSE)
    supervisor.tend()
    assert supervisor.pids["web"] != first


def test_each_failure_is_said_with_its_cause_and_its_log(
    supervisor: Supervisor, said: list[str]
) -> None:
    supervisor.start(shell("kill -9 $$"))
    _let_it_end(supervisor)
    supervisor.tend()

    assert said == [
        f"web: ended with SIGKILL; it is started again. Its log is {supervisor.log_of('web')}."
    ]


def test_pauses_grow_and_stop_growing(supervisor: Supervisor, clock: Clock) -> None:
    supervisor.start(shell("exit 1"))
    waited = FIRST_PAUSE
    for _ in range(10):
        pid = supervisor.pids["web"]
        _let_it_end(supervisor)
        supervisor.tend()
        clock.pass_by(waited - timedelta(milliseconds=1))
        supervisor.tend()
        assert supervisor.pids["web"] == pid
        clock.pass_by(timedelta(milliseconds=2))
        supervisor.tend()
        assert supervisor.pids["web"] != pid
        waited = min(waited * 2, LONGEST_PAUSE)


def test_a_program_that_ran_well_pauses_briefly_again(supervisor: Supervisor, clock: Clock) -> None:
    supervisor.start(shell("exit 1"))
    for span in (LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE):
        _let_it_end(supervisor)
        supervisor.tend()
        clock.pass_by(span)
        supervisor.tend()
    pid = supervisor.pids["web"]
    clock.pass_by(SETTLED_AFTER)
    _let_it_end(supervisor)
    supervisor.tend()
    clock.pass_by(FIRST_PAUSE)
    supervisor.tend()

    assert supervisor.pids["web"] != pid


def test_a_new_pid_is_told_to_whoever_keeps_it(supervisor: Supervisor, clock: Clock) -> None:
    told: list[int] = []
    supervisor.changed = lambda: told.append(supervisor.pids["web"])
    supervisor.start(shell("exit 1"))
    _let_it_end(supervisor)
    supervisor.tend()
    clock.pass_by(FIRST_PAUSE)
    supervisor.tend()

    assert told == [supervisor.pids["web"]]


def test_programs_end_layer_by_layer_the_highest_first(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    ends = tmp_path / "ends"
    for layer, name in enumerate(["engine", "runner", "web"]):
        script = f"trap 'echo {name} >> {ends}; exit' TERM; echo up; while :; do sleep 0.02; done"
        supervisor.start(shell(script, name=name, layer=layer))
        _wait_for_line(supervisor.log_of(name), "up")
    supervisor.stop()

    assert ends.read_text().split() == ["web", "runner", "engine"]


def test_who_ignores_the_stop_signal_is_killed_after_its_grace(supervisor: Supervisor) -> None:
    pid = supervisor.start(shell("trap '' TERM; echo up; while :; do sleep 0.02; done", grace=0))
    _wait_for_line(supervisor.log_of("web"), "up")
    supervisor.stop()

    assert not alive(pid)


def test_a_killed_program_takes_its_children_along(supervisor: Supervisor) -> None:
    supervisor.start(shell("sleep 1000 & echo $!; wait"))
    log = supervisor.log_of("web")
    assert wait_until(lambda: log.read_text().endswith("\n"), within=SOON)
    child = int(log.read_text())
    os.kill(supervisor.pids["web"], signal.SIGKILL)
    _let_it_end(supervisor)
    supervisor.tend()

    assert wait_until(lambda: not alive(child), within=SOON)


def test_a_program_can_be_interrupted_though_we_ignore_interrupts(supervisor: Supervisor) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pid = supervisor.start(Program(name="web", argv=["sleep", "1000"], env={}))
    finally:
        signal.signal(signal.SIGINT, before)
    os.kill(pid, signal.SIGINT)

    _let_it_end(supervisor)


def test_a_first_start_empties_the_log_and_a_later_one_keeps_it(
    supervisor: Supervisor, clock: Clock
) -> None:
    log = supervisor.log_of("web")
    log.write_text("of an earlier run\n")
    supervisor.start(shell("echo said"))
    _let_it_end(supervisor)
    supervisor.tend()
    clock.pass_by(FIRST_PAUSE)
    supervisor.tend()
    _let_it_end(supervisor)

    assert log.read_text() == "said\nsaid\n"


@pytest.mark.parametrize("messenger", MESSENGERS)
def test_nothing_outlives_a_supervisor_that_is_killed(messenger: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISE_TWO, str(tmp_path / "logs"), messenger]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as owner:  # type: ignore[call-overload]
        assert owner.stdout is not None
        pids = [int(line) for line in iter(owner.stdout.readline, "all\n")]
        assert all(map(alive, pids))
        owner.kill()

    assert len(pids) >= 2
    assert wait_until(lambda: not any(map(alive, pids)), within=SOON)
