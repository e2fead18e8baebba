"""Who may decide is one question, whether it is asked of many at receipt or of one later."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission

from approvals.errors import InvalidFields
from approvals.models import CallbackSource, Notice, SourceRole, User
from tests.factories import make_kind, make_request, make_source, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def _leads(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_superuser=True)


def _left(person: User) -> None:
    _leads(person)
    User.objects.filter(pk=person.pk).update(is_active=False)


def _by_permission(person: User) -> None:
    person.user_permissions.add(Permission.objects.get(codename="review"))


def _by_other_permission(person: User) -> None:
    person.user_permissions.add(Permission.objects.get(codename="operate"))


def _by_role(person: User) -> None:
    team = Group.objects.create(name="seniors")
    team.permissions.add(Permission.objects.get(codename="review"))
    person.groups.add(team)


def _here(person: User) -> None:
    SourceRole.objects.create(
        source=CallbackSource.objects.get(slug="shop"), may="review", user=person
    )


def _here_by_team(person: User) -> None:
    team = make_team("order-desk")
    SourceRole.objects.create(
        source=CallbackSource.objects.get(slug="shop"), may="review", group=team
    )


def _elsewhere(person: User) -> None:
    SourceRole.objects.create(source=make_source("elsewhere"), may="review", user=person)


def _other_word(person: User) -> None:
    SourceRole.objects.create(
        source=CallbackSource.objects.get(slug="shop"), may="operate", user=person
    )


def _nothing(person: User) -> None:
    assert not person.user_permissions.exists()


_MAY = [_leads, _by_permission, _by_role, _here, _here_by_team]
_MAY_NOT = [_left, _by_other_permission, _elsewhere, _other_word, _nothing]


@pytest.mark.parametrize("allow", _MAY + _MAY_NOT)
def test_receipt_tells_exactly_those_of_a_team_who_may_review_at_the_source(
    allow: Callable[[User], None],
) -> None:
    make_kind()
    chief = make_user("chief", groups=["order-desk"])
    person = make_user("pia", role="auditor", groups=["order-desk"])
    source = make_source("shop")
    allow(person)

    request = make_request(groups=["order-desk"], source=source)

    told = set(Notice.objects.filter(request=request).values_list("user_id", flat=True))
    assert told == {chief.pk, person.pk} if allow in _MAY else {chief.pk}
    assert told == set(User.objects.reviewers(request.source_id).values_list("pk", flat=True))


def test_a_source_whose_kind_names_somebody_is_not_asked_for_its_own_people() -> None:
    kind, source = make_kind(), make_source("shop")
    mine, theirs = make_user("mine"), make_user("theirs", groups=["order-desk"])
    source.default_users.add(theirs)
    source.default_groups.add(make_team("order-desk"))
    kind.default_users.add(mine)

    request = make_request(source=source, users=[], groups=[])

    assert [(row.user, row.group) for row in request.assignments.all()] == [(mine, None)]


def test_named_people_take_the_place_of_every_default() -> None:
    kind, source = make_kind(), make_source("shop")
    named, usual = make_user("named"), make_user("usual")
    kind.default_users.add(usual)
    source.default_groups.add(make_team("order-desk"))

    request = make_request(source=source, users=["named"])

    assert [(row.user, row.group) for row in request.assignments.all()] == [(named, None)]


def test_a_role_is_nobody_to_ask() -> None:
    make_kind()
    make_user("anna")

    with pytest.raises(InvalidFields):
        make_request(groups=["reviewer"])
