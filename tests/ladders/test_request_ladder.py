"""The ladder of a request, climbed at random: the desk does what the simple model does."""

from __future__ import annotations

from copy import deepcopy
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
from approvals.clock import database_now
from tests.ladders.profile import FULL, broken_in_the_ledger, climb, tell
from tests.ladders.request_desk import PEOPLE, Desk
from tests.ladders.request_model import NOTHING, ONE_OF, ONE_OF_EACH, TWO_OF_THREE, World
from tests.ladders.together import at_once

Step = tuple[Any, ...]

people = st.sampled_from(PEOPLE)
verdicts = st.sampled_from(["approved", "approved", "rejected"])


class RequestLadder(RuleBasedStateMachine):
    """One source, a few requests, four reviewers and an operator."""

    steps: ClassVar[int] = 0
    together: ClassVar[int] = 0
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.desk, self.world = Desk(), World()

    def take(self, step: str, *facts: Any) -> str:
        """One step in both worlds: they come to the same."""
        type(self).steps += 1
        expected = getattr(self.world, step)(*facts)
        assert self.desk.apply(step, *facts) == expected, (step, facts, expected)
        return str(expected)

    @precondition(lambda self: len(self.world.requests) < 5)
    @rule(
        target=requests,
        asking=st.sampled_from([ONE_OF, TWO_OF_THREE, TWO_OF_THREE, ONE_OF_EACH]),
        on_timeout=st.sampled_from(["fail", "reject", "approve", "lapse"]),
        subject=st.sampled_from(["", "order/1"]),
    )
    def receive(self, asking: Any, on_timeout: Any, subject: str) -> Any:
        if self.take("receive", asking, on_timeout, subject) == "received":
            return len(self.world.requests) - 1
        return multiple()

    @rule(number=requests, title=st.sampled_from(["", "Something else"]))
    def receive_again(self, number: int, title: str) -> None:
        type(self).steps += 1
        expected = "DifferentContent" if title else "known"
        assert self.desk.apply("receive_again", number, title) == expected

    @rule(number=requests, person=people, verdict=verdicts)
    def decide(self, number: int, person: str, verdict: str) -> None:
        self.take("decide", number, person, verdict)

    @rule(number=requests, person=people, verdict=verdicts)
    def hold(self, number: int, person: str, verdict: str) -> None:
        self.take("hold", number, person, verdict)

    @rule(number=requests, person=people)
    def undo(self, number: int, person: str) -> None:
        self.take("undo", number, person)

    @rule(number=requests)
    def conclude(self, number: int) -> None:
        self.take("conclude", number)

    @rule(number=requests, person=people, step=st.sampled_from(["claim", "release"]))
    def say_who_is_on_it(self, number: int, person: str, step: str) -> None:
        self.take(step, number, person)

    @rule(number=requests, step=st.sampled_from(["withdraw", "take_back", "closed_at_aws"]))
    def end_without_an_answer(self, number: int, step: str) -> None:
        self.take(step, number)

    @rule(number=requests, verdict=verdicts)
    def force(self, number: int, verdict: str) -> None:
        self.take("force", number, verdict)

    @rule(number=requests, person=people)
    def ask_as_well(self, number: int, person: str) -> None:
        self.take("ask_as_well", number, person)

    @rule(number=requests, hundreds=st.sampled_from([1, 2, 8]))
    def wait(self, number: int, hundreds: int) -> None:
        self.take("wait", number, hundreds * 100)

    @rule(number=requests)
    def strike(self, number: int) -> None:
        self.take("strike", number)

    @rule(person=people, step=st.sampled_from(["leave", "come_back", "come_back"]))
    def leave_or_come_back(self, person: str, step: str) -> None:
        self.take(step, person)

    @rule(
        person=people,
        team=st.sampled_from(["finance", "security"]),
        step=st.sampled_from(["join", "quit"]),
    )
    def change_teams(self, person: str, team: str, step: str) -> None:
        self.take(step, person, team)

    @rule(number=requests, data=st.data())
    def all_at_once(self, number: int, data: st.DataObject) -> None:
        """Two to four steps on one request at one moment, each on its own connection."""
        steps = data.draw(st.lists(_steps_on(number), min_size=2, max_size=4))
        type(self).steps += len(steps)
        type(self).together += 1
        came_to = at_once([lambda step=step: self.desk.apply(*step) for step in steps])
        state = self.desk.state(number)
        orders = permutations(range(len(steps)))
        fitting = (_in_order(self.world, steps, order, came_to, state) for order in orders)
        world = next((found for found in fitting if found), None)
        assert world is not None, f"no order of {steps} comes to {came_to} and {state}"
        self.world = world

    @invariant()
    def rows_are_as_they_must_be(self) -> None:
        self.desk.check(self.world)


def _steps_on(number: int) -> st.SearchStrategy[Step]:
    at = st.just(number)
    return st.one_of(
        st.tuples(st.just("decide"), at, people, verdicts),
        st.tuples(st.just("hold"), at, people, verdicts),
        st.tuples(st.sampled_from(["undo", "undo", "claim"]), at, people),
        st.tuples(st.sampled_from(["withdraw", "strike", "conclude", "take_back"]), at),
        st.tuples(st.just("force"), at, verdicts),
        st.tuples(st.just("leave"), people),
    )


def _in_order(
    before: World, steps: list[Step], order: tuple[int, ...], came_to: list[str], state: str
) -> World | None:
    """The world after STEPS in ORDER, if each would have come to what it CAME TO.

    A sweep passes over a request that somebody is at: then it changes nothing.
    """
    world = deepcopy(before)
    for each in order:
        name, *facts = steps[each]
        if name in ("strike", "conclude") and came_to[each] == NOTHING:
            continue
        if getattr(world, name)(*facts) != came_to[each]:
            return None
    number = next((facts[0] for name, *facts in steps if name != "leave"), None)
    if number is not None and world.requests[number].state != state:
        return None
    return world


@pytest.mark.django_db(transaction=True)
def test_the_desk_does_what_the_model_of_a_request_does() -> None:
    RequestLadder.steps = RequestLadder.together = 0
    climb(RequestLadder, walks=12, steps=25, at_length=400)
    lifecycle.conclude_due(now=database_now())  # as a sweep would have, within a minute
    assert broken_in_the_ledger() == []
    tell(RequestLadder)
    assert RequestLadder.steps >= (8_000 if FULL else 150)
