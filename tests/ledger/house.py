"""A whole house: requests in every state, each brought there through the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction

from approvals import lifecycle
from approvals.callbacks import outbox
from approvals.callbacks.gateway import Answer
from approvals.clock import database_now
from approvals.keeping import sources as keeping
from approvals.lifecycle import desk
from approvals.lifecycle.checks import ask_who_closed
from approvals.models import ApprovalRequest, CallbackSource, Heartbeat, User
from approvals.states import Channel, OnReject, OnTimeout, Reply, Verdict, Withdrawal
from tests.factories import make_kind, make_request, make_source, make_team, make_user

UNKNOWN = Answer(Reply.UNAVAILABLE, "ReadTimeoutError: …", applied_unknown=True)
CLOSED = Answer(Reply.CLOSED, "AWS no longer waits.")
ACCEPTED = Answer(Reply.ACCEPTED, "AWS took it.")
REFUSED = Answer(Reply.REFUSED, "AccessDeniedException: …")
UNAVAILABLE = Answer(Reply.UNAVAILABLE, "TooManyRequestsException: …")


@dataclass(slots=True)
class House:
    """People and a source; `requests` holds each request by what became of it."""

    rita: User
    rolf: User
    olga: User
    source: CallbackSource
    requests: dict[str, ApprovalRequest] = field(default_factory=dict)

    def open(self, name: str, **fields: Any) -> ApprovalRequest:
        fields = {"timeout_seconds": 3600, "heartbeat_timeout_seconds": 600, **fields}
        request = make_request(self.rita, self.rolf, source=self.source, **fields)
        self.requests[name] = request
        return request


def build() -> House:
    """Every rung of every ladder, by every cause, and a change of a source."""
    house = House(
        make_user("rita", groups=["finance"]),
        make_user("rolf"),
        make_user("olga", role="operator"),
        make_source("orders"),
    )
    mara = make_user("mara", role="admin")
    keeping.disable_source("orders", admin=mara)
    keeping.enable_source("orders", admin=mara)
    for settled in (_delivered, _dead, _closed_without_answer, _held, _on_the_way, _open):
        settled(house)
    return house


def _decide(
    house: House,
    request: ApprovalRequest,
    verdict: Verdict = Verdict.APPROVED,
    by: Any = None,
    *,
    held: bool = False,
    edits: Any = None,
) -> None:
    lifecycle.decide(
        request.pk,
        verdict=verdict,
        reviewer=by or house.rita,
        channel=Channel.BROWSER,
        comment="Looked at.",
        values={"size": 3} if request.response_schema and verdict is Verdict.APPROVED else None,
        held=held,
        edits=edits,
    )


def _send(*answers: Answer) -> None:
    """What is due now is tried once for each of ANSWERS, an hour of patience between."""
    now = database_now()
    for number, answer in enumerate(answers):
        claimed = outbox.claim_next(now=now + timedelta(minutes=6 * number))
        assert claimed is not None
        outbox.settle(claimed, answer, now=now + timedelta(minutes=6 * number))


def _expire(request: ApprovalRequest) -> None:
    assert request.answer_by is not None
    assert lifecycle.strike(request.pk, now=request.answer_by)


def _delivered(house: House) -> None:
    form = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
    endings: dict[str, tuple[dict[str, Any], Callable[[ApprovalRequest], None]]] = {
        "approved": ({"response_schema": form}, lambda r: _decide(house, r)),
        "edited": ({"editable": ["/total"]}, lambda r: _decide(house, r, edits={"/total": 11})),
        "approved verbatim": ({"approve_with": "yes"}, lambda r: _decide(house, r)),
        "rejected": ({}, lambda r: _decide(house, r, Verdict.REJECTED)),
        "rejected as success": (
            {"on_reject": OnReject.SUCCESS, "reject_with": "no"},
            lambda r: _decide(house, r, Verdict.REJECTED),
        ),
        "forced": ({}, lambda r: _force(house, r)),
        "expired": ({}, _expire),
        "expired as rejected": ({"on_timeout": OnTimeout.REJECT}, _expire),
        "expired as approved": ({"on_timeout": OnTimeout.APPROVE}, _expire),
        "taken back": ({}, lambda r: _withdraw(r, Withdrawal.SOURCE)),
        "by two": ({"required_approvals": 2}, lambda r: _by_two(house, r)),
    }
    for name, (fields, end) in endings.items():
        end(house.open(name, **fields))
        _send_expired(name) if "expired" in name else _send(ACCEPTED)
    _decide(house, house.open("taken at last"))
    _send(UNAVAILABLE, UNKNOWN, ACCEPTED)


def _send_expired(name: str) -> None:
    """What a clock owes is owed from the deadline on, which is given, not waited for."""
    now = database_now() + timedelta(hours=2)
    claimed = outbox.claim_next(now=now)
    assert claimed is not None, name
    outbox.settle(claimed, ACCEPTED, now=now)


def _force(house: House, request: ApprovalRequest) -> None:
    lifecycle.force(
        request.pk,
        verdict=Verdict.APPROVED,
        operator=house.olga,
        reason="Rita is away.",
        channel=Channel.BROWSER,
    )


def _withdraw(request: ApprovalRequest, why: Withdrawal) -> None:
    assert lifecycle.withdraw(request.pk, why=why, reason="No longer needed.")


def _by_two(house: House, request: ApprovalRequest) -> None:
    _decide(house, request, by=house.rolf)
    _decide(house, request)


def _dead(house: House) -> None:
    for name, answers in {
        "refused": (REFUSED,),
        "not taken": (CLOSED,),
        "unconfirmed": (UNKNOWN, CLOSED),
    }.items():
        _decide(house, house.open(name))
        _send(*answers)


def _closed_without_answer(house: House) -> None:
    _expire(house.open("lapsed", on_timeout=OnTimeout.LAPSE))
    for why in (Withdrawal.CLOSED_AT_AWS, Withdrawal.EXECUTION_ENDED, Withdrawal.ELSEWHERE):
        _withdraw(house.open(str(why)), why)


def _held(house: House) -> None:
    """Held still, taken back, decided anew, sent after its hold, fallen with its request."""
    make_kind(undo_seconds=10)
    for name, verdict in (
        ("held", Verdict.APPROVED),
        ("held rejection", Verdict.REJECTED),
        ("taken back by rita", Verdict.REJECTED),
        ("decided anew", Verdict.REJECTED),
        ("sent after its hold", Verdict.REJECTED),
        ("fallen", Verdict.REJECTED),
    ):
        _decide(house, house.open(name), verdict, held=True)
    for name in ("taken back by rita", "decided anew"):
        lifecycle.undo(house.requests[name].pk, reviewer=house.rita)
    _decide(house, house.requests["decided anew"], held=True)
    vote = house.open("vote taken back", required_approvals=2)
    _decide(house, vote, held=True)
    lifecycle.undo(vote.pk, reviewer=house.rita)
    for name in ("decided anew", "sent after its hold"):
        request = house.requests[name]
        request.refresh_from_db()
        assert request.held_until
        assert lifecycle.conclude(request.pk, now=request.held_until)
        _send_expired(name)
    _withdraw(house.requests["fallen"], Withdrawal.CLOSED_AT_AWS)
    make_kind(undo_seconds=0)


def _on_the_way(house: House) -> None:
    _decide(house, house.open("sent again"))
    _send(REFUSED)
    again = house.requests["sent again"].delivery.pk
    lifecycle.redrive(again, operator=house.olga, reason="The role was mended.")
    _send(UNAVAILABLE)
    _decide(house, house.open("retrying"))
    _send(UNAVAILABLE)
    house.open("superseded", subject="order-1")
    house.open("newer", subject="order-1")
    _decide(house, house.open("owed"))


def _open(house: House) -> None:
    make_team("finance")
    house.open("required", requirements=[{"group": "finance", "approvals": 1}])
    voted = house.open("voted", required_approvals=2)
    _decide(house, voted)
    lifecycle.claim(voted.pk, reviewer=house.rolf)
    talk = house.open("talked about")
    lifecycle.comment(talk.pk, author=house.rita, text="I rang him.")
    asked = [
        lifecycle.comment(talk.pk, author=house.rolf, text=text, asks_requester=True).comment
        for text in ("Which depot?", "And when?")
    ]
    lifecycle.answer(talk.pk, asked[0].public_id, text="Depot 4.", answered_by="Otto")
    house.open("pending", heartbeat_timeout_seconds=0, timeout_seconds=0)
    closed = house.open("asked about", execution_arn="run/1")
    with transaction.atomic():
        assert ask_who_closed(desk.lock(closed.pk), now=database_now())
        Heartbeat.objects.filter(pk=closed.pk).delete()
