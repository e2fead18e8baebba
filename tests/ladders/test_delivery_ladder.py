"""The ladder of an answer, climbed at random: what AWS has is what the portal believes."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from itertools import permutations
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
)

from approvals import lifecycle
from approvals.callbacks import outbox
from approvals.clock import database_now
from approvals.errors import NotRedrivable
from approvals.models import AuditEvent, CallbackDelivery, Heartbeat, User
from approvals.states import AuditTag, Channel, Verdict
from tests.factories import make_request, make_source, make_user
from tests.ladders.delivery_model import WAYS, Attempt, Owed, Way
from tests.ladders.profile import FULL, broken_in_the_ledger, climb, tell
from tests.ladders.together import at_once

#: Beyond every lease and every pause between two attempts.
A_WHILE = timedelta(seconds=400)


class DeliveryLadder(RuleBasedStateMachine):
    """A few answers of one source; workers that settle late, twice, or never."""

    steps: ClassVar[int] = 0
    together: ClassVar[int] = 0
    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.source, self.owed, self.rows = make_source(), [], []
        self.bodies: list[bytes] = []
        self.claimed: dict[tuple[int, int], CallbackDelivery] = {}
        self.now = database_now() + timedelta(hours=1)
        self.anna, self.olga = _person("anna", "reviewer"), _person("olga", "operator")

    @precondition(lambda self: len(self.owed) < 6)
    @rule(verdict=st.sampled_from(Verdict))
    def owe(self, verdict: Verdict) -> None:
        self._step()
        request = make_request(
            self.anna, source=self.source, timeout_seconds=7200, heartbeat_timeout_seconds=300
        )
        lifecycle.decide(
            request.pk, verdict=verdict, reviewer=self.anna, channel=Channel.API, comment="So."
        )
        row = CallbackDelivery.objects.get(request=request)
        self.owed.append(Owed())
        self.rows.append(row.pk)
        self.bodies.append(row.body)

    @rule(target=attempts)
    def claim(self) -> Any:
        self._step()
        due, rows = self._due(), self._rows()
        claimed = outbox.claim_next(now=self.now)
        if claimed is None:
            assert not due
            return multiple()
        assert claimed.pk in self._first_of(due, rows)
        return self._note(claimed)

    @rule(target=attempts, workers=st.integers(2, 4))
    def claim_at_once(self, workers: int) -> Any:
        """No two workers have the same answer at the same time."""
        self._step()
        due = self._due()
        found = at_once([lambda: outbox.claim_next(now=self.now)] * workers)
        claimed = [each for each in found if each]
        assert {each.pk for each in claimed} <= set(due)
        assert len({each.pk for each in claimed}) == len(claimed) <= len(due)
        assert bool(claimed) == bool(due)
        return multiple(*(self._note(each) for each in claimed))

    @rule(attempt=attempts, way=st.sampled_from(WAYS))
    def call(self, attempt: Attempt, way: Way) -> None:
        self._step()
        if attempt.answer is None:
            assert self.claimed[attempt.owed, attempt.number].body == self.bodies[attempt.owed]
            attempt.answer = self.owed[attempt.owed].call(way)

    @rule(attempt=attempts)
    def settle(self, attempt: Attempt) -> None:
        self._step()
        if attempt.answer is not None:
            came_to = self._settle(attempt)
            assert came_to == self._model_settle(self.owed, attempt)

    @rule(attempt=attempts, way=st.sampled_from(WAYS))
    def call_and_settle(self, attempt: Attempt, way: Way) -> None:
        self.call(attempt, way)
        self.settle(attempt)

    @rule(
        one=attempts,
        other=attempts,
        ways=st.tuples(st.sampled_from(WAYS), st.sampled_from(WAYS)),
        redriven=st.booleans(),
    )
    def settle_at_once(
        self, one: Attempt, other: Attempt, ways: tuple[Way, Way], redriven: bool
    ) -> None:
        """Two workers settle and an operator presses: any order will do, no mixture."""
        attempts = (one, other)
        for each, way in zip(attempts, ways, strict=True):
            each.answer = each.answer or self.owed[each.owed].call(way)
        steps: list[tuple[Callable[[], Any], Callable[[list[Owed]], Any]]] = [
            (lambda a=a: self._settle(a), lambda owed, a=a: self._model_settle(owed, a))
            for a in attempts
        ]
        if redriven:
            number = one.owed
            steps.append((lambda: self._redrive(number), lambda owed: owed[number].redrive()))
        type(self).steps += len(steps)
        type(self).together += 1
        came_to = at_once([real for real, _ in steps])
        states = self._states()
        for order in permutations(range(len(steps))):
            owed = deepcopy(self.owed)
            fits = all(steps[each][1](owed) == came_to[each] for each in order)
            if fits and states == [each.state for each in owed]:
                self.owed = owed
                return
        raise AssertionError(f"no order comes to {came_to} and {states}")

    @precondition(lambda self: self.owed)
    @rule(data=st.data())
    def redrive(self, data: st.DataObject) -> None:
        self._step()
        number = data.draw(st.integers(0, len(self.owed) - 1))
        assert self._redrive(number) == self.owed[number].redrive()

    @precondition(lambda self: self.owed)
    @rule(data=st.data())
    def answer_elsewhere(self, data: st.DataObject) -> None:
        """In the console, say: AWS no longer waits for us."""
        self._step()
        owed = data.draw(st.sampled_from(self.owed))
        owed.at_aws = "over" if owed.at_aws == "open" else owed.at_aws

    @rule(wait=st.sampled_from([A_WHILE, A_WHILE, timedelta(hours=2)]))
    def wait(self, wait: timedelta) -> None:
        self._step()
        self.now += wait
        for owed, row in zip(self.owed, self._rows(), strict=True):
            if owed.at_aws == "open" and row.give_up_at <= self.now:
                owed.at_aws = "over"

    @invariant()
    def rows_are_as_the_model_has_them(self) -> None:
        rows = self._rows()
        for row, owed, body in zip(rows, self.owed, self.bodies, strict=True):
            assert (row.state, row.attempts, row.in_flight, row.unknown_attempt) == (
                *(owed.state, owed.attempts, owed.in_flight),
                owed.unknown,
            )
            assert row.body == body
            assert (row.settled_at is None) == (owed.state == "pending")
        beating = set(Heartbeat.objects.filter(source=self.source).values_list("pk", flat=True))
        pairs = zip(rows, self.owed, strict=True)
        assert beating == {row.request_id for row, owed in pairs if owed.beating}

    @invariant()
    def nobody_believes_what_aws_did_not_do(self) -> None:
        for owed in self.owed:
            if owed.state == "delivered":
                assert owed.at_aws == "ours"
            if owed.state == "undeliverable" and owed.last_reply != "refused":
                assert owed.at_aws != "ours"

    @invariant()
    def histories_hold(self) -> None:
        ends = [AuditTag.DELIVERED]
        for row, owed in zip(self._rows(), self.owed, strict=True):
            assert AuditEvent.objects.broken_at(row.request) is None
            taken = row.request.history.filter(tag__in=ends).count()
            assert taken == (owed.state == "delivered")

    def teardown(self) -> None:
        """Nothing is stuck: left to workers that live, every answer comes to its end."""
        for _ in range(40):
            self.now += A_WHILE
            while (claimed := outbox.claim_next(now=self.now)) is not None:
                attempt = self._note(claimed)
                expired = claimed.give_up_at <= self.now
                if expired and self.owed[attempt.owed].at_aws == "open":
                    self.owed[attempt.owed].at_aws = "over"
                attempt.answer = self.owed[attempt.owed].call("taken")
                assert self._settle(attempt) == self._model_settle(self.owed, attempt)
            if "pending" not in self._states():
                break
        assert "pending" not in self._states()
        self.rows_are_as_the_model_has_them()
        self.nobody_believes_what_aws_did_not_do()

    def _step(self) -> None:
        type(self).steps += 1

    def _rows(self) -> list[CallbackDelivery]:
        rows = CallbackDelivery.objects.filter(pk__in=self.rows).select_related("request")
        return list(rows.order_by("pk"))

    def _states(self) -> list[str]:
        return [row.state for row in self._rows()]

    def _due(self) -> list[int]:
        """What may be claimed now, the longest due first: four may be under way."""
        rows = self._rows()
        under_way = sum(row.in_flight and row.next_attempt_at > self.now for row in rows)
        waiting = [row for row in rows if row.is_pending and row.next_attempt_at <= self.now]
        full = under_way >= outbox.IN_FLIGHT_PER_SOURCE
        return [] if full else [row.pk for row in sorted(waiting, key=_due_at)]

    def _first_of(self, due: list[int], rows: list[CallbackDelivery]) -> set[int]:
        """Those due longest: several may be due at one moment, as jitter repeats itself here."""
        at = {row.pk: _due_at(row) for row in rows}
        return {pk for pk in due if at[pk] == at[due[0]]}

    def _note(self, claimed: CallbackDelivery) -> Attempt:
        number = self.rows.index(claimed.pk)
        attempt = Attempt(number, self.owed[number].claim())
        assert claimed.attempts == attempt.number
        self.claimed[number, attempt.number] = claimed
        return attempt

    def _settle(self, attempt: Attempt) -> str | None:
        claimed = self.claimed[attempt.owed, attempt.number]
        assert attempt.answer is not None
        state = outbox.settle(claimed, attempt.answer, now=self.now)
        return str(state) if state else None

    def _model_settle(self, owed: list[Owed], attempt: Attempt) -> str | None:
        claimed = self.claimed[attempt.owed, attempt.number]
        return owed[attempt.owed].settle(attempt, expired=claimed.give_up_at <= self.now)

    def _redrive(self, number: int) -> str:
        try:
            lifecycle.redrive(self.rows[number], operator=self.olga, reason="Mended.")
        except NotRedrivable as refusal:
            return type(refusal).__name__
        return "redriven"


def _due_at(row: CallbackDelivery) -> Any:
    return row.next_attempt_at


def _person(name: str, role: str) -> User:
    return User.objects.filter(username=name).first() or make_user(name, role=role)


@pytest.mark.django_db(transaction=True)
def test_the_outbox_does_what_the_model_of_an_answer_does() -> None:
    DeliveryLadder.steps = DeliveryLadder.together = 0
    climb(DeliveryLadder, walks=12, steps=25, at_length=200)
    assert broken_in_the_ledger() == []
    tell(DeliveryLadder)
    assert DeliveryLadder.steps >= (3_000 if FULL else 120)
