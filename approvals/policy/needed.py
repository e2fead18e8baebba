"""What is still needed: which decisions count, and which places they fill."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from approvals.errors import NotAReviewer
from approvals.models import ApprovalRequest, Decision
from approvals.models.standing import Standing, standings_of
from approvals.policy.who import check_standing
from approvals.states import Verdict


@dataclass(frozen=True, slots=True)
class Place:
    """APPROVALS needed of one group, or of anybody asked where GROUP_ID is None."""

    group_id: int | None
    group: str
    approvals: int
    filled: int = 0

    @property
    def missing(self) -> int:
        return self.approvals - self.filled


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a request is: the approvals that count, and the places they fill."""

    agreeing: list[Decision]
    places: list[Place]

    @property
    def missing(self) -> int:
        """How many more distinct people must approve; 0 when enough have."""
        return sum(place.missing for place in self.places)


def tally(
    request: ApprovalRequest,
    decisions: Iterable[Decision],
    *,
    standings: Mapping[int, Standing] | None = None,
    places: Sequence[Place] | None = None,
) -> Tally:
    """What counts now of DECISIONS, and which places it fills.

    Only approvals of who may still decide count, one per person: two accounts that share
    a name, a mail address or a subject are one person. STANDINGS (of every reviewer among
    DECISIONS) and PLACES spare a statement each where the caller has them.
    """
    approvals = [d for d in decisions if d.verdict == Verdict.APPROVED and d.reviewer_id]
    if standings is None:
        people = [d.reviewer_id for d in approvals if d.reviewer_id]
        standings = standings_of(request, people) if people else {}
    agreeing = _agreeing(request, approvals, standings)
    groups = [standings[d.reviewer_id].group_ids for d in agreeing if d.reviewer_id]
    return Tally(agreeing, fill(places_of(request) if places is None else places, groups))


def _agreeing(
    request: ApprovalRequest, approvals: Iterable[Decision], standings: Mapping[int, Standing]
) -> list[Decision]:
    people: set[str] = set()
    counting = []
    for decision in approvals:
        standing = standings.get(decision.reviewer_id or 0)
        if standing is None or people & standing.identities:
            continue
        try:
            check_standing(request, standing)
        except NotAReviewer:
            continue
        people |= standing.identities
        counting.append(decision)
    return counting


def distinct(
    accounts: Iterable[tuple[frozenset[str], frozenset[int]]],
) -> list[frozenset[int]]:
    """The groups of each person behind ACCOUNTS (names and groups of each).

    Accounts that share a name are one person, in the groups of all of them.
    """
    people: list[tuple[frozenset[str], frozenset[int]]] = []
    for names, groups in accounts:
        same = [person for person in people if person[0] & names]
        people = [person for person in people if not person[0] & names]
        for known_names, known_groups in same:
            names, groups = names | known_names, groups | known_groups  # noqa: PLW2901
        people.append((names, groups))
    return [groups for _, groups in people]


def places_of(request: ApprovalRequest) -> list[Place]:
    """What REQUEST requires: of each named group, and the rest of anybody asked."""
    rows = request.requirements.select_related("group").order_by("pk")
    named = [Place(row.group_id, row.group.name, row.approvals) for row in rows]
    return with_anybody(named, request.required_approvals)


def with_anybody(named: Sequence[Place], required: int) -> list[Place]:
    """NAMED, and a place for whatever REQUIRED (approvals in all) asks beyond them."""
    rest = required - sum(place.approvals for place in named)
    return [*named, Place(None, "", rest)] if rest > 0 else list(named)


def fill(places: Sequence[Place], voters: Iterable[Collection[int]]) -> list[Place]:
    """PLACES as filled by VOTERS (the groups of each); each fills at most one.

    As many are filled as can be: somebody who is in two groups makes room for somebody
    who is in one (augmenting paths, Kuhn).
    """
    seats = [place for place, of in enumerate(places) for _ in range(of.approvals)]
    taken: dict[int, Collection[int]] = {}
    for voter in voters:
        if len(taken) == len(seats):
            break
        _seat(voter, places, seats, taken, set())
    counts = [sum(1 for seat in taken if seats[seat] == place) for place in range(len(places))]
    return [
        Place(place.group_id, place.group, place.approvals, filled=count)
        for place, count in zip(places, counts, strict=True)
    ]


def _seat(
    voter: Collection[int],
    places: Sequence[Place],
    seats: Sequence[int],
    taken: dict[int, Collection[int]],
    tried: set[int],
) -> bool:
    for seat, place in enumerate(seats):
        group_id = places[place].group_id
        if seat in tried or not (group_id is None or group_id in voter):
            continue
        tried.add(seat)
        if seat not in taken or _seat(taken[seat], places, seats, taken, tried):
            taken[seat] = voter
            return True
    return False
