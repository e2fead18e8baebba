"""docker-compose.yml: well-formed, hardened, and about things that exist."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from portal.env import Environment
from tests.deploy.recipes import COMPOSE, OURS, ROOT, SERVICES, command_of

SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text(encoding="utf-8"))
#: Read by others than portal.env: Celery itself.
NOT_OURS = {"REMAP_SIGTERM"}


def test_it_is_valid_by_the_compose_specification() -> None:
    errors = Draft7Validator(SCHEMA).iter_errors(COMPOSE)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in errors] == []


def test_the_schema_would_see_a_misspelt_key() -> None:
    broken = json.loads(json.dumps(COMPOSE))
    broken["services"]["web"]["restrat"] = "always"
    assert list(Draft7Validator(SCHEMA).iter_errors(broken))


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one_the_portal_reads(name: str) -> None:
    known = {field.upper() for field in Environment.model_fields}
    said = {key.removesuffix("_FILE") for key in SERVICES[name].get("environment", {})}
    assert said - known - NOT_OURS == set()


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "beat", "sweeper", "seed"])
def test_every_required_setting_is_given(name: str) -> None:
    required = {
        key.upper() for key, field in Environment.model_fields.items() if field.is_required()
    }
    said = {key.removesuffix("_FILE") for key in SERVICES[name]["environment"]}
    assert required <= said


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_file(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"SECRET|KEY|PASSWORD|_URL", key) and key != "BASE_URL":
            assert str(value).startswith("/run/secrets/"), key


@pytest.mark.parametrize("name", SERVICES)
def test_every_secret_that_is_read_is_mounted(name: str) -> None:
    text = json.dumps(SERVICES[name])
    used = set(re.findall(r"/run/secrets/(\w+)", text))
    assert used == set(SERVICES[name].get("secrets", []))
    assert used <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_fenced_in(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "${COUNTERSIGN_USER:-10001:10001}"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "/tmp" in service["tmpfs"]
    assert "privileged" not in service


def test_data_and_broker_are_not_reached_from_outside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "valkey"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]
    assert SERVICES["web"]["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]


@pytest.mark.parametrize("name", [n for n, s in SERVICES.items() if s["restart"] != "no"])
def test_every_service_that_stays_says_how_it_is(name: str) -> None:
    image_has_one = "HEALTHCHECK" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "test" in SERVICES[name].get("healthcheck", {}) or (name == "web" and image_has_one)
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert "stop_grace_period" in SERVICES[name]


@pytest.mark.parametrize("name", ["web", "worker", "beat", "sweeper"])
def test_nothing_serves_before_the_tables_are_there(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"] == {
        "condition": "service_completed_successfully"
    }


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_a_program_that_exists(name: str) -> None:
    words = command_of(name)
    if words[0] != "python":
        assert importlib.util.find_spec(words[0]), words
    elif words[1] == "-m":
        assert importlib.util.find_spec(words[2]), words
    else:
        assert (ROOT / words[1]).is_file(), words


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_names_a_version(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert tag
    assert tag != "latest"


def test_the_demo_starts_only_when_it_is_asked_for() -> None:
    shy = {name for name, service in SERVICES.items() if service.get("profiles") == ["demo"]}
    assert shy == {"seed", "runner", "functions", "orders"}


def test_every_file_that_is_mounted_exists_or_is_made() -> None:
    made = (ROOT / "scripts" / "make_secrets.py").read_text(encoding="utf-8")
    for secret in COMPOSE["secrets"].values():
        assert f'kept / "{Path(secret["file"]).name}"' in made
    for volume in SERVICES["postgres"]["volumes"]:
        if volume.startswith("./"):
            assert (ROOT / volume.split(":")[0]).is_file()
