"""An operator puts a pending request before others; nobody gains a say by asking themselves."""

from __future__ import annotations

from typing import Any

import pytest

from approvals import lifecycle, policy
from approvals.errors import AlreadyClosed, InvalidFields, NotAnOperator, NotAReviewer
from approvals.lifecycle import Asked
from approvals.models import ApprovalRequest, AuditEvent, Notice, SourceRole, User
from approvals.policy import Wanting
from approvals.states import AuditTag, Channel, NoticeKind, RequestState, Verdict
from tests.factories import make_request, make_source, make_team, make_user, past_its_deadline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def olu() -> User:
    return make_user("olu", role="operator")


@pytest.fixture
def anna() -> User:
    return make_user("anna")


def reassign(request: ApprovalRequest, operator: User, **wish: Any) -> ApprovalRequest:
    wish = {"instead_of": None, "reason": "Anna is away.", **wish}
    return lifecycle.reassign(request.pk, operator=operator, **wish)


def refusal(request: ApprovalRequest, operator: User, **wish: Any) -> dict[str, str]:
    """What the desk says; nothing may have changed."""
    before = sorted(asked(request))
    with pytest.raises(InvalidFields) as refused:
        reassign(request, operator, **wish)
    assert sorted(asked(request)) == before
    assert not AuditEvent.objects.filter(tag=AuditTag.REASSIGNED).exists()
    return refused.value.fields


def asked(request: ApprovalRequest) -> list[str]:
    return [str(row) for row in request.assignments.order_by("pk")]


def approve(request: ApprovalRequest, reviewer: User) -> lifecycle.Decided:
    return lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.API
    )


def place_of(request: ApprovalRequest, name: str) -> int:
    """The assignment by which the team NAME, or the person of that username, is asked."""
    rows = request.assignments.all()
    found = rows.filter(group__name=name).first() or rows.get(user__username=name)
    return int(found.pk)


def test_who_is_asked_as_well_may_decide_and_is_told(anna: User, olu: User) -> None:
    bert = make_user("bert")
    request = make_request(anna)

    reassign(request, olu, to=Asked(username="bert"))

    assert asked(request) == ["Anna", "Bert"]
    assert Notice.objects.filter(request=request, user=bert, kind=NoticeKind.ASKED).exists()
    event = AuditEvent.objects.get(tag=AuditTag.REASSIGNED)
    assert event.actor == olu
    assert event.facts == {
        "reason": "Anna is away.", "to": "bert", "instead_of": None, "requirement": None,
    }  # fmt: skip
    approve(request, bert)
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED


def test_who_was_asked_before_decides_nothing_more(anna: User, olu: User) -> None:
    make_user("bert", groups=["finance"])
    request = make_request(anna)

    reassign(request, olu, to=Asked(group="finance"), instead_of=place_of(request, "anna"))

    assert asked(request) == ["finance"]
    with pytest.raises(NotAReviewer):
        approve(request, anna)


def test_a_vote_of_somebody_who_is_asked_no_more_does_not_count(anna: User, olu: User) -> None:
    bert, cleo = make_user("bert"), make_user("cleo")
    request = make_request(anna, bert, required_approvals=2)
    approve(request, anna)

    reassign(request, olu, to=Asked(username="cleo"), instead_of=place_of(request, "anna"))

    assert approve(request, bert).missing == 1
    assert approve(request, cleo).missing == 0


def test_what_is_required_moves_with_its_team(anna: User, olu: User) -> None:
    make_user("fay", groups=["finance"])
    cleo = make_user("cleo", groups=["controlling"])
    request = make_request(anna, requirements=[{"group": "finance", "approvals": 1}])

    reassign(request, olu, to=Asked(group="controlling"), instead_of=place_of(request, "finance"))

    assert [str(row) for row in request.requirements.all()] == ["1 of controlling"]
    facts = AuditEvent.objects.get(tag=AuditTag.REASSIGNED).facts
    assert facts["requirement"] == ["controlling", 1]
    assert approve(request, anna).missing == 1
    assert approve(request, cleo).missing == 0


def test_a_person_does_not_stand_in_for_a_team_that_must_approve(anna: User, olu: User) -> None:
    make_user("fay", groups=["finance"])
    request = make_request(requirements=[{"group": "finance", "approvals": 1}], groups=["finance"])

    said = refusal(request, olu, to=Asked(username="anna"), instead_of=place_of(request, "finance"))

    assert "name a team in its place" in said["to"]


def test_whoever_asks_themselves_gains_nothing(anna: User) -> None:
    both = make_user("both", groups=["order-desk"])
    SourceRole.objects.create(source=(source := make_source()), may="operate", user=both)
    request = make_request(anna, source=source)

    assert "nor may whoever asks" in refusal(request, both, to=Asked(username="both"))["to"]
    assert "nor may whoever asks" in refusal(request, both, to=Asked(group="order-desk"))["to"]

    make_user("dora", groups=["order-desk"])
    reassign(request, both, to=Asked(group="order-desk"))
    with pytest.raises(NotAReviewer):
        approve(request, both)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (Asked(), "Name one person or one team."),
        (Asked(username="anna", group="finance"), "Name one person or one team."),
        (Asked(username="bert\0"), "Name one person or one team."),
        (Asked(username="ghost"), "There is nobody called 'ghost'."),
        (Asked(username="gone"), "There is nobody called 'gone'."),
        (Asked(group="ghosts"), "There is no team 'ghosts'."),
        (Asked(group="reviewer"), "There is no team 'reviewer'."),
        (Asked(group="empty"), "Nobody of empty may decide this"),
        (Asked(username="aud"), "Aud may not decide this"),
        (Asked(username="req"), "Req may not decide this"),
        (Asked(username="anna"), "Anna is asked already"),
        (Asked(group="finance"), "finance is asked already"),
    ],
)
def test_nobody_in_particular_cannot_be_asked(anna: User, olu: User, to: Asked, words: str) -> None:
    for name, role in (("gone", "reviewer"), ("aud", "auditor"), ("req", "reviewer")):
        make_user(name, role=role)
    User.objects.filter(username="gone").update(is_active=False)
    make_team("empty")
    make_team("finance")
    request = make_request(anna, groups=["finance"], wanting=Wanting(requested_by="req"))

    assert words in refusal(request, olu, to=to)["to"]


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 501, "a\0b"])
def test_others_are_asked_only_with_a_reason(anna: User, olu: User, reason: str) -> None:
    make_user("bert")
    said = refusal(make_request(anna), olu, to=Asked(username="bert"), reason=reason)
    assert set(said) == {"reason"}


def test_nobody_is_put_in_the_place_of_somebody_who_is_not_asked(anna: User, olu: User) -> None:
    make_user("bert")
    other = make_request(make_user())
    said = refusal(
        make_request(anna),
        olu,
        to=Asked(username="bert"),
        instead_of=other.assignments.get().pk,
    )
    assert set(said) == {"instead_of"}


@pytest.mark.parametrize("ending", ["decided", "late"])
def test_what_is_over_is_put_before_nobody(anna: User, olu: User, ending: str) -> None:
    make_user("bert")
    request = make_request(anna, timeout_seconds=60)
    if ending == "decided":
        approve(request, anna)
    else:
        past_its_deadline(request)

    with pytest.raises(AlreadyClosed):
        reassign(request, olu, to=Asked(username="bert"))
    assert asked(request) == ["Anna"]


@pytest.mark.parametrize("role", ["reviewer", "auditor", "elsewhere", "stripped", "inactive"])
def test_only_an_operator_of_the_source_puts_it_before_others(anna: User, role: str) -> None:
    person = make_user("person", role=role if role in ("reviewer", "auditor") else "operator")
    request = make_request(anna, person)
    make_user("bert")
    if role == "elsewhere":
        person.groups.clear()
        SourceRole.objects.create(source=make_source(), may="operate", user=person)
    if role in ("stripped", "inactive"):
        assert person.rights.may("operate", request.source_id)  # as the object remembers it
        person.groups.clear()
        User.objects.filter(pk=person.pk).update(is_active=role != "inactive")

    with pytest.raises(NotAnOperator):
        reassign(request, person, to=Asked(username="bert"))
    assert asked(request) == ["Anna", "Person"]


def test_too_few_are_never_left_by_asking_others_instead(anna: User, olu: User) -> None:
    bert = make_user("bert", groups=["finance"])
    request = make_request(anna, bert, required_approvals=2)

    said = refusal(request, olu, to=Asked(group="finance"), instead_of=place_of(request, "anna"))

    assert "1 too few" in said["to"]


def test_a_stranded_request_is_brought_back_step_by_step(anna: User, olu: User) -> None:
    fay, sam = make_user("fay", groups=["finance"]), make_user("sam", groups=["security"])
    request = make_request(
        groups=["finance"],
        requirements=[{"group": "finance", "approvals": 1}, {"group": "security", "approvals": 1}],
    )
    fay.groups.remove(make_team("finance"))
    sam.groups.remove(make_team("security"))
    cleo = make_user("cleo", groups=["controlling"])
    dora = make_user("dora", groups=["defence"])

    reassign(request, olu, to=Asked(group="controlling"), instead_of=place_of(request, "finance"))
    reassign(request, olu, to=Asked(group="defence"), instead_of=place_of(request, "security"))

    assert approve(request, cleo).missing == 1
    assert approve(request, dora).missing == 0


def test_help_that_does_not_help_is_said_so(anna: User, olu: User) -> None:
    fay = make_user("fay", groups=["finance"])
    request = make_request(requirements=[{"group": "finance", "approvals": 1}], groups=["finance"])
    fay.groups.remove(make_team("finance"))

    assert "1 too few" in refusal(request, olu, to=Asked(username="anna"))["to"]


def test_a_person_in_the_place_of_another_stands_in_the_queue_at_once(
    anna: User, olu: User
) -> None:
    bert = make_user("bert")
    request = make_request(anna, timeout_seconds=600)

    reassign(request, olu, to=Asked(username="bert"), instead_of=place_of(request, "anna"))

    assert ApprovalRequest.objects.visible_to(bert).get() == request
    assert not ApprovalRequest.objects.visible_to(anna).exists()
    assert policy.may_decide(request, bert) == ""
