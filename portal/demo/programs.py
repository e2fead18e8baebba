"""Every program of the demo: its words, its environment, its place in the order of ending."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from portal.demo.plan import ROOT, Plan
from portal.embedded import Engines, ground
from portal.supervisor import Program

#: Layers: what serves people stops first, AWS's stand-ins next, the engines (0) last.
APPS, AWS = 2, 1
APPS_GRACE = timedelta(seconds=8)  # 5 s for running requests and tasks, and some air
AWS_GRACE = timedelta(seconds=2)


def environment(plan: Plan, engines: Engines, keys: Mapping[str, str]) -> dict[str, str]:
    """What every program of the demo sees: the caller's environment, and ours on top."""
    ours = {
        **keys,
        **_portal(plan, engines),
        **_aws_settings(plan),
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "localhost,127.0.0.1"])),
        "REMAP_SIGTERM": "SIGQUIT",  # Celery: stop softly on SIGTERM
        "PYTHONUNBUFFERED": "1",
    }
    overruled = {f"{name}_FILE" for name in ours} | {"AWS_PROFILE"}
    return {name: value for name, value in os.environ.items() if name not in overruled} | ours


def _portal(plan: Plan, engines: Engines) -> dict[str, str]:
    return {
        "DATABASE_URL": engines.database_url,
        "REDIS_URL": engines.redis_url,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "BASE_URL": plan.url,
        "DEBUG": "false",
        "INSECURE_HTTP": "true",
        "EMAIL_URL": "console:",
        "STATIC_ROOT": str(plan.folder / "static"),
    }


def _aws_settings(plan: Plan) -> dict[str, str]:
    """Nothing of the caller's AWS set-up but, for a callback API of theirs, credentials."""
    settings = {
        "AWS_ENDPOINT_URL_LAMBDA": plan.runner_url,
        "AWS_REGION": plan.region,
        "AWS_DEFAULT_REGION": plan.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    if plan.runner_port is not None or "AWS_ACCESS_KEY_ID" not in os.environ:
        settings |= {"AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo"}  # nosec B105
        settings["AWS_SESSION_TOKEN"] = ""
    return settings


def prepare(plan: Plan, out: Path) -> list[str]:
    words = ("--region", plan.region, "--out", str(out))
    return _module("portal.demo.prepare", *words)


def place_orders(runner_url: str, *words: str) -> list[str]:
    return _module("examples.place_orders", "--runner", runner_url, *words)


def start_samples(runner_url: str) -> list[str]:
    """One document and one agent's refund, beside the orders."""
    return _module("examples.start", "document-approval", "refund-agent", "--runner", runner_url)


def runner(plan: Plan, env: Mapping[str, str]) -> Program:
    store = plan.folder / "runner" / "executions.sqlite3"
    return _aws(
        "runner",
        env,
        _module(
            "examples.local_runner.runner",
            *("--port", str(plan.runner_port)),
            *("--lambda-endpoint", plan.invoke_url),
            *("--store-path", str(store)),
            *("--region", plan.region),
        ),
    )


def invoke(plan: Plan, env: Mapping[str, str], *, source: str, secret_file: Path) -> Program:
    return _aws(
        "invoke",
        env,
        _module(
            "examples.local_runner.invoke",
            *("--port", str(plan.invoke_port)),
            *("--runner", plan.runner_url),
            *("--portal", plan.url),
            *("--source", source),
            *("--secret-file", str(secret_file)),
            *("--region", plan.region),
        ),
    )


def web(plan: Plan, env: Mapping[str, str]) -> Program:
    return _app(
        "web",
        env,
        _module(
            "granian",
            *("--interface", "wsgi", "--host", ground.LOOPBACK, "--port", str(plan.port)),
            *("--workers", "1", "--blocking-threads", "8", "--workers-kill-timeout", "5"),
            "portal.wsgi:application",
        ),
    )


def worker(env: Mapping[str, str]) -> Program:
    words = ("worker", "-P", "prefork", "-c", "10", "-l", "INFO")
    return _app("worker", env, _celery(*words, "--without-gossip", "--without-mingle"))


def beat(plan: Plan, env: Mapping[str, str]) -> Program:
    schedule = plan.folder / "beat-schedule"
    return _app("beat", env, _celery("beat", "--pidfile=", "-s", str(schedule)))


def _celery(*words: str) -> list[str]:
    return _module("celery", "-A", "portal.celery", *words)


def _module(name: str, *words: str) -> list[str]:
    return [sys.executable, "-m", name, *words]


def _app(name: str, env: Mapping[str, str], argv: list[str]) -> Program:
    return Program(name=name, argv=argv, env=env, cwd=ROOT, layer=APPS, grace=APPS_GRACE)


def _aws(name: str, env: Mapping[str, str], argv: list[str]) -> Program:
    return Program(
        name=name,
        argv=argv,
        env=env,
        cwd=ROOT,
        layer=AWS,
        grace=AWS_GRACE,
        stop_signal=signal.SIGINT,
    )
