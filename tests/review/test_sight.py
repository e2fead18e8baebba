"""Who may see a request is asked in two places, and they agree."""

from __future__ import annotations

import pytest

from approvals import lifecycle
from approvals.models import SourceRole, User
from approvals.models.panel import settling_of
from approvals.models.sight import seen_by
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_source, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_panel_is_seen_by_exactly_those_who_see_the_page() -> None:
    here, elsewhere = make_source("here"), make_source("elsewhere")
    named = make_user("named")
    member = make_user("member", groups=["order-desk"])
    voter = make_user("voter", groups=["order-desk"])
    request = make_request(named, source=here, groups=["order-desk"], required_approvals=2)
    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=voter, channel=Channel.API, comment="Fine."
    )
    voter.groups.remove(make_team("order-desk"))
    seers = [named, member, voter]
    seers += [make_user(role=role) for role in ("operator", "auditor", "admin")]
    seers += [User.objects.create_superuser("root")]
    for may in ("operate", "audit"):
        seers.append(make_user(f"{may}-here"))
        SourceRole.objects.create(source=here, may=may, user=seers[-1])
    seers.append(make_user("team-here", groups=["watch"]))
    SourceRole.objects.create(source=here, may="audit", group=make_team("watch"))
    strangers = [make_user("stranger"), make_user("reviews-here"), make_user("operates-elsewhere")]
    SourceRole.objects.create(source=here, may="review", user=strangers[1])
    SourceRole.objects.create(source=elsewhere, may="operate", user=strangers[2])
    for person, sees in [*((p, True) for p in seers), *((p, False) for p in strangers)]:
        fresh = User.objects.get(pk=person.pk)
        assert seen_by(fresh).filter(pk=request.pk).exists() is sees, person
        assert (settling_of(fresh, request.public_id) is not None) is sees, person
