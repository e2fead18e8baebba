"""The command: what it prints, how it ends, and what it leaves alone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from approvals import lifecycle
from approvals.clock import database_now
from approvals.ledger import CHECKS, Scope, check_all, count, seal_due, snapshot
from approvals.management.commands import check_ledger
from approvals.models import ApprovalRequest
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def approved() -> ApprovalRequest:
    """One of two requests; the other still waits."""
    rita = make_user("rita")
    request = make_request(rita)
    make_request(rita)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=rita, channel=Channel.API)
    return request


def as_superuser(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def lose_the_answer(request: ApprovalRequest) -> None:
    as_superuser(f"DELETE FROM approvals_callbackdelivery WHERE request_id = {request.pk}")


def test_an_empty_house_holds(capsys):
    call_command("check_ledger")
    assert "accepted 0 = " in capsys.readouterr().out


def test_the_sums_of_a_whole_house_come_out(approved, capsys):
    seal_due(now=database_now())
    call_command("check_ledger")
    assert capsys.readouterr().out.splitlines()[:2] == [
        "accepted 2 = pending 1 + approved 1 + rejected 0 + expired 0 + withdrawn 0",
        "answers owed 1 = delivered 0 + in delivery 1 + dead 0 (undeliverable 0, unconfirmed 0)",
    ]


def test_what_does_not_hold_is_named_and_the_command_ends_with_1(approved, capsys):
    lose_the_answer(approved)
    with pytest.raises(CommandError, match="violations: 2") as caught:
        call_command("check_ledger")
    assert caught.value.returncode == 1
    told = capsys.readouterr().err
    assert f"{approved.public_id}: it is approved, and the answer it owes is gone." in told
    assert "all: 1 answers are owed, 0 are there." in told


def test_a_program_reads_the_same_as_json(approved, capsys):
    call_command("check_ledger", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert told["sums"]["requests"]["pending"] == 1

    lose_the_answer(approved)
    with pytest.raises(CommandError):
        call_command("check_ledger", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["count"]) == (False, 2)
    assert told["violations"][1]["where"] == str(approved.public_id)


def test_a_thousand_faults_are_counted_and_some_of_each_are_listed(approved, capsys, monkeypatch):
    monkeypatch.setattr(check_ledger, "LISTED", 1)
    as_superuser("UPDATE approvals_approvalrequest SET payload_text = '{}'")
    with pytest.raises(CommandError, match="violations: 2"):
        call_command("check_ledger")
    assert "… and 1 more; 1 of each check at most." in capsys.readouterr().err


def test_since_looks_only_at_what_moved_after_the_checkpoint_before_that_moment(approved):
    soon = database_now() + timedelta(minutes=1)
    seal_due(now=soon)
    lose_the_answer(approved)
    later = (soon + timedelta(minutes=1)).isoformat()
    moved = make_request(make_user())
    with pytest.raises(CommandError, match="violations: 1"):  # the sums, which are of all
        call_command("check_ledger", "--since", later)

    as_superuser(f"DELETE FROM approvals_assignment WHERE request_id = {moved.pk}")
    with pytest.raises(CommandError, match="violations: 2"):
        call_command("check_ledger", "--since", later)
    earlier = (soon - timedelta(minutes=2)).isoformat()
    with pytest.raises(CommandError, match="violations: 3"):
        call_command("check_ledger", "--since", earlier)


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-21T04:00:00"])
def test_a_moment_that_could_mean_another_is_refused(moment):
    with pytest.raises(CommandError, match="with its offset"):
        call_command("check_ledger", f"--since={moment}")


def test_every_check_can_be_asked_of_what_moved_lately():
    with snapshot():
        assert list(check_all(Scope(after=0))) == []


def test_nothing_can_be_written_while_the_ledger_is_read(approved):
    with pytest.raises(DatabaseError, match="read-only"), snapshot():
        approved.save(update_fields=["claimed_until"])


def test_what_happens_meanwhile_is_not_half_seen(approved):
    with snapshot():
        before = count()
        others = connection.copy()
        with others.cursor() as cursor:
            cursor.execute("DELETE FROM approvals_heartbeat")
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM approvals_callbackdelivery")
        others.close()
        assert count() == before
        assert list(check_all(Scope())) == []
    with pytest.raises(CommandError):
        call_command("check_ledger")


def test_the_number_of_checks_is_told(capsys):
    call_command("check_ledger")
    assert f"{len(CHECKS) + 1} checks" in capsys.readouterr().out
