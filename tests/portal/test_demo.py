"""What the demo decides before it starts anything, and what it tells afterwards."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from portal.demo import card, programs, steps
from portal.demo.__main__ import main
from portal.demo.keys import kept_keys
from portal.demo.plan import ROOT, DemoError, Plan, plan_from
from portal.embedded import Engines, ground

SEEDED: card.Seeded = {
    "source": {"slug": "shop", "signing_secret": "whsec_a", "api_key": "csk_b"},
    "people": [
        {
            "username": "dana",
            "password": "a long one",
            "token": "cst_c",
            "role": "reviewer",
            "groups": ["finance"],
        }
    ],
}


def plan(tmp_path: Path, **settings: str) -> Plan:
    port = str(ground.free_port())
    return plan_from({"DATA_DIR": str(tmp_path), "PORT": port, **settings})


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    return Engines(tmp_path, database_url="postgresql://here/db", redis_url="redis://here/0")


def test_a_taken_port_stops_the_demo_with_a_way_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((ground.LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        monkeypatch.setenv("DATA_DIR", str(tmp_path))

        assert main() == 1
    assert f"Port {port} is taken" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "8000.5"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="is not a port"):
        plan_from({"PORT": port, "DATA_DIR": str(tmp_path)})


def test_a_callback_api_of_theirs_is_used_instead_of_a_runner(tmp_path: Path) -> None:
    theirs = plan(tmp_path, AWS_ENDPOINT_URL_LAMBDA="http://127.0.0.1:9999")
    ours = plan(tmp_path)

    assert (theirs.runner_port, theirs.runner_url) == (None, "http://127.0.0.1:9999")
    assert ours.runner_url == f"http://127.0.0.1:{ours.runner_port}"


def test_keys_outlive_a_restart_and_stay_private(tmp_path: Path) -> None:
    keys = kept_keys(tmp_path)

    assert kept_keys(tmp_path) == keys
    assert set(keys) == {"SECRET_KEY", "FIELD_KEYS", "AUDIT_KEY"}
    assert stat.S_IMODE((tmp_path / "demo.env").stat().st_mode) == 0o600


def _environment(
    plan: Plan, engines: Engines, monkeypatch: pytest.MonkeyPatch, **theirs: str
) -> Mapping[str, str]:
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    return programs.environment(plan, engines, {"SECRET_KEY": "ours"})


def test_settings_of_another_project_do_not_leak_in(
    tmp_path: Path, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = _environment(
        *(plan(tmp_path), engines, monkeypatch),
        SECRET_KEY="theirs",
        SECRET_KEY_FILE="/theirs",
        DEBUG="true",
        DJANGO_SETTINGS_MODULE="theirs.settings",
        AWS_PROFILE="production",
        AWS_ACCESS_KEY_ID="AKIAREAL",
        AWS_SESSION_TOKEN="real",
    )

    assert (env["SECRET_KEY"], env["DEBUG"]) == ("ours", "false")
    assert env["DJANGO_SETTINGS_MODULE"] == "portal.settings"
    assert env["AWS_ACCESS_KEY_ID"] == "demo"
    assert not {"SECRET_KEY_FILE", "AWS_PROFILE"} & set(env)
    assert env["AWS_SESSION_TOKEN"] == ""


def test_credentials_for_their_callback_api_are_theirs(
    tmp_path: Path, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = plan(tmp_path, AWS_ENDPOINT_URL_LAMBDA="http://127.0.0.1:9999")
    env = _environment(theirs, engines, monkeypatch, AWS_ACCESS_KEY_ID="AKIATHEIRS")

    assert env["AWS_ACCESS_KEY_ID"] == "AKIATHEIRS"


def test_a_proxy_is_never_asked_for_this_machine(
    tmp_path: Path, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = _environment(plan(tmp_path), engines, monkeypatch, NO_PROXY="intranet")

    assert env["NO_PROXY"] == "intranet,localhost,127.0.0.1"


def test_programs_end_within_fifteen_seconds_in_all(tmp_path: Path) -> None:
    here, env = plan(tmp_path), {"PATH": os.environ["PATH"]}
    layers = [programs.web(here, env).grace, programs.runner(here, env).grace, ground.GRACE]
    apps = {programs.web(here, env).layer, programs.worker(env).layer}

    assert sum(span.total_seconds() for span in layers) <= 15
    assert min(apps) > programs.runner(here, env).layer > 0


def test_the_card_says_how_to_reach_everything(tmp_path: Path, engines: Engines) -> None:
    here = plan(tmp_path)
    pids = {"postgres": 1, "web": 2, "worker": 3, "beat": 4, "runner": 5}
    card.write_card(here, engines, SEEDED, pids)

    told = json.loads(here.card.read_text(encoding="utf-8"))
    assert told == {
        "url": here.url,
        "runner_url": here.runner_url,
        "invoke_url": here.invoke_url,
        "region": "us-east-1",
        "database_url": "postgresql://here/db",
        "redis_url": "redis://here/0",
        **SEEDED,
        "pids": {"web": 2, "worker": 3, "beat": 4, "runner": 5},
    }
    assert stat.S_IMODE(here.card.stat().st_mode) == 0o600


def test_the_banner_tells_address_logins_and_the_way_out(tmp_path: Path) -> None:
    here = plan(tmp_path)
    shown = card.banner(here, SEEDED, orders="Sample orders wait.")

    for words in (here.url, "dana", "a long one", "reviewer (finance)", "Ctrl-C", "Sample orders"):
        assert words in shown


def test_a_step_that_fails_says_its_last_line_and_its_log(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; print('first'); sys.exit('no such table')"]

    with pytest.raises(DemoError, match="The step seed failed: no such table") as caught:
        steps.run_step("seed", argv, {"PYTHONUNBUFFERED": "1"}, tmp_path)
    assert str(tmp_path / "seed.log") in str(caught.value)


PROJECT = ("static/style.css", "requirements/demo.txt", "approvals/migrations/0001_first.py")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project whose preparation only writes what the real one leaves behind."""
    root = tmp_path / "project"
    for name in PROJECT:
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("first", encoding="ascii")

    def run_step(*_: object) -> None:
        (tmp_path / "static").mkdir(exist_ok=True)
        (tmp_path / "seeded.json").write_text(json.dumps(SEEDED), encoding="ascii")

    monkeypatch.setattr(steps, "ROOT", root)
    monkeypatch.setattr(steps, "run_step", run_step)
    return root


def test_what_was_prepared_stays_prepared(tmp_path: Path, project: Path) -> None:
    here = plan(tmp_path)
    assert steps.prepared(here) is None

    assert steps.prepare(here, {}, tmp_path) == SEEDED
    assert steps.prepared(here) == SEEDED


@pytest.mark.parametrize("changed", PROJECT)
def test_new_code_is_prepared_anew(changed: str, tmp_path: Path, project: Path) -> None:
    here = plan(tmp_path)
    steps.prepare(here, {}, tmp_path)
    (project / changed).write_text("second", encoding="ascii")

    assert steps.prepared(here) is None


def test_a_new_cluster_is_prepared_anew(tmp_path: Path, project: Path) -> None:
    steps.prepare(plan(tmp_path), {}, tmp_path)
    version = tmp_path / "postgres" / "cluster" / "PG_VERSION"
    version.parent.mkdir(parents=True)
    version.touch()

    assert steps.prepared(plan(tmp_path)) is None


def test_another_region_is_prepared_anew(tmp_path: Path, project: Path) -> None:
    steps.prepare(plan(tmp_path), {}, tmp_path)

    assert steps.prepared(plan(tmp_path, AWS_REGION="eu-north-1")) is None


def test_another_database_is_prepared_anew(tmp_path: Path, project: Path) -> None:
    steps.prepare(plan(tmp_path), {}, tmp_path)

    assert steps.prepared(plan(tmp_path, DATABASE_URL="postgresql://theirs/db")) is None


def test_an_order_without_a_demo_says_how_to_start_one(tmp_path: Path) -> None:
    placed = subprocess.run(
        [sys.executable, "-m", "portal.demo.order"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert placed.returncode == 1
    assert "make demo" in placed.stderr
