"""A source is given more functions to speak for."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_source

pytestmark = pytest.mark.django_db(transaction=True)

ARN = "arn:aws:lambda:eu-north-1:123456789012:function:orders"


def test_functions_are_added_to_those_a_source_has_and_told(capsys):
    source = make_source("orders", function_arns=[ARN])
    call_command("add_functions", "orders", f"{ARN}-2", ARN)
    source.refresh_from_db()
    assert source.function_arns == [ARN, f"{ARN}-2"]
    assert capsys.readouterr().out.split() == ["orders", "speaks", "for:", ARN, f"{ARN}-2"]


@pytest.mark.parametrize(
    ("slug", "arn", "words"),
    [("nobody", ARN, "no source nobody"), ("orders", f"{ARN}:7", "without a version")],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(slug, arn, words):
    source = make_source("orders", function_arns=[ARN])
    with pytest.raises(CommandError, match=words):
        call_command("add_functions", slug, arn)
    source.refresh_from_db()
    assert source.function_arns == [ARN]
