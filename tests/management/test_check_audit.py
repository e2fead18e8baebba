"""Histories that were changed past the portal are found, and named."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from approvals import lifecycle
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def request_with_history():
    anna = make_user("anna")
    request = make_request(anna)
    make_request(anna)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    return request


def as_superuser(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def test_whole_histories_hold(request_with_history, capsys):
    call_command("check_audit")
    assert capsys.readouterr().out == "2 histories hold.\n"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("UPDATE approvals_auditevent SET facts = 'null' WHERE seq = 2", 2),
        ("UPDATE approvals_auditevent SET actor_name = 'bert' WHERE seq = 2", 2),
        ("UPDATE approvals_auditevent SET at = at - interval '1 s' WHERE seq = 2", 2),
        ("DELETE FROM approvals_auditevent WHERE seq = 1 AND request_id = {pk}", 1),
        ("DELETE FROM approvals_auditevent WHERE request_id = {pk}", 1),
    ],
)
def test_a_changed_history_is_named_with_its_line(request_with_history, capsys, change, line):
    as_superuser(change.format(pk=request_with_history.pk))
    with pytest.raises(CommandError, match="1 of 2 histories"):
        call_command("check_audit")
    told = capsys.readouterr().err
    assert f"{request_with_history.public_id}: line {line}" in told


def test_another_key_breaks_every_history(request_with_history, settings):
    settings.AUDIT_KEY = b"z" * 32
    with pytest.raises(CommandError, match="2 of 2 histories"):
        call_command("check_audit")
