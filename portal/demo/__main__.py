"""Start the demo, stay until it is told to end, and leave nothing running."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import NoReturn

from portal.demo import programs, steps
from portal.demo.card import Seeded, banner, write_card
from portal.demo.keys import kept_keys
from portal.demo.plan import DemoError, Plan, plan_from
from portal.embedded import EngineError, Engines
from portal.embedded.ground import private_folder, write_private
from portal.supervisor import Supervisor

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UP_WITHIN = timedelta(seconds=120)
FOREVER = timedelta(days=36_500)


def main() -> int:
    _listen_for_the_end()
    try:
        plan = plan_from(os.environ)
        private_folder(plan.folder)
        run(plan)
    except (DemoError, EngineError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("Everything is stopped.")
    return 0


def run(plan: Plan) -> None:
    """Start the engines and what stands on them; whatever happens then, stop them all."""
    supervisor = Supervisor(plan.folder / "logs", say=say)
    engines = Engines(
        plan.folder,
        database_url=plan.database_url,
        redis_url=plan.redis_url,
        supervisor=supervisor,
    )
    try:
        say("Starting the database and the broker")
        engines.start()
        _serve(plan, supervisor, engines)
    finally:
        _ignore_further_signals()
        say("Stopping")
        supervisor.stop()
        engines.stop()


def _serve(plan: Plan, supervisor: Supervisor, engines: Engines) -> None:
    """Start everything in order, then keep it running until KeyboardInterrupt."""
    plan.card.unlink(missing_ok=True)  # of a run that was killed
    env = programs.environment(plan, engines, kept_keys(plan.folder))
    seeded = _start_everything(plan, supervisor, env)
    supervisor.changed = lambda: write_card(plan, engines, seeded, supervisor.pids)
    supervisor.changed()
    try:
        say(banner(plan, seeded, orders=_place_orders(plan, env, supervisor.logs)))
        supervisor.tend_until(lambda: False, within=FOREVER)
    finally:
        plan.card.unlink(missing_ok=True)


def _start_everything(plan: Plan, supervisor: Supervisor, env: Mapping[str, str]) -> Seeded:
    """Start everything; where nothing changed since the last time, all at once.

    Each Django that starts costs seconds of a core.
    """
    if plan.runner_port is not None:
        (plan.folder / "runner").mkdir(exist_ok=True)
        supervisor.start(programs.runner(plan, env))
    seeded = steps.prepared(plan)
    if seeded is None:
        say("Preparing tables, assets and people")
        seeded = steps.prepare(plan, env, supervisor.logs)
    _start_portal(plan, supervisor, env)
    source = seeded["source"]
    secret_file = plan.folder / "source.secret"
    write_private(secret_file, source["signing_secret"])
    supervisor.start(programs.invoke(plan, env, source=source["slug"], secret_file=secret_file))
    _wait_for_all(plan, supervisor)
    return seeded


def _start_portal(plan: Plan, supervisor: Supervisor, env: Mapping[str, str]) -> None:
    say("Starting the portal")
    for program in (programs.web(plan, env), programs.worker(env), programs.beat(plan, env)):
        supervisor.start(program)


def _wait_for_all(plan: Plan, supervisor: Supervisor) -> None:
    probes = {
        "The portal": steps.answers(plan.url, "/readyz"),
        "The functions": steps.answers(plan.invoke_url, "/healthz"),
    }
    if plan.runner_port is not None:
        probes["The local runner"] = steps.answers(plan.runner_url, "/health")
    for name, up in probes.items():
        if not supervisor.tend_until(up, within=UP_WITHIN):
            raise DemoError(
                f"{name} did not become ready within {UP_WITHIN.seconds} seconds."
                f" The logs are in {supervisor.logs}."
            )


def _place_orders(plan: Plan, env: Mapping[str, str], logs: Path) -> str:
    """Start the sample orders and say what waits now; orders are no reason to end the demo."""
    if plan.runner_port is None:
        return f"Callbacks go to {plan.runner_url}; no orders were placed."
    try:
        steps.run_step("orders", programs.place_orders(plan.runner_url), env, logs)
        steps.run_step("samples", programs.start_samples(plan.runner_url), env, logs)
    except DemoError as error:
        return str(error)
    return "Sample orders, documents and refunds wait for a decision. One more order: make order"


def say(sentence: str) -> None:
    """Tell the person at the terminal, if there still is one."""
    try:
        print(sentence, flush=True)
    except OSError:  # the terminal was closed
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good


def _listen_for_the_end() -> None:
    """Install handlers explicitly: a script's `&` starts us with SIGINT ignored."""
    for number in END_SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup: it is meant to outlive its terminal
        signal.signal(number, _end)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _ignore_further_signals() -> None:
    """Ending is under way and takes at most 15 seconds; a second Ctrl-C would only harm it."""
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
