"""A request as a simple model has it: no rows, no locks, one step after the other.

`World.apply` says what each step comes to, in a word, and remembers it. The model knows
the rules as the documents tell them, and none of the portal's code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import Literal, TypeAlias

DUE, ESCALATE, ANSWER_BY = 150, 350, 1100  # seconds; steps of time are hundreds
WINDOW_SECONDS = 99  # in which a decision made with a hold can be taken back: within a step

Verdict = Literal["approved", "rejected"]
Rule = Literal["fail", "reject", "approve", "lapse"]
Word: TypeAlias = str

CLOSED, NOT_ASKED, VOTED_BEFORE = "AlreadyClosed", "NotAReviewer", "AlreadyVoted"
INVALID, NOTHING, NOTHING_TO_UNDO = "InvalidFields", "nothing", "NothingToUndo"


@dataclass(frozen=True)
class Asking:
    """What a source asks: of whom, how many approvals, and what of which group."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    required: int = 1
    of_groups: tuple[str, ...] = ()  # one approval of each


ONE_OF = Asking(users=("anna", "bert"))
TWO_OF_THREE = Asking(users=("anna", "bert", "cora"), required=2)
ONE_OF_EACH = Asking(groups=("finance", "security"), required=2, of_groups=("finance", "security"))


@dataclass
class Asked:
    """One request, as the model has it."""

    asking: Asking
    rule: Rule
    subject: str
    users: set[str]
    state: str = "pending"
    owed: str = ""  # the word AWS is told; empty: nothing
    votes: list[str] = field(default_factory=list)
    rejections: int = 0
    elapsed: int = 0
    struck: set[str] = field(default_factory=set)
    claimed_by: str = ""
    held: Verdict | None = None  # decided, and not told to AWS yet
    # Who decided what, with a hold or without, and when; those that stand.
    stack: list[tuple[str, Verdict, bool, int]] = field(default_factory=list)
    undone: int = 0

    @property
    def is_open(self) -> bool:
        """Whether a person may still decide: the sweep may be on its way."""
        return self.state == "pending" and not self.held and self.elapsed < ANSWER_BY

    def close(self, state: str, owed: str) -> None:
        if self.held:  # nothing was sent: it falls
            self.take_off_last()
        self.state, self.owed, self.claimed_by = state, owed, ""

    @property
    def is_late(self) -> bool:
        """Whether the last decision can no longer be taken back."""
        return self.elapsed - self.stack[-1][3] >= WINDOW_SECONDS

    def take_off_last(self) -> None:
        person, verdict, *_ = self.stack.pop()
        self.undone += 1
        self.held = None
        if verdict == "approved":
            self.votes.remove(person)
        else:
            self.rejections -= 1


@dataclass
class World:
    """All requests of one source, and the people."""

    inactive: set[str] = field(default_factory=set)
    teams: dict[str, set[str]] = field(
        default_factory=lambda: {"finance": {"anna", "bert"}, "security": {"cora"}}
    )
    requests: list[Asked] = field(default_factory=list)

    def receive(self, asking: Asking, rule: Rule, subject: str) -> Word:
        new = Asked(asking, rule, subject, set(asking.users))
        if self._most_that_fill(new) < asking.required:
            return INVALID
        for older in self.requests:
            if subject and older.subject == subject and older.state == "pending":
                older.close("withdrawn", "superseded")
        self.requests.append(new)
        return "received"

    def hold(self, number: int, person: str, verdict: Verdict) -> Word:
        """Decide as in the browser."""
        request = self.requests[number]
        came_to = self.decide(number, person, verdict, held=True)
        if came_to == "decided" and request.stack[-1][2]:
            return "held"
        return came_to

    def undo(self, number: int, person: str) -> Word:
        request = self.requests[number]
        if not any(who == person for who, *_ in request.stack):
            return "NotYourDecision" if request.stack else NOTHING_TO_UNDO
        who, _, can, _ = request.stack[-1]
        if request.state != "pending" or who != person or not can or request.is_late:
            return NOTHING_TO_UNDO
        request.take_off_last()
        return "undone"

    def conclude(self, number: int) -> Word:
        request = self.requests[number]
        if not request.held or not request.is_late:
            return NOTHING
        verdict, request.held = request.held, None
        request.close(verdict, verdict)
        return "concluded"

    def decide(self, number: int, person: str, verdict: Verdict, *, held: bool = False) -> Word:
        request = self.requests[number]
        if person not in self.able(request):
            return NOT_ASKED
        if not request.is_open:
            return CLOSED
        if person in request.votes:
            return VOTED_BEFORE
        if verdict == "rejected":
            request.rejections += 1
        else:
            request.votes.append(person)
        request.stack.append((person, verdict, held, request.elapsed))
        if verdict == "approved" and self.missing(request):
            return "voted"
        if held:
            request.held = verdict
        else:
            request.close(verdict, verdict)
        return "decided"

    def claim(self, number: int, person: str) -> Word:
        request = self.requests[number]
        if person not in self.able(request):
            return NOT_ASKED
        if not request.is_open:
            return CLOSED
        request.claimed_by = person
        return "claimed"

    def release(self, number: int, person: str) -> Word:
        request = self.requests[number]
        if request.claimed_by == person:
            request.claimed_by = ""
        return "released"

    def withdraw(self, number: int) -> Word:
        request = self.requests[number]
        if request.state != "pending":
            return NOTHING
        request.close("withdrawn", "withdrawn")
        return "withdrawn"

    def take_back(self, number: int) -> Word:
        return CLOSED if self.withdraw(number) == NOTHING else "withdrawn"

    def force(self, number: int, verdict: Verdict) -> Word:
        request = self.requests[number]
        if not request.is_open:
            return CLOSED
        request.close(verdict, verdict)
        return "forced"

    def ask_as_well(self, number: int, person: str) -> Word:
        request = self.requests[number]
        if not request.is_open:
            return CLOSED
        if person in self.inactive or person in request.users:
            return INVALID
        before = self._short(request)
        request.users.add(person)
        after = self._short(request)
        if (after and after >= before) or (request.votes and not self.missing(request)):
            request.users.discard(person)
            return INVALID
        return "asked"

    def closed_at_aws(self, number: int) -> Word:
        request = self.requests[number]
        if request.state != "pending":
            return NOTHING
        request.close("withdrawn", "")
        return "withdrawn"

    def strike(self, number: int) -> Word:
        request = self.requests[number]
        clocks = {"due": DUE, "escalated": ESCALATE}
        passed = {name for name, at in clocks.items() if at <= request.elapsed}
        if request.state != "pending" or not (
            passed - request.struck or request.elapsed >= ANSWER_BY
        ):
            return NOTHING
        request.struck |= passed
        if request.elapsed >= ANSWER_BY:
            if request.held:
                verdict, request.held = request.held, None
                request.close(verdict, verdict)
                return "struck"
            request.struck.add("expired")
            words = {"fail": "expired", "reject": "rejected", "approve": "approved", "lapse": ""}
            request.close("expired", words[request.rule])
        return "struck"

    def wait(self, number: int, seconds: int) -> Word:
        self.requests[number].elapsed += seconds
        return "later"

    def leave(self, person: str) -> Word:
        self.inactive.add(person)
        return "left"

    def come_back(self, person: str) -> Word:
        self.inactive.discard(person)
        return "back"

    def join(self, person: str, team: str) -> Word:
        self.teams[team].add(person)
        return "joined"

    def quit(self, person: str, team: str) -> Word:
        self.teams[team].discard(person)
        return "quit"

    def able(self, request: Asked) -> set[str]:
        """Who may decide REQUEST now, whether or not they have."""
        members = [self.teams[team] for team in request.asking.groups]
        return request.users.union(*members) - self.inactive

    def missing(self, request: Asked) -> int:
        """How many approvals are missing of those that still count."""
        counting = [person for person in request.votes if person in self.able(request)]
        return request.asking.required - self._filled(request, counting)

    def _short(self, request: Asked) -> int:
        return max(request.asking.required - self._most_that_fill(request), 0)

    def _most_that_fill(self, request: Asked) -> int:
        return self._filled(request, sorted(self.able(request)))

    def _filled(self, request: Asked, people: list[str]) -> int:
        """The most places that PEOPLE can fill, each at most one: all ways are tried."""
        rest = request.asking.required - len(request.asking.of_groups)
        places = [*request.asking.of_groups, *[""] * rest]
        seated = people + [""] * len(places)
        ways = permutations(seated, len(places))
        return max(
            sum(bool(who) and (not team or who in self.teams[team]) for who, team in pairs)
            for pairs in (list(zip(way, places, strict=True)) for way in ways)
        )
