"""The ladder of a heartbeat, climbed at random: it beats while somebody waits, then never."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
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
from approvals.callbacks import beats, outbox
from approvals.callbacks.beats import Beat
from approvals.callbacks.gateway import Answer
from approvals.clock import database_now
from approvals.errors import AlreadyClosed
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery, Heartbeat, User
from approvals.states import AuditTag, Channel, Reply, Verdict, Withdrawal
from tests.factories import make_request, make_source, make_user
from tests.ladders.profile import FULL, broken_in_the_ledger, climb, tell
from tests.ladders.together import at_once

INTERVAL = timedelta(seconds=100)
SAID = {
    "accepted": Answer(Reply.ACCEPTED),
    "missed": Answer(Reply.UNAVAILABLE, "Reset: unheard.", applied_unknown=True),
    "denied": Answer(Reply.REFUSED, "AccessDeniedException: denied."),
    "closed": Answer(Reply.CLOSED, "CallbackTimeoutException: closed."),
    "not found": Answer(Reply.CLOSED, "ResourceNotFoundException.", not_found=True),
}
ENDINGS = ("approve", "approve", "withdraw", "lapse", "deliver", "refuse")


class Waiting:
    """One callback, as the model has it: BEATING until the wait is over."""

    def __init__(self, request: ApprovalRequest, since: Any) -> None:
        self.pk, self.heard_at = request.pk, since
        self.beating, self.owed, self.state = True, True, "pending"
        self.beats = self.misses = self.lost = 0

    def end(self, ending: str) -> None:
        if ending in {"approve", "withdraw", "lapse"} and self.state == "pending":
            words = {"approve": "approved", "withdraw": "withdrawn", "lapse": "expired"}
            self.state = words[ending]
            self.beating = self.beating and ending == "approve"
        elif self.state == "approved" and self.owed and ending in {"deliver", "refuse"}:
            self.owed = False
            self.beating = self.beating and ending == "refuse"

    def hear(self, said: str, now: Any) -> None:
        """What SAID makes of it, unless it fell silent before."""
        if not self.beating:
            if said == "closed" and self.state == "pending":
                self.state = "withdrawn"
            return
        past_hope = self.misses > 0 and now - self.heard_at > 3 * INTERVAL
        if said == "accepted":
            self.beats, self.misses, self.heard_at = self.beats + 1, 0, now
        elif said == "closed" or (said == "not found" and past_hope):
            self.beating = False
            self.state = "withdrawn" if self.state == "pending" else self.state
        else:
            self.misses += 1
            self.lost += self.misses == 1


class HeartbeatLadder(RuleBasedStateMachine):
    """A few callbacks of one source; workers that settle late, or never."""

    steps: ClassVar[int] = 0
    together: ClassVar[int] = 0
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.source, self.anna = make_source(), _anna()
        self.waiting: dict[int, Waiting] = {}
        self.now = database_now() + timedelta(seconds=1)

    @precondition(lambda self: len(self.waiting) < 5)
    @rule()
    def receive(self) -> None:
        self._step()
        request = make_request(
            self.anna,
            source=self.source,
            timeout_seconds=100_000,
            heartbeat_timeout_seconds=300,
            on_timeout="lapse",
        )
        Heartbeat.objects.filter(pk=request.pk).update(next_beat_at=self.now)
        self.waiting[request.pk] = Waiting(request, request.received_at)

    @rule(target=claims, workers=st.integers(1, 3))
    def claim(self, workers: int) -> Any:
        """No two workers claim the same beat; each claimed is due an interval later."""
        self._step()
        type(self).together += workers > 1
        due = set(self._rows().filter(next_beat_at__lte=self.now).values_list("pk", flat=True))
        found = at_once([lambda: beats.claim(3, now=self.now)] * workers)
        claimed = [beat for batch in found for beat in batch]
        keys = [beat.request_id for beat in claimed]
        assert len(set(keys)) == len(keys)
        assert set(keys) <= due
        assert bool(keys) == bool(due)
        early = self.now + INTERVAL * 0.899
        assert not self._rows().filter(pk__in=keys, next_beat_at__lt=early).exists()
        assert all(self.waiting[key].beating for key in keys), "a beat after the end"
        return multiple(*claimed)

    @rule(beat=claims, said=st.sampled_from([*SAID, "accepted"]))
    def settle(self, beat: Beat, said: str) -> None:
        self._step()
        beats.settle([(beat, SAID[said])], now=self.now)
        self.waiting[beat.request_id].hear(said, self.now)

    @rule(beat=claims)
    def give_back(self, beat: Beat) -> None:
        self._step()
        beats.give_back([beat])

    @rule(wait=st.sampled_from([INTERVAL * 0.6, INTERVAL * 1.3, INTERVAL * 4]))
    def wait(self, wait: timedelta) -> None:
        self._step()
        self.now += wait

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), ending=st.sampled_from(ENDINGS))
    def end(self, data: st.DataObject, ending: str) -> None:
        """A person, the source, the deadline or AWS's reply to the answer ends the wait."""
        self._step()
        one = self._one_of(data)
        end = self._ending(one, ending)
        end()
        one.end(ending)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), ending=st.sampled_from(ENDINGS))
    def beat_while_it_ends(self, data: st.DataObject, ending: str) -> None:
        """AWS takes a beat, and the wait ends, at one moment: the end stands."""
        type(self).steps += 2
        type(self).together += 1
        one = self._one_of(data)
        end = self._ending(one, ending)
        at_once([lambda: self._beat(one), end])
        heard = self._rows().filter(pk=one.pk, beats=one.beats + 1).exists()
        if heard:  # a note that somebody is in the way of is passed over
            one.hear("accepted", self.now)
        one.end(ending)

    @invariant()
    def rows_are_as_the_model_has_them(self) -> None:
        rows = {row.pk: row for row in self._rows()}
        assert rows.keys() == {one.pk for one in self.waiting.values() if one.beating}
        for pk, row in rows.items():
            assert (row.beats, row.misses) == (self.waiting[pk].beats, self.waiting[pk].misses)
            assert row.next_beat_at <= self.now + INTERVAL * 1.101
        states = dict(
            ApprovalRequest.objects.filter(pk__in=self.waiting).values_list("pk", "state")
        )
        assert states == {one.pk: one.state for one in self.waiting.values()}

    @invariant()
    def a_streak_of_misses_is_told_once(self) -> None:
        for one in self.waiting.values():
            request = ApprovalRequest.objects.get(pk=one.pk)
            assert request.history.filter(tag=AuditTag.HEARTBEAT_LOST).count() == one.lost
            assert AuditEvent.objects.broken_at(request) is None

    def teardown(self) -> None:
        """Whoever is still waited for is still kept alive: its next beat can be had."""
        self.now += 2 * INTERVAL
        claimed = {beat.request_id for beat in beats.claim(100, now=self.now)}
        assert claimed == {one.pk for one in self.waiting.values() if one.beating}
        self._rows().update(next_beat_at=self.now + timedelta(days=3000))  # for the next walk

    def _step(self) -> None:
        type(self).steps += 1

    def _rows(self) -> Any:
        return Heartbeat.objects.filter(source=self.source)

    def _one_of(self, data: st.DataObject) -> Waiting:
        return data.draw(st.sampled_from(list(self.waiting.values())))

    def _ending(self, one: Waiting, ending: str) -> Callable[[], Any]:
        """What ends ONE this way; what has no effect on it any more does nothing."""
        if ending == "approve":
            return lambda: _approve(one.pk, self.anna)
        if ending == "withdraw":
            why = Withdrawal.CLOSED_AT_AWS
            return lambda: lifecycle.withdraw(one.pk, why=why, reason="Over.")
        if ending == "lapse":
            return lambda: lifecycle.strike(one.pk, now=self.now + timedelta(days=3))
        answer = SAID["accepted" if ending == "deliver" else "denied"]
        claimed = CallbackDelivery.objects.filter(request=one.pk, state="pending").first()
        if claimed is None:
            return lambda: None
        claimed.attempts, claimed.in_flight = claimed.attempts + 1, True
        claimed.save(update_fields=["attempts", "in_flight"])
        return lambda: outbox.settle(claimed, answer, now=self.now)

    def _beat(self, one: Waiting) -> None:
        way = beats.address(self.source.pk, "", "", "", "")
        beat = Beat(one.pk, self.source.pk, INTERVAL, self.now, self.now, "", b"", way)
        beats.settle([(beat, SAID["accepted"])], now=self.now)


def _approve(request_id: int, reviewer: User) -> None:
    with suppress(AlreadyClosed):
        lifecycle.decide(
            request_id, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.API
        )


def _anna() -> User:
    return User.objects.filter(username="anna").first() or make_user("anna")


@pytest.mark.django_db(transaction=True)
def test_beats_do_what_the_model_of_a_heartbeat_does() -> None:
    HeartbeatLadder.steps = HeartbeatLadder.together = 0
    climb(HeartbeatLadder, walks=10, steps=25, at_length=120)
    assert broken_in_the_ledger() == []
    tell(HeartbeatLadder)
    assert HeartbeatLadder.steps >= (2_000 if FULL else 100)
