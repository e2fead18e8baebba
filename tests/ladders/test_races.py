"""Races at the doors: whoever presses or posts at one moment, one wins and the others are told.

COUNTERSIGN_FULL=1 runs as many rounds as docs/operations/results.md speaks of.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.test import Client

from approvals import lifecycle
from approvals.callbacks import delivery
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, User
from approvals.states import Reply, RequestState, Withdrawal
from tests.factories import make_request, make_source, make_user
from tests.fakes.gateway import ScriptedGateway
from tests.intake.sender import make_sender, order, problem_of
from tests.ladders.profile import broken_in_the_ledger
from tests.ladders.together import Crowd
from tests.review.people import Caller, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

FULL = bool(os.environ.get("COUNTERSIGN_FULL"))
Press = Callable[[], int]  # the status of the answer


def rounds(full: int, short: int) -> range:
    return range(full if FULL else short)


class Person:
    """One reviewer at a browser that is signed in, and with a program that has a token."""

    def __init__(self, name: str = "") -> None:
        self.user = make_user(name)
        self._caller = Caller(self.user)
        self._cookies = signed_in(self.user).cookies

    def in_browser(self, request: ApprovalRequest, verdict: str) -> int:
        client = Client()
        client.cookies = self._cookies
        address = f"/requests/{request.public_id}/decide/"
        return int(client.post(address, {"verdict": verdict, "comment": "So."}).status_code)

    def by_program(self, request: ApprovalRequest, verdict: str) -> int:
        body = {"verdict": verdict, "comment": "So."}
        return int(self._caller.decide(request, body).status_code)


def delivered() -> ScriptedGateway:
    """AWS, after every answer owed was sent to it."""
    gateway = ScriptedGateway()
    delivery.deliver_due(gateway, budget=timedelta(minutes=10), threads=4)
    return gateway


def check_aws_was_told_once(requests: list[ApprovalRequest]) -> None:
    aws = delivered()
    owed = {row.request_id: row for row in CallbackDelivery.objects.all()}
    told = Counter(name for _, name in aws.calls)
    assert told == {row.callback_id: 1 for row in requests if row.pk in owed}
    verbs = {name: verb for verb, name in aws.calls}
    for row in requests:
        if row.pk in owed:
            assert verbs[row.callback_id] == owed[row.pk].verb
    assert broken_in_the_ledger() == []


def tell(what: str, **counts: int) -> None:
    figures = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    sys.stdout.write(f"{what}: {figures}\n")


def test_of_eight_who_decide_at_once_at_two_doors_one_wins() -> None:
    people = [Person() for _ in range(8)]
    source, requests, winners = make_source(), [], Counter[str]()
    with Crowd(8) as crowd:
        for number in rounds(1_000, 6):
            request = make_request(*(each.user for each in people), source=source)
            requests.append(request)
            presses: list[Press] = []
            for place, person in enumerate(people):
                door = (person.in_browser, person.by_program)[(place // 2 + number) % 2]
                presses.append(partial(door, request, ("approved", "rejected")[place % 2]))
            statuses = sorted(crowd.at_once(presses))
            assert statuses[0] in {200, 303}, statuses
            assert statuses[1:] == [409] * 7, statuses
            decision = Decision.objects.get(request=request)
            request.refresh_from_db()
            assert request.state == decision.verdict
            winners[decision.channel] += 1
    check_aws_was_told_once(requests)
    tell("races of eight deciders", races=len(requests), **winners)


def test_the_same_click_six_times_is_one_decision_and_one_call() -> None:
    anna, requests = Person("anna"), []
    source = make_source()
    with Crowd(6) as crowd:
        for number in rounds(200, 6):
            request = make_request(anna.user, source=source)
            requests.append(request)
            door = (anna.in_browser, anna.by_program)[number % 2]
            statuses = sorted(crowd.at_once([partial(door, request, "approved")] * 6))
            assert (statuses[0] in {200, 303}, statuses[1:]) == (True, [409] * 5), statuses
            assert Decision.objects.filter(request=request).count() == 1
    check_aws_was_told_once(requests)
    tell("the same click six times", rounds=len(requests))


def test_at_the_deadline_a_request_is_decided_or_expired_and_never_both() -> None:
    people = [Person() for _ in range(8)]
    source, ends = make_source(), Counter[str]()
    chance = random.Random(1)
    with Crowd(9) as crowd:
        for number in rounds(300, 8):
            rule = ("fail", "lapse", "reject", "approve")[number % 4]
            users = [each.user for each in people]
            request = make_request(*users, source=source, timeout_seconds=600, on_timeout=rule)
            deadline = database_now() + timedelta(milliseconds=250)
            ApprovalRequest.objects.filter(pk=request.pk).update(
                answer_by=deadline, clock_at=deadline
            )
            presses = [
                partial(_after, chance.uniform(0.05, 0.45), each.by_program, request)
                for each in people
            ]
            statuses = Counter(crowd.at_once([*presses, partial(_sweep_until_closed, request)]))
            ends[_check_one_end(request, deadline, statuses)] += 1
    _check_no_page_says_more_than_aws_took(people[0].user, source.pk)
    assert broken_in_the_ledger() == []
    tell("at the deadline", **ends)


def _after(seconds: float, door: Callable[[ApprovalRequest, str], int], request: Any) -> int:
    Event().wait(seconds)  # a real deadline passes by the real clock of the database
    return door(request, "approved")


def _sweep_until_closed(request: ApprovalRequest) -> int:
    pending = ApprovalRequest.objects.pending().filter(pk=request.pk)
    while pending.exists():
        lifecycle.strike_due(now=database_now())
    return 0


def _check_one_end(request: ApprovalRequest, deadline: Any, statuses: Counter[int]) -> str:
    request.refresh_from_db()
    given = list(Decision.objects.filter(request=request))
    won = statuses[200]
    assert statuses == Counter({200: won, 409: 8 - won, 0: 1}), statuses
    if request.state == RequestState.APPROVED:
        assert won == len(given) == 1
        assert given[0].decided_at < deadline
        return "decided"
    assert (request.state, won) == (RequestState.EXPIRED, 0)
    assert [each.cause for each in given] == ([] if request.on_timeout == "lapse" else ["clock"])
    assert request.closed_at is not None
    assert request.closed_at >= deadline
    return "expired"


def _check_no_page_says_more_than_aws_took(reader: User, source_id: int) -> None:
    """AWS had timed out before the answers came: no page says approved and no more."""
    gateway = ScriptedGateway(Reply.CLOSED)
    delivery.deliver_due(gateway, budget=timedelta(minutes=10), threads=4)
    client = signed_in(reader)
    for request in ApprovalRequest.objects.filter(source=source_id)[:40]:
        page = client.get(request.get_absolute_url()).content.decode()
        if hasattr(request, "delivery"):
            assert ", not delivered" in page
            assert "AWS took the answer" not in page
        if request.state == RequestState.EXPIRED:
            assert "obody decided in time" in page


def test_two_of_three_are_two_people_whatever_happens_beside_them() -> None:
    anna, bert, cora = Person("anna"), Person("bert"), Person("cora")
    twin = Person("anna.too")
    User.objects.filter(pk=twin.user.pk).update(email=anna.user.email)
    source, requests, ends = make_source(), [], Counter[str]()
    with Crowd(6) as crowd:
        for number in rounds(200, 8):
            request = make_request(
                anna.user, bert.user, cora.user, twin.user, source=source, required_approvals=2
            )
            requests.append(request)
            beside: list[Press] = [
                partial(cora.by_program, request, "approved"),
                partial(cora.in_browser, request, "rejected"),
                partial(_withdraw, request),
                lambda: 0,
            ]
            presses = [
                partial(anna.in_browser, request, "approved"),
                partial(anna.by_program, request, "approved"),
                partial(twin.by_program, request, "approved"),
                partial(bert.in_browser, request, "approved"),
                partial(bert.by_program, request, "approved"),
                beside[number % 4],
            ]
            statuses = crowd.at_once(presses)
            assert set(statuses) <= {0, 200, 303, 409}, statuses
            ends[_check_two_people(request)] += 1
    assert ends["pending"] == 0, ends
    check_aws_was_told_once(requests)
    tell("two of three", **ends)


def _withdraw(request: ApprovalRequest) -> int:
    return 0 * lifecycle.withdraw(request.pk, why=Withdrawal.SOURCE, reason="Over.")


def _check_two_people(request: ApprovalRequest) -> str:
    request.refresh_from_db()
    given = Decision.objects.filter(request=request).select_related("reviewer")
    by = Counter(each.reviewer.username for each in given if each.reviewer)
    assert set(by.values()) <= {1}, by
    approving = {each.reviewer.email for each in given if each.reviewer} - {
        each.reviewer.email for each in given if each.reviewer and each.verdict == "rejected"
    }
    if request.state == RequestState.APPROVED:
        assert len(approving) == 2, by
    rejected = [each for each in given if each.verdict == "rejected"]
    assert bool(rejected) == (request.state == RequestState.REJECTED)
    assert CallbackDelivery.objects.filter(request=request).exists() != request.is_pending
    return str(request.state)


def test_one_vote_of_two_accounts_of_one_person_is_one_vote() -> None:
    anna, twin, cora = Person("anna"), Person("anna.too"), Person("cora")
    User.objects.filter(pk=twin.user.pk).update(email=anna.user.email)
    with Crowd(4) as crowd:
        for _ in rounds(100, 4):
            request = make_request(anna.user, twin.user, cora.user, required_approvals=2)
            presses = [
                partial(door, request, "approved")
                for each in (anna, twin)
                for door in (each.in_browser, each.by_program)
            ]
            statuses = crowd.at_once(presses)
            assert set(statuses) <= {200, 303, 409}
            request.refresh_from_db()
            assert request.is_pending


def test_of_twelve_identical_posts_one_opens_the_request() -> None:
    make_user("anna")
    sender = make_sender()
    bodies = [
        json.dumps(order(callback_id=f"Y2FsbGJhY2s{number:08d}")).encode()
        for number in rounds(200, 6)
    ]
    with Crowd(12) as crowd:
        for body in bodies:
            post = partial(sender.post, body, headers=sender.signed(body))
            answers = crowd.at_once([post] * 12)
            assert sorted(each.status_code for each in answers) == [200] * 11 + [201]
            assert len({each.json()["id"] for each in answers}) == 1
    assert ApprovalRequest.objects.count() == len(bodies)
    before = list(ApprovalRequest.objects.order_by("pk").values_list("content_sha256", "title"))
    for body in bodies:
        problem_of(sender.post(body.replace(b"NO-1", b"NO-2")), 409)
    after = ApprovalRequest.objects.order_by("pk").values_list("content_sha256", "title")
    assert list(after) == before
    assert broken_in_the_ledger() == []
    tell("identical posts", callbacks=len(bodies), posts=12 * len(bodies))
