"""The alert rules: well-formed, each told in words, and about figures that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from approvals import doorbell
from approvals.clock import database_now
from approvals.models import Circuit, Heartbeat, SweepMark, counting
from approvals.operations.metrics import page
from tests.counting import alone  # noqa: F401  the fixture of pytestmark
from tests.factories import make_request, make_source, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("alone")]

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operations"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
PAGE = (DOCS / "alerts.md").read_text(encoding="utf-8")
TOKEN = "a-token-of-the-scraper-alone"
_NAME = re.compile(r"\bcountersign_\w+")
_MATCHER = re.compile(r"(\w+)(?:=~|!=|=)\"([^\"]*)\"")
_DURATION = re.compile(r"[0-9]+(?:ms|s|m|h)")


@pytest.fixture
def families(client: Client, settings: Any) -> dict[str, Any]:
    """What /metrics exports where something of everything is there, by family."""
    settings.METRICS_TOKEN = TOKEN
    make_request(make_user(), heartbeat_timeout_seconds=30)
    Heartbeat.objects.update(next_beat_at=database_now())
    now = database_now()
    Circuit.objects.create(source=make_source("broken"), opened_at=now, probe_at=now)
    SweepMark.objects.finished(doorbell.SEND_NOTICES, found=0)
    counting.count_events()
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    return {
        family.name: family for family in text_string_to_metric_families(answer.content.decode())
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_has_all_that_prometheus_wants(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Countersign[A-Za-z]+", rule["alert"])
    assert rule["labels"]["severity"] in {"page", "warn"}
    assert rule["annotations"]["summary"]
    assert _DURATION.fullmatch(rule.get("for", "1m"))
    assert all(rule["expr"].count(a) == rule["expr"].count(b) for a, b in ("()", "[]", "{}"))


def test_each_alert_is_told_in_words_and_no_other():
    told = re.findall(r"^\| (Countersign\w+) \|", PAGE, re.MULTILINE)
    assert told == [rule["alert"] for rule in RULES]
    assert len(set(told)) == len(told)


def test_every_rule_asks_for_figures_and_labels_that_are_exported(families):
    samples = {sample.name for family in families.values() for sample in family.samples}
    labels = {
        (sample.name, label)
        for family in families.values()
        for sample in family.samples
        for label in sample.labels
    }
    for rule in RULES:
        names = _NAME.findall(rule["expr"])
        assert names or rule["expr"].startswith("up{"), rule
        for name in names:
            assert name in samples, rule
            for block in re.findall(rf"{name}{{([^}}]*)}}", rule["expr"]):
                for label, _ in _MATCHER.findall(block):
                    assert (name, label) in labels, rule


def test_a_rule_that_picks_values_of_a_label_picks_some_that_exist(families):
    values = {
        (sample.name, label, value)
        for family in families.values()
        for sample in family.samples
        for label, value in sample.labels.items()
    }
    for rule in RULES:
        for name, block in re.findall(r"(countersign_\w+){([^}]*)}", rule["expr"]):
            for label, pattern in _MATCHER.findall(block):
                for word in pattern.split("|"):
                    assert (name, label, word) in values, rule


def told(name: str, family: Any) -> str:
    """The name of FAMILY as a rule writes it, with its labels."""
    labels = {label for sample in family.samples for label in sample.labels} - {"le"}
    suffix = "_total" if family.type == "counter" else ""
    listed = ", ".join(sorted(labels))
    return name + suffix + (f"{{{listed}}}" if listed else "")


def test_every_part_of_the_page_can_be_read(families):
    failed = families["countersign_scrape_part_failed"].samples
    assert {sample.labels["part"]: sample.value for sample in failed if sample.value} == {}
    assert len(failed) == len(page.PARTS)


def test_the_page_lists_every_figure_with_what_it_counts(families):
    rows = re.findall(r"^\| `(countersign_[^`]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    exported = {told(name, family): family.documentation for name, family in families.items()}
    assert dict(rows) == exported
    assert len(rows) == len(exported)


def test_beat_falling_silent_is_an_alarm_within_two_minutes():
    # 30 s until its sign of life ends, `for`, and a scrape and an evaluation of 15 s each.
    silent = next(rule for rule in RULES if rule["alert"] == "CountersignBeatSilent")
    missed = next(rule for rule in RULES if rule["alert"] == "CountersignSweepMissed")
    assert silent["for"] == "1m"
    assert missed["for"] == "15s"
    assert "> 60 + 2 *" in missed["expr"]
