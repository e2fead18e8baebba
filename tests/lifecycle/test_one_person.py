"""Four eyes are those of people, not of accounts; and who chooses the deciders decides."""

from __future__ import annotations

import pytest

from approvals import lifecycle, policy
from approvals.errors import FourEyes, InvalidFields, NotAReviewer
from approvals.lifecycle import Asked
from approvals.models import ApprovalRequest, User
from approvals.policy import Wanting
from approvals.states import Channel, RequestState, Verdict
from tests.factories import make_request, make_role, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def second_account(person: User, *, role: str = "reviewer", groups: tuple[str, ...] = ()) -> User:
    """Another account of PERSON: it has the same mail address."""
    other = make_user(f"{person.username}-two", role=role, groups=groups)
    User.objects.filter(pk=other.pk).update(email=person.email)
    return User.objects.get(pk=other.pk)


def approve(request: ApprovalRequest, reviewer: User) -> lifecycle.Decided:
    return lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.API
    )


def reassign(request: ApprovalRequest, operator: User, to: Asked, *, instead: str = "") -> None:
    former = request.assignments.filter(group__name=instead).first() if instead else None
    lifecycle.reassign(
        request.pk,
        operator=operator,
        to=to,
        instead_of=former.pk if former else None,
        reason="They are away.",
    )


def test_a_second_account_of_the_requester_decides_nothing() -> None:
    dana = make_user("dana")
    other = second_account(dana, groups=("desk",))
    make_user(groups=["desk"])
    request = make_request(groups=["desk"], wanting=Wanting(requested_by="dana"))
    with pytest.raises(FourEyes):
        approve(request, other)


def test_a_second_account_of_the_requester_forces_nothing() -> None:
    dana = make_user("dana")
    other = second_account(dana, role="operator")
    request = make_request(make_user(), wanting=Wanting(requested_by="dana"))
    with pytest.raises(FourEyes):
        lifecycle.force(
            request.pk,
            verdict=Verdict.APPROVED,
            operator=other,
            reason="Now.",
            channel=Channel.BROWSER,
        )


def test_a_request_for_only_the_requesters_other_account_is_refused() -> None:
    other = second_account(make_user("dana"))
    with pytest.raises(InvalidFields, match="Nobody of dana-two"):
        make_request(other, wanting=Wanting(requested_by="dana"))


def test_two_accounts_of_one_person_are_not_two_people_on_receipt() -> None:
    dana = make_user("dana")
    with pytest.raises(InvalidFields, match="Only one person"):
        make_request(dana, second_account(dana), required_approvals=2)


@pytest.mark.parametrize("wanted_by", ["olu", "OLU@example.com"])
def test_who_wants_a_request_does_not_choose_who_decides_it(wanted_by: str) -> None:
    olu = make_user("olu", role="operator")
    make_user("friend")
    request = make_request(make_user(), wanting=Wanting(requested_by=wanted_by))
    with pytest.raises(FourEyes):
        reassign(request, olu, Asked(username="friend"))


def test_an_operator_does_not_fill_a_place_they_moved_to_their_own_team() -> None:
    make_user(groups=["finance"])
    olu = make_user("olu", groups=["desk", "own"])
    olu.groups.add(make_role("operator"))
    make_user(groups=["own"])
    request = make_request(groups=["desk"], requirements=[{"group": "finance", "approvals": 1}])
    reassign(request, olu, Asked(group="own"), instead="finance")
    assert approve(request, olu).missing == 1
    request.refresh_from_db()
    assert request.state == RequestState.PENDING


def test_a_vote_cast_before_does_not_slide_into_a_place_its_voter_moved() -> None:
    make_user(groups=["finance"])
    olu = make_user("olu", groups=["desk", "own"])
    olu.groups.add(make_role("operator"))
    make_user(groups=["own"])
    bert = make_user("bert", groups=["desk"])
    request = make_request(
        groups=["desk"],
        required_approvals=2,
        requirements=[{"group": "finance", "approvals": 1}],
    )
    approve(request, olu)
    reassign(request, olu, Asked(group="own"), instead="finance")
    assert approve(request, bert).missing == 1


def test_an_operator_cannot_ask_their_own_second_account() -> None:
    olu = make_user("olu", role="operator")
    other = second_account(olu)
    request = make_request(make_user())
    with pytest.raises(InvalidFields, match="may not decide"):
        reassign(request, olu, Asked(username=other.username))
    with pytest.raises(NotAReviewer):
        policy.check_may_decide(request, other)


def test_a_step_that_would_end_the_matter_without_a_decision_is_refused() -> None:
    make_user(groups=["finance"])
    anna = make_user("anna", groups=["desk", "audit-team"])
    request = make_request(groups=["desk"], requirements=[{"group": "finance", "approvals": 1}])
    approve(request, anna)
    with pytest.raises(InvalidFields, match="would then be enough"):
        reassign(
            request,
            make_user(role="operator"),
            Asked(group="audit-team"),
            instead="finance",
        )


@pytest.mark.parametrize("name", ["da\u200bna", "dana\u00ad", "DANA", "\uff44ana"])
def test_a_name_that_looks_the_same_is_the_same(name: str) -> None:
    dana = make_user("dana", groups=["desk"])
    make_user(groups=["desk"])
    request = make_request(groups=["desk"], wanting=Wanting(requested_by=name))
    with pytest.raises(FourEyes):
        approve(request, dana)


def test_renaming_an_account_frees_nobody_whose_letters_fold_otherwise_in_sql() -> None:
    person = make_user("straße", groups=["desk"])
    make_user(groups=["desk"])
    request = make_request(groups=["desk"], wanting=Wanting(requested_by="STRASSE"))
    assert request.wanted_by_ids == [person.pk]
    User.objects.filter(pk=person.pk).update(username="renamed", email="other@example.com")
    with pytest.raises(FourEyes):
        approve(request, User.objects.get(pk=person.pk))
