"""The same steps on the real desk and a real PostgreSQL, each answered in the model's words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from approvals import lifecycle
from approvals.clock import database_now
from approvals.errors import Refusal
from approvals.lifecycle import Asked as Named
from approvals.lifecycle import NewRequest
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackDelivery,
    Decision,
    Heartbeat,
    HeldAnswer,
    User,
)
from approvals.states import AuditTag, Channel, OnTimeout, Verdict, Withdrawal
from tests.factories import make_kind, make_source, make_team, make_user, new_request
from tests.ladders.request_model import WINDOW_SECONDS, Asking, World

WINDOW = timedelta(seconds=WINDOW_SECONDS)
PEOPLE = ("anna", "bert", "cora", "dora")
CLOSING = (
    AuditTag.APPROVED, AuditTag.REJECTED, AuditTag.FORCED, AuditTag.EXPIRED, AuditTag.WITHDRAWN,
)  # fmt: skip
_CLOCKS = (
    "due_at", "escalate_at", "answer_by", "callback_expires_at", "clock_at", "held_until",
)  # fmt: skip


@dataclass
class Desk:
    """One source and its people; `apply` does a step and says what it came to."""

    people: dict[str, User] = field(default_factory=dict)
    keys: list[int] = field(default_factory=list)
    sent: list[NewRequest] = field(default_factory=list)
    bodies: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_kind(undo_seconds=30)
        self.source = make_source()
        self.people = {name: _person(name) for name in (*PEOPLE, "olga")}
        User.objects.update(is_active=True)
        for team, members in World().teams.items():
            make_team(team).user_set.set([self.people[name] for name in members])

    def apply(self, step: str, *facts: Any) -> str:
        try:
            return str(getattr(self, step)(*facts))
        except Refusal as refusal:
            return type(refusal).__name__

    def receive(self, asking: Asking, rule: str, subject: str) -> str:
        new = new_request(
            users=asking.users,
            groups=asking.groups,
            required_approvals=asking.required,
            requirements=[{"group": team, "approvals": 1} for team in asking.of_groups],
            subject=subject,
            on_timeout=OnTimeout(rule),
            due_in_seconds=150,
            escalate_in_seconds=350,
            timeout_seconds=1160,
            heartbeat_timeout_seconds=300,
        )
        received = lifecycle.receive(self.source, new, sent_at=None)
        self.sent.append(new)
        self.keys.append(received.request.pk)
        return "received" if received.created else "known"

    def receive_again(self, number: int, title: str) -> str:
        new = self.sent[number]
        if title:
            new = new_request(callback_id=new.callback_id, title=title, users=new.users)
        received = lifecycle.receive(self.source, new, sent_at=None)
        assert received.request.pk == self.keys[number]
        return "created" if received.created else "known"

    def decide(self, number: int, person: str, verdict: str) -> str:
        done = lifecycle.decide(
            self.keys[number],
            verdict=Verdict(verdict),
            reviewer=self.people[person],
            channel=Channel.API,
            comment="Because.",
        )
        return "decided" if done.delivery else "voted"

    def hold(self, number: int, person: str, verdict: str) -> str:
        done = lifecycle.decide(
            self.keys[number],
            verdict=Verdict(verdict),
            reviewer=self.people[person],
            channel=Channel.BROWSER,
            comment="Because.",
            held=True,
        )
        self._give_time(done.decision)
        return "held" if done.held else "decided" if done.delivery else "voted"

    def _give_time(self, decision: Decision) -> None:
        """The window is just less than a step of time, however slow this machine is."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")  # past the trigger
            # The request first, as the desk locks it first.
            cursor.execute(
                "UPDATE approvals_approvalrequest r SET held_until = d.decided_at + %s "
                "  FROM approvals_heldanswer h JOIN approvals_decision d ON d.id = h.decision_id "
                " WHERE r.id = h.request_id AND r.held_until IS NOT NULL AND d.id = %s",
                [WINDOW, decision.pk],
            )
            cursor.execute(
                "UPDATE approvals_decision SET undo_until = decided_at + %s WHERE id = %s",
                [WINDOW, decision.pk],
            )

    def undo(self, number: int, person: str) -> str:
        lifecycle.undo(self.keys[number], reviewer=self.people[person])
        return "undone"

    def conclude(self, number: int) -> str:
        done = lifecycle.conclude(self.keys[number], now=database_now())
        return "concluded" if done else "nothing"

    def claim(self, number: int, person: str) -> str:
        lifecycle.claim(self.keys[number], reviewer=self.people[person])
        return "claimed"

    def release(self, number: int, person: str) -> str:
        lifecycle.release(self.keys[number], reviewer=self.people[person])
        return "released"

    def withdraw(self, number: int) -> str:
        done = lifecycle.withdraw(self.keys[number], why=Withdrawal.SOURCE, reason="Over.")
        return "withdrawn" if done else "nothing"

    def closed_at_aws(self, number: int) -> str:
        why = Withdrawal.CLOSED_AT_AWS
        done = lifecycle.withdraw(self.keys[number], why=why, reason="AWS waits no more.")
        return "withdrawn" if done else "nothing"

    def take_back(self, number: int) -> str:
        lifecycle.take_back(self.keys[number], operator=self.people["olga"], reason="Twice.")
        return "withdrawn"

    def force(self, number: int, verdict: str) -> str:
        lifecycle.force(
            self.keys[number],
            verdict=Verdict(verdict),
            operator=self.people["olga"],
            reason="Nobody is in.",
            channel=Channel.BROWSER,
        )
        return "forced"

    def ask_as_well(self, number: int, person: str) -> str:
        lifecycle.reassign(
            self.keys[number],
            to=Named(username=person),
            instead_of=None,
            operator=self.people["olga"],
            reason="The others are away.",
        )
        return "asked"

    def strike(self, number: int) -> str:
        done = lifecycle.strike(self.keys[number], now=database_now())
        return "struck" if done else "nothing"

    def wait(self, number: int, seconds: int) -> str:
        """SECONDS pass for one request: its clocks are set back, as nobody can wait here."""
        ago = timedelta(seconds=seconds)
        pending = ApprovalRequest.objects.pending().filter(pk=self.keys[number])
        pending.update(**{name: F(name) - ago for name in _CLOCKS})
        with transaction.atomic(), connection.cursor() as cursor:  # past the trigger
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                "UPDATE approvals_decision SET undo_until = undo_until - %s WHERE request_id = %s",
                [ago, self.keys[number]],
            )
        return "later"

    def leave(self, person: str) -> str:
        User.objects.filter(username=person).update(is_active=False)
        return "left"

    def come_back(self, person: str) -> str:
        User.objects.filter(username=person).update(is_active=True)
        return "back"

    def join(self, person: str, team: str) -> str:
        make_team(team).user_set.add(self.people[person])
        return "joined"

    def quit(self, person: str, team: str) -> str:
        make_team(team).user_set.remove(self.people[person])
        return "quit"

    def state(self, number: int) -> str:
        return ApprovalRequest.objects.values_list("state", flat=True).get(pk=self.keys[number])

    def check(self, world: World) -> None:
        """What must be true of every row after every step, whatever the step was."""
        rows = list(ApprovalRequest.objects.filter(pk__in=self.keys).order_by("pk"))
        assert [row.state for row in rows] == [asked.state for asked in world.requests]
        self._check_closed_once(rows)
        self._check_owed(rows, world)
        self._check_votes(rows, world)
        self._check_history(rows, world)

    def _check_closed_once(self, rows: list[ApprovalRequest]) -> None:
        closed = {row.pk for row in rows if row.closed_at}
        assert closed == {row.pk for row in rows if not row.is_pending}
        lines = AuditEvent.objects.filter(request__in=rows, tag__in=CLOSING)
        assert Counter(lines.values_list("request", flat=True)) == dict.fromkeys(closed, 1)
        still_asked = set(
            ApprovalRequest.objects.filter(pk__in=closed, assignments__open=True).values_list("pk")
        )
        assert not still_asked

    def _check_owed(self, rows: list[ApprovalRequest], world: World) -> None:
        owed = {
            delivery.request_id: delivery
            for delivery in CallbackDelivery.objects.filter(request__in=rows)
        }
        wanted = {row.pk: asked.owed for row, asked in zip(rows, world.requests, strict=True)}
        assert owed.keys() == {pk for pk, word in wanted.items() if word}
        for pk, delivery in owed.items():
            word = f'"outcome":"{wanted[pk]}"'
            assert word in delivery.body.decode().replace("\\", "")
            assert delivery.body == self.bodies.setdefault(pk, delivery.body)
        beating = set(Heartbeat.objects.filter(request__in=rows).values_list("pk", flat=True))
        assert beating == {row.pk for row in rows if row.is_pending or row.pk in owed}

    def _check_votes(self, rows: list[ApprovalRequest], world: World) -> None:
        self._check_holds(rows, world)
        people = Decision.objects.standing().filter(request__in=rows, cause="person")
        given = [(d.request_id, d.reviewer_id, d.verdict) for d in people]
        assert len(set(given)) == len(given)
        for row, asked in zip(rows, world.requests, strict=True):
            verdicts = [verdict for pk, _, verdict in given if pk == row.pk]
            assert verdicts.count("approved") == len(asked.votes)
            assert verdicts.count("rejected") == asked.rejections

    def _check_holds(self, rows: list[ApprovalRequest], world: World) -> None:
        frozen = set(HeldAnswer.objects.filter(request__in=rows).values_list("pk", flat=True))
        held = {row.pk for row, asked in zip(rows, world.requests, strict=True) if asked.held}
        assert frozen == held == {row.pk for row in rows if row.held_until}
        retracted = Decision.objects.exclude(retracted_at=None).filter(request__in=rows)
        undone = Counter(retracted.values_list("request", flat=True))
        assert undone == Counter(
            {row.pk: asked.undone for row, asked in zip(rows, world.requests, strict=True)}
        )

    def _check_history(self, rows: list[ApprovalRequest], world: World) -> None:
        for row, asked in zip(rows, world.requests, strict=True):
            lines = list(row.history.order_by("seq"))
            assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
            assert AuditEvent.objects.broken_at(row) is None
            tags = Counter(line.tag for line in lines)
            for tag in ("request.due", "request.escalated"):
                assert tags[tag] == (tag.removeprefix("request.") in asked.struck)
            times = [line.at for line in lines]
            assert times == sorted(times)


def _person(name: str) -> User:
    role = "operator" if name == "olga" else "reviewer"
    return User.objects.filter(username=name).first() or make_user(name, role=role)
