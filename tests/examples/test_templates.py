"""The SAM templates are sound, and give nobody more than they need."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from django.core.management import call_command

from approvals.models import CallbackSource
from approvals.states import TERMINAL_STATUSES
from examples.local_runner.invoke import FUNCTIONS
from tests.examples.local import ROOT

TEMPLATES = sorted((ROOT / "examples").glob("*/template.yaml"))
EVENTS = ROOT / "examples" / "events.yaml"
OWN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${FunctionName}:*"
per_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.parent.name)


class _Loader(yaml.SafeLoader):
    """Reads `!Sub text` as {"Sub": "text"}, and so on."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    assert isinstance(node, yaml.ScalarNode)
    return {suffix: loader.construct_scalar(node)}


_Loader.add_multi_constructor("!", _intrinsic)


def read(template: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), _Loader)
    return content


def statements(template: Path, role: str) -> dict[str, dict[str, Any]]:
    """What ROLE may do, by the names of the statements."""
    properties = read(template)["Resources"][role]["Properties"]
    assert set(properties) == {"AssumeRolePolicyDocument", "Policies"}  # nothing managed
    return {
        statement["Sid"]: statement
        for policy in properties["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    }


def test_every_sample_has_a_template() -> None:
    modules = {module.split(".")[1] for module in FUNCTIONS.values()}

    assert {template.parent.name for template in TEMPLATES} == modules


def test_cfn_lint_finds_nothing() -> None:
    cfn_lint = Path(sys.executable).with_name("cfn-lint")  # beside this Python, or not at all
    command: list[Path | str] = [cfn_lint, "--include-checks", "I", "--", *TEMPLATES, EVENTS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bus_hands_on_ends_of_one_function_to_the_door_for_events() -> None:
    resources = read(EVENTS)["Resources"]
    rule, door = resources["Ended"]["Properties"], resources["Portal"]["Properties"]
    pattern = rule["EventPattern"]

    assert door["InvocationEndpoint"] == {
        "Sub": "${CountersignUrl}/api/v1/sources/${CountersignSource}/events"
    }
    assert (pattern["source"], pattern["detail-type"]) == (
        ["aws.lambda"],
        ["Durable Execution Status Change"],
    )
    assert set(pattern["detail"]["status"]) == {str(word) for word in TERMINAL_STATUSES}
    assert pattern["detail"]["durableExecutionArn"] == [{"prefix": {"Sub": OWN.removesuffix("*")}}]
    may = statements(EVENTS, "BusRole")
    assert {name: (may[name]["Action"], may[name]["Resource"]) for name in may} == {
        "HandOn": ("events:InvokeApiDestination", {"GetAtt": "Portal.Arn"})
    }


@per_template
def test_the_function_may_checkpoint_itself_log_and_read_its_secret(template: Path) -> None:
    may = statements(template, "FunctionRole")

    assert {name: (may[name]["Action"], may[name]["Resource"]) for name in may} == {
        "OwnExecutions": (
            ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"],
            {"Sub": OWN},
        ),
        "OwnLogs": (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            {"GetAtt": "FunctionLogs.Arn"},
        ),
        "OwnSigningSecret": ("secretsmanager:GetSecretValue", {"Ref": "SigningSecret"}),
    }


@per_template
def test_the_portal_may_answer_this_functions_callbacks_and_look(template: Path) -> None:
    may = statements(template, "PortalRole")

    assert {name: (may[name]["Action"], may[name]["Resource"]) for name in may} == {
        "AnswerThisFunction": (
            [
                "lambda:SendDurableExecutionCallbackSuccess",
                "lambda:SendDurableExecutionCallbackFailure",
                "lambda:SendDurableExecutionCallbackHeartbeat",
                "lambda:GetDurableExecution",
                "lambda:GetDurableExecutionHistory",
            ],
            {"Sub": OWN},
        )
    }


@per_template
def test_only_the_portal_with_its_external_id_borrows_its_role(template: Path) -> None:
    role = read(template)["Resources"]["PortalRole"]["Properties"]

    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": {"Ref": "PortalPrincipalArn"}},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "PortalExternalId"}}},
        }
    ]


@per_template
def test_the_function_runs_as_that_role_and_no_secret_stands_in_its_settings(
    template: Path,
) -> None:
    function = read(template)["Resources"]["Function"]["Properties"]

    assert function["Role"] == {"GetAtt": "FunctionRole.Arn"}
    assert "Policies" not in function
    assert function["Environment"]["Variables"]["COUNTERSIGN_SECRET_ARN"] == {
        "Ref": "SigningSecret"
    }
    assert "COUNTERSIGN_SECRET" not in function["Environment"]["Variables"]


@pytest.mark.django_db(transaction=True)
@per_template
def test_the_command_it_shows_makes_the_source(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arns = [
        "arn:aws:lambda:eu-north-1:123456789012:function:shop",
        "arn:aws:iam::123456789012:role/shop-PortalRole-1A2B3C",
    ]
    shown = read(template)["Outputs"]["CreateSource"]["Value"]["Sub"]
    for name, value in {
        "${CountersignSource}": "shop",
        "${AWS::Region}": "eu-north-1",
        "${Function.Arn}": arns[0],
        "${PortalRole.Arn}": arns[1],
        "${PortalExternalId}": "an-external-id-of-ours",
    }.items():
        shown = shown.replace(name, value)
    python, script, command, *words = shown.split()
    assert (python, script) == ("python", "manage.py")

    call_command(command, *words)

    source = CallbackSource.objects.get(slug="shop")
    assert (source.function_arns, source.role_arn) == ([arns[0]], arns[1])
    assert (source.region, source.external_id) == ("eu-north-1", "an-external-id-of-ours")
    assert "signing_secret=whsec_" in capsys.readouterr().out


class _Secrets:
    """Secrets Manager with one secret, counting who reads it."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def get_secret_value(self, **asked: str) -> dict[str, str]:
        self.read.append(asked["SecretId"])
        return {"SecretString": f"whsec_{len(self.read)}\n"}


def test_the_entry_reads_the_secret_now_and_then_and_lets_the_function_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, object]] = []
    function = ModuleType("function")
    vars(function)["handler"] = lambda event, _context: seen.append(
        (os.environ["COUNTERSIGN_SECRET"], event)
    )
    monkeypatch.setitem(sys.modules, "function", function)
    monkeypatch.setenv("COUNTERSIGN_SECRET", "")
    monkeypatch.setenv("COUNTERSIGN_SECRET_ARN", "arn:the-secret")
    entry = importlib.import_module("examples.lambda_layer.entry")

    secrets, now = _Secrets(), [1000.0]
    monkeypatch.setattr(entry.boto3, "client", lambda _name: secrets)
    monkeypatch.setattr(entry.time, "monotonic", lambda: now[0])
    for _ in range(2):
        entry.handler({"n": 1}, None)
    now[0] += entry.KEPT_SECONDS
    entry.handler({"n": 2}, None)

    assert seen == [("whsec_1", {"n": 1}), ("whsec_1", {"n": 1}), ("whsec_2", {"n": 2})]
    assert secrets.read == ["arn:the-secret"] * 2
