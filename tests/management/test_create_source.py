"""A source is made on the command line, and its secrets are told once."""

from __future__ import annotations

import base64

import pytest
from django.core.management import CommandError, call_command

from approvals.models import CallbackSource, SourceKey, SourceSecret
from approvals.models.source import digest

pytestmark = pytest.mark.django_db(transaction=True)

ARN = "arn:aws:lambda:eu-north-1:123456789012:function:orders"


def create(*words: str) -> None:
    call_command("create_source", "orders", "--region", "eu-north-1", *words)


def test_it_tells_secret_and_key_and_keeps_them_sealed_or_hashed(capsys):
    create("--function-arn", ARN, "--function-arn", f"{ARN}-2", "--external-id", "us")
    told = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    source = CallbackSource.objects.get(slug="orders")
    assert source.function_arns == [ARN, f"{ARN}-2"]
    assert not source.allow_local_runner
    raw = base64.b64decode(told["signing_secret"].removeprefix("whsec_"))
    assert SourceSecret.objects.get(source=source).reveal() == raw
    assert SourceKey.objects.get(source=source).sha256 == digest(told["api_key"])


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--function-arn", f"{ARN}:$LATEST"),
        ("--function-arn", "orders"),
        ("--function-arn", ARN, "--endpoint", "not an address"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused_and_nothing_is_written(words):
    with pytest.raises(CommandError):
        create(*words)
    assert not CallbackSource.objects.exists()


def test_a_source_without_functions_is_made_for_the_local_runner_only():
    with pytest.raises(CommandError, match=r"--function-arn.*--allow-local-runner"):
        create()
    create("--allow-local-runner")
    assert CallbackSource.objects.get().function_arns == []


def test_a_name_can_be_taken_once():
    create("--allow-local-runner")
    with pytest.raises(CommandError, match="slug"):
        create("--allow-local-runner")
    assert SourceSecret.objects.count() == 1
