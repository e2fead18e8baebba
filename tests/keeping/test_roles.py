"""Roles at one source are given to people and teams, and taken."""

from __future__ import annotations

import pytest

from approvals import keeping
from approvals.errors import InvalidFields
from approvals.models import ChangeEvent, SourceRole, User
from approvals.models.rights import OPERATE
from approvals.states import ChangeTag
from tests.factories import make_source, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_person_operates_the_one_source_until_the_role_is_taken(mara, orders):
    other = make_source("other")
    olu = make_user("olu")
    role = keeping.give_role("orders", may="operate", username="olu", admin=mara)
    rights = User.objects.get(pk=olu.pk).rights
    assert rights.may(OPERATE, orders.pk)
    assert not rights.may(OPERATE, other.pk)
    assert keeping.take_role("orders", role.pk, admin=mara)
    assert not User.objects.get(pk=olu.pk).rights.oversees_something
    assert [(event.tag, event.facts["user"]) for event in ChangeEvent.objects.all()] == [
        (ChangeTag.ROLE_GIVEN, "olu"),
        (ChangeTag.ROLE_TAKEN, "olu"),
    ]


def test_a_team_holds_a_role_through_its_members(mara, orders):
    olu = make_user("olu", groups=["night-watch"])
    keeping.give_role("orders", may="audit", group="night-watch", admin=mara)
    assert User.objects.get(pk=olu.pk).rights.overseen_ids == [orders.pk]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"may": "administer", "username": "olu"}, "may"),
        ({"may": "operate"}, "username"),
        ({"may": "operate", "username": "olu", "group": "night-watch"}, "username"),
        ({"may": "operate", "username": "nobody"}, "username"),
        ({"may": "operate", "username": "gone"}, "username"),
        ({"may": "operate", "group": "nobodies"}, "group"),
        ({"may": "operate", "group": "reviewer"}, "group"),
    ],
)
def test_what_makes_no_sense_gives_no_role(mara, orders, wish, field):
    make_user("olu")
    gone = make_user("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    make_team("night-watch")
    with pytest.raises(InvalidFields) as refused:
        keeping.give_role("orders", **wish, admin=mara)
    assert set(refused.value.fields) == {field}
    assert not SourceRole.objects.exists()


def test_a_role_is_held_once_and_only_taken_where_it_is_held(mara, orders):
    make_user("olu")
    make_source("other")
    role = keeping.give_role("orders", may="audit", username="olu", admin=mara)
    with pytest.raises(InvalidFields, match="already"):
        keeping.give_role("orders", may="audit", username="olu", admin=mara)
    assert not keeping.take_role("other", role.pk, admin=mara)
    assert SourceRole.objects.count() == 1
