"""Several groups must agree: each vote fills at most one place, of people who may still decide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from approvals import lifecycle, policy
from approvals.errors import InvalidFields, NotAReviewer
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackDelivery,
    Decision,
    KindRequirement,
    Requirement,
    SourceRole,
    User,
)
from approvals.policy import Wanting
from approvals.states import AuditTag, Channel, RequestState, Verdict
from tests.factories import (
    make_kind,
    make_request,
    make_role,
    make_source,
    make_team,
    make_user,
    new_request,
)
from tests.review.people import Caller, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

BOTH = [{"group": "finance", "approvals": 1}, {"group": "security", "approvals": 1}]


@pytest.fixture
def fay() -> User:
    return make_user("fay", groups=["finance"])


@pytest.fixture
def sam() -> User:
    return make_user("sam", groups=["security"])


@pytest.fixture
def ada() -> User:
    """In both groups."""
    return make_user("ada", groups=["finance", "security"])


def approve(request: ApprovalRequest, reviewer: User) -> int:
    """How many more approvals it takes after REVIEWER's."""
    done = lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.API
    )
    return done.missing


def required(request: ApprovalRequest) -> list[str]:
    return [str(row) for row in request.requirements.order_by("pk")]


def refused(**fields: Any) -> dict[str, str]:
    """What intake says of a request that cannot be met; nothing is written."""
    make_kind()
    with pytest.raises(InvalidFields) as said:
        lifecycle.receive(make_source(), new_request(**fields), sent_at=None)
    assert not ApprovalRequest.objects.exists()
    assert not Requirement.objects.exists()
    return said.value.fields


def test_one_of_each_group_must_approve(fay: User, sam: User) -> None:
    make_user("finn", groups=["finance"])
    request = make_request(groups=["finance"], requirements=BOTH)
    finn = User.objects.get(username="finn")

    assert request.required_approvals == 2
    assert approve(request, fay) == 1
    assert approve(request, finn) == 1  # finance has agreed already
    assert approve(request, sam) == 0
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    document = json.loads(CallbackDelivery.objects.get().body)
    assert document["decided_by"] == ["fay", "finn", "sam"]


@pytest.mark.parametrize("first", ["ada", "fay"])
def test_who_is_in_both_groups_makes_room_for_who_is_in_one(
    fay: User, sam: User, ada: User, first: str
) -> None:
    request = make_request(groups=["finance"], requirements=BOTH)
    votes = [ada, fay] if first == "ada" else [fay, ada]

    assert approve(request, votes[0]) == 1
    assert approve(request, votes[1]) == 0


def test_one_vote_never_fills_two_places(ada: User, sam: User) -> None:
    request = make_request(groups=["finance"], requirements=BOTH)

    assert approve(request, ada) == 1
    request.refresh_from_db()
    assert request.is_pending


def test_one_rejection_ends_it_whatever_is_required(fay: User, sam: User) -> None:
    request = make_request(groups=["finance"], requirements=BOTH)

    lifecycle.decide(
        request.pk, verdict=Verdict.REJECTED, reviewer=fay, channel=Channel.API, comment="No."
    )

    request.refresh_from_db()
    assert request.state == RequestState.REJECTED


def test_who_left_the_group_since_fills_no_place(fay: User, sam: User) -> None:
    finn = make_user("finn", groups=["finance"])
    request = make_request(groups=["finance"], requirements=BOTH)
    approve(request, fay)
    fay.groups.remove(make_team("finance"))

    assert approve(request, sam) == 1
    assert approve(request, finn) == 0
    assert json.loads(CallbackDelivery.objects.get().body)["decided_by"] == ["sam", "finn"]


@pytest.mark.parametrize("loss", ["inactive", "no role"])
def test_votes_of_who_may_decide_no_more_do_not_count(fay: User, sam: User, loss: str) -> None:
    finn = make_user("finn", groups=["finance"])
    request = make_request(groups=["finance"], requirements=BOTH)
    approve(request, fay)
    lose(fay, loss)

    assert approve(request, sam) == 1
    assert approve(request, finn) == 0


def test_more_approvals_than_the_groups_ask_for_may_come_from_anybody_asked(
    fay: User, sam: User
) -> None:
    anna = make_user("anna")
    request = make_request(anna, requirements=BOTH, required_approvals=3)

    assert [approve(request, person) for person in (anna, fay, sam)] == [2, 1, 0]


def test_two_people_must_approve_where_one_group_asks_for_one(fay: User) -> None:
    anna = make_user("anna")
    one = [{"group": "finance", "approvals": 1}]
    request = make_request(anna, make_user("bert"), requirements=one, required_approvals=2)
    bert = User.objects.get(username="bert")

    assert approve(request, anna) == 1
    assert approve(request, bert) == 1  # nobody of finance has approved
    assert approve(request, fay) == 0


def test_a_kind_says_what_is_required_where_the_request_does_not(fay: User, sam: User) -> None:
    kind = make_kind("payment")
    for name in ("finance", "security"):
        KindRequirement.objects.create(kind=kind, group=make_team(name))

    usual = make_request(kind="payment", groups=["finance"])
    own = make_request(
        kind="payment", groups=["finance"], requirements=[{"group": "security", "approvals": 1}]
    )

    assert required(usual) == ["1 of finance", "1 of security"]
    assert usual.required_approvals == 2
    assert (required(own), own.required_approvals) == (["1 of security"], 1)


def test_what_a_kind_requires_later_changes_no_request_of_before(fay: User) -> None:
    kind = make_kind("payment")
    request = make_request(kind="payment", groups=["finance"])
    KindRequirement.objects.create(kind=kind, group=make_team("security"))

    assert approve(request, fay) == 0


@pytest.mark.parametrize("why", ["empty", "too few", "requester", "shared", "inactive"])
def test_what_cannot_be_met_is_refused_and_names_the_group(
    fay: User, sam: User, ada: User, why: str
) -> None:
    wish: dict[str, Any] = {"requirements": BOTH, "groups": ["finance"]}
    if why == "empty":
        make_team("empty")
        wish["requirements"] = [*BOTH, {"group": "empty", "approvals": 1}]
    elif why == "too few":
        wish["requirements"] = [{"group": "security", "approvals": 3}]
    elif why == "requester":
        ada.groups.remove(make_team("security"))
        wish["wanting"] = Wanting(requested_by="sam")
    elif why == "shared":  # one person for two places
        fay.groups.clear()
        sam.groups.clear()
    else:
        User.objects.filter(username__in=["sam", "ada"]).update(is_active=False)

    said = refused(**wish)

    words = " ".join(said.values())
    assert ("empty" if why == "empty" else "security" if why != "shared" else "") in words
    assert "Requesters may not decide" in words


@pytest.mark.parametrize("group", ["ghosts", "reviewer"])
def test_a_group_there_is_not_is_refused_by_name(fay: User, group: str) -> None:
    said = refused(requirements=[{"group": group, "approvals": 1}], groups=["finance"])
    assert group in said["requirements"]


def test_what_is_required_is_frozen_by_the_database(fay: User, sam: User) -> None:
    request = make_request(groups=["finance"], requirements=BOTH)
    row = request.requirements.first()
    assert row is not None

    for change in ({"approvals": 5}, {"request": make_request(fay)}):
        with pytest.raises(IntegrityError, match="frozen on receipt"), transaction.atomic():
            Requirement.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(IntegrityError, match="frozen on receipt"), transaction.atomic():
        Requirement.objects.filter(pk=row.pk).delete()
    assert required(request) == ["1 of finance", "1 of security"]


def test_history_and_the_api_say_what_is_required(fay: User, sam: User) -> None:
    request = make_request(groups=["finance"], requirements=BOTH)

    facts = AuditEvent.objects.get(tag=AuditTag.RECEIVED).facts
    assert facts["requirements"] == [["finance", 1], ["security", 1]]
    detail = Caller(fay).get(f"/api/v1/requests/{request.public_id}").json()
    assert detail["requirements"] == [
        {"group": "finance", "approvals": 1}, {"group": "security", "approvals": 1},
    ]  # fmt: skip
    assert (detail["required"], detail["missing"]) == (2, 2)


def test_the_page_says_in_words_who_must_approve_and_who_has(fay: User, sam: User) -> None:
    request = make_request(groups=["finance"], requirements=BOTH)
    page = request.get_absolute_url()

    text = signed_in(sam).get(page).content.decode()
    assert (
        "1 of finance and 1 of security must approve; nobody has approved yet, "
        "1 of finance and 1 of security to go." in text
    )
    approve(request, fay)
    text = signed_in(sam).get(page).content.decode()
    assert "1 of finance and 1 of security must approve; Fay approved, 1 of security to go." in text


def lose(person: User, what: str) -> None:
    """From now on PERSON may not decide; objects loaded before do not know it."""
    if what == "inactive":
        User.objects.filter(pk=person.pk).update(is_active=False)
    elif what == "no role":
        person.groups.remove(make_role("reviewer"))
    else:
        person.groups.remove(make_team("finance"))


@pytest.mark.parametrize("loss", ["inactive", "no role", "left the group"])
def test_who_loses_the_right_decides_nothing_from_that_moment(fay: User, loss: str) -> None:
    make_user("finn", groups=["finance"])
    request = make_request(groups=["finance"])
    loaded = User.objects.get(pk=fay.pk)
    assert policy.may_decide(request, loaded) == ""
    assert loaded.rights.may("review", request.source_id)
    page, program = signed_in(fay), Caller(fay)

    lose(fay, loss)

    with pytest.raises(NotAReviewer):
        approve(request, loaded)
    with pytest.raises(NotAReviewer):
        lifecycle.claim(request.pk, reviewer=loaded)
    pressed = page.post(f"/requests/{request.public_id}/decide/", {"verdict": "approved"})
    sent = program.decide(request, {"verdict": "approved"})
    # Signed out; seen but not allowed; not seen any more.
    expected = {"inactive": (302, 401), "no role": (403, 403), "left the group": (404, 404)}
    assert (pressed.status_code, sent.status_code) == expected[loss]
    assert not Decision.objects.exists()


@pytest.mark.parametrize("through", ["by name", "by group"])
def test_a_reviewer_at_one_source_decides_there_and_only_there(through: str) -> None:
    here, there = make_source(), make_source()
    rita = make_user("rita", groups=["late-shift"])
    rita.groups.remove(make_role("reviewer"))
    role = SourceRole(source=here, may="review")
    if through == "by name":
        role.user = rita
    else:
        role.group = make_team("late-shift")
    role.save()
    rita = User.objects.get(pk=rita.pk)
    other = make_user("other")
    mine = make_request(rita, other, source=here)
    foreign = make_request(rita, other, source=there)

    with pytest.raises(NotAReviewer):
        approve(foreign, rita)
    pressed = signed_in(rita).post(
        f"/requests/{foreign.public_id}/decide/", {"verdict": "approved"}
    )
    assert pressed.status_code == 403
    assert Caller(rita).decide(foreign, {"verdict": "approved"}).status_code == 403
    assert Caller(rita).decide(mine, {"verdict": "approved"}).status_code == 200
    role.delete()
    later = make_request(rita, other, source=here)
    with pytest.raises(NotAReviewer):
        approve(later, rita)


def test_only_reviewers_of_the_source_count_when_it_is_received() -> None:
    rita = make_user("rita")
    rita.groups.clear()
    SourceRole.objects.create(source=make_source(), may="review", user=rita)

    assert "Nobody of rita may decide this" in refused(users=["rita"])["assignees"]


def test_a_stranger_to_a_requirement_sees_nothing_of_it(fay: User) -> None:
    request = make_request(requirements=[{"group": "finance", "approvals": 1}], groups=["finance"])
    client = Client()
    client.force_login(make_user("stranger"))
    assert client.get(request.get_absolute_url()).status_code == 404


def test_groups_that_are_required_are_asked_where_nobody_else_is_named() -> None:
    make_user(groups=["finance"])
    request = make_request(users=[], requirements=[{"group": "finance", "approvals": 1}])
    assert [str(row.group) for row in request.assignments.all()] == ["finance"]
