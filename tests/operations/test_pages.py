"""What operators and auditors see, and everybody else does not."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from approvals import doorbell, lifecycle
from approvals.clock import database_now
from approvals.models import (
    ApprovalRequest,
    CallbackDelivery,
    Heartbeat,
    SourceRole,
    SweepMark,
    User,
)
from approvals.models.outlook import Outlook, outlook_of
from approvals.operations import lists
from approvals.operations.lists import Show
from approvals.policy import Wanting
from approvals.states import Channel, DeliveryState, Verdict
from tests.factories import (
    make_kind,
    make_request,
    make_role,
    make_source,
    make_team,
    make_user,
    past_its_deadline,
)

pytestmark = pytest.mark.django_db(transaction=True)

CALLBACKS = reverse("approvals:operations-callbacks")
DELIVERIES = reverse("approvals:operations-deliveries")
PAGES = [CALLBACKS, DELIVERIES]


@pytest.fixture
def olu(client) -> User:
    operator = make_user("olu", role="operator")
    client.force_login(operator)
    return operator


def text(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(unescape(answer.content.decode()).split())


def decided(verdict: Verdict = Verdict.APPROVED, **fields) -> CallbackDelivery:
    reviewer = make_user()
    request = make_request(reviewer, **fields)
    lifecycle.decide(
        request.pk, verdict=verdict, reviewer=reviewer, channel=Channel.BROWSER, comment="Because."
    )
    return CallbackDelivery.objects.get(request=request)


def settle(delivery: CallbackDelivery, state: DeliveryState, reply: str, detail: str = "") -> None:
    CallbackDelivery.objects.filter(pk=delivery.pk).update(
        state=state, last_reply=reply, detail=detail, settled_at=database_now(), attempts=1
    )


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("role", "status"), [("operator", 200), ("auditor", 200), ("admin", 200), ("reviewer", 404)]
)
def test_only_those_who_see_everything_come_in(client, page, role, status):
    client.force_login(make_user(role=role))
    assert client.get(page).status_code == status


@pytest.mark.parametrize("page", PAGES)
def test_strangers_sign_in_first_and_come_back(client, page):
    answer = client.get(f"{page}?after=x")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    assert "after" in answer["Location"]


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_posted_to_a_list(client, olu, page):
    assert client.post(page).status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_no_cache_keeps_a_page(client, olu, page):
    assert "no-store" in client.get(page)["Cache-Control"]


def test_the_door_itself_leads_to_the_callbacks(client, olu):
    assert client.get("/operations/")["Location"] == CALLBACKS


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "after", ["x", "2026-01-01T00:00:00~1", "2026-01-01T00:00:00+00:00~-1", "~"]
)
def test_a_place_there_is_not_is_404(client, olu, page, after):
    assert client.get(page, {"after": after}).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_six_statements_however_full_it_is(
    client, olu, page, django_assert_max_num_queries
):
    reviewer = make_user("rita", groups=["order-desk"])
    source = make_source()
    for _ in range(4):
        make_request(
            reviewer, source=source, groups=["order-desk"], heartbeat_timeout_seconds=30,
            execution_arn="fn/durable-execution/run/1",
        )  # fmt: skip
        settle(decided(source=source), DeliveryState.UNDELIVERABLE, "refused", "X: y")
    with django_assert_max_num_queries(6):
        client.get(page)


def test_a_callback_shows_who_has_it_its_clocks_and_its_beats(client, olu):
    reviewer = make_user("rita", groups=["order-desk"])
    request = make_request(
        source=make_source("orders"), title="Release NO-7", users=[], groups=["order-desk"],
        timeout_seconds=1200, due_in_seconds=300, heartbeat_timeout_seconds=90,
        execution_arn="arn/durable-execution/run-7/x",
    )  # fmt: skip
    page = text(client, CALLBACKS)
    for words in ["Release NO-7", "Orders, run run-7", "Nobody yet", "asked: order-desk",
                  "first one due", "every 30 s"]:  # fmt: skip
        assert words in page
    assert (
        f'AWS stops at <time class="clock" datetime="{request.callback_expires_at.isoformat()}'
        in page
    )
    assert request.get_absolute_url() in page
    lifecycle.claim(request.pk, reviewer=reviewer)
    assert "Rita<span" in text(client, CALLBACKS)


def test_a_claim_that_is_over_counts_no_longer(client, olu, settings):
    settings.CLAIM_LASTS = timedelta(seconds=-1)
    reviewer = make_user("rita")
    lifecycle.claim(make_request(reviewer).pk, reviewer=reviewer)
    assert "Nobody yet" in text(client, CALLBACKS)


def test_a_late_heartbeat_is_named_with_word_and_icon_and_can_be_listed_alone(client, olu):
    make_request(make_user(), title="On time", heartbeat_timeout_seconds=60)
    late = make_request(make_user(), title="Silent", heartbeat_timeout_seconds=60)
    Heartbeat.objects.filter(pk=late.pk).update(
        next_beat_at=database_now() - timedelta(seconds=40), misses=2, trouble="X: away."
    )
    page = text(client, CALLBACKS)
    assert "late by 40 s" in page
    assert "missed 2: X: away." in page
    assert page.count("hb--late") == 1
    only_late = text(client, f"{CALLBACKS}?show=late")
    assert "Silent" in only_late
    assert "On time" not in only_late


def test_the_filter_and_the_row_agree_about_what_is_late(olu):
    now = database_now()
    for seconds in (9, 11):  # half of the interval of 20 s is 10 s
        request = make_request(make_user(), heartbeat_timeout_seconds=60)
        Heartbeat.objects.filter(pk=request.pk).update(
            next_beat_at=now - timedelta(seconds=seconds)
        )
    found = lists.waiting_callbacks(seen_by=olu, now=now, show=Show.LATE, after=None).rows
    late = [beat.pk for beat in Heartbeat.objects.all() if beat.is_late(now)]
    assert [row.pk for row in found] == late
    assert lists.figures(now, seen_by=make_user(role="operator")).late == len(late) == 1


def test_every_callback_stands_on_exactly_one_page(client, olu, monkeypatch):
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    source, reviewer = make_source(), make_user()
    titles = [make_request(reviewer, source=source, title=f"T{n:02}").title for n in range(5)]
    seen, address = [], CALLBACKS
    for _ in range(3):
        answer = client.get(address)
        seen += [line.callback.title for line in answer.context["lines"]]
        address = answer.context["next_url"]
    assert seen == titles
    assert address == ""


def test_every_stuck_answer_stands_on_exactly_one_page(client, olu, monkeypatch):
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    source = make_source()
    titles = [decided(source=source, title=f"T{n:02}").request.title for n in range(5)]
    seen, address = [], DELIVERIES
    for _ in range(3):
        answer = client.get(address)
        seen += [line.owed.request.title for line in answer.context["stuck"]]
        address = answer.context["next_url"]
    assert seen == titles[::-1]
    assert address == ""


def test_what_aws_took_stands_apart_and_only_on_the_first_page(client, olu):
    taken = decided(title="Taken one")
    settle(taken, DeliveryState.DELIVERED, "accepted")
    decided(title="Open one")
    answer = client.get(DELIVERIES)
    assert [line.owed.request.title for line in answer.context["stuck"]] == ["Open one"]
    assert [line.owed.request.title for line in answer.context["taken"]] == ["Taken one"]
    later = client.get(DELIVERIES, {"after": "2099-01-01T00:00:00+00:00~1"})
    assert later.context["taken"] == []


@pytest.mark.parametrize(
    ("state", "reply", "words"),
    [
        ("undeliverable", "closed", "AWS no longer waited"),
        ("undeliverable", "refused", "Mend the cause"),
        ("undeliverable", "unavailable", "before the callback expired"),
        ("unconfirmed", "closed", "An earlier attempt of ours may have been taken"),
    ],
)
def test_every_end_of_an_answer_is_explained(client, olu, state, reply, words):
    settle(decided(), DeliveryState(state), reply, "SomeException: What it said.")
    page = text(client, DELIVERIES)
    assert words in page
    assert "Some<wbr>Exception</span>" in page
    assert "What it said." in page


def test_an_answer_on_its_way_is_told_from_one_tried_again(client, olu):
    decided()
    assert "On its way" in text(client, DELIVERIES)
    CallbackDelivery.objects.update(last_reply="unavailable", attempts=3)
    assert "Trying again" in text(client, DELIVERIES)
    CallbackDelivery.objects.update(in_flight=True)
    assert "Being sent" in text(client, DELIVERIES)


def test_an_answer_names_who_decided_or_that_a_rule_did(client, olu):
    reviewer = decided().request.decisions.get().reviewer
    expired = past_its_deadline(make_request(make_user(), timeout_seconds=60, title="Old one"))
    lifecycle.strike(expired.pk, now=database_now())
    page = text(client, DELIVERIES)
    assert f"by {reviewer.display_name}<" in page
    assert "by a rule<" in page


def test_a_title_is_text_and_its_tricks_are_shown(client, olu):
    decided(title="<script>alert(1)</script> \u202e")
    make_request(make_user(), title="<img src=x> \u202e")
    for page in PAGES:
        content = client.get(page).content.decode()
        assert "<script>alert" not in content
        assert "<img src=x" not in content
        assert "[U+202E]" in content


def test_figures_count_what_they_name(olu):
    now = database_now()
    make_request(make_user(), timeout_seconds=600)
    make_request(make_user(), timeout_seconds=7200)
    settle(decided(), DeliveryState.UNDELIVERABLE, "closed")
    settle(decided(), DeliveryState.DELIVERED, "accepted")
    old = decided()
    settle(old, DeliveryState.UNDELIVERABLE, "closed")
    CallbackDelivery.objects.filter(pk=old.pk).update(settled_at=now - timedelta(days=2))
    assert lists.figures(now, seen_by=make_user(role="operator")) == lists.Figures(
        waiting=2, soon=1, late=0, stuck=1, nobody=0
    )


def test_callback_ids_are_on_no_page(client, olu):
    delivery = decided()
    pending = make_request(make_user())
    for page in PAGES:
        content = client.get(page).content.decode()
        assert delivery.request.callback_id not in content
        assert pending.callback_id not in content


def stranded(why: str) -> ApprovalRequest:
    """A pending request that nobody can decide, or approve, any more."""
    anna, bert = make_user("anna", groups=["finance"]), make_user("bert", groups=["finance"])
    fields: dict[str, Any] = {"users": [], "groups": ["finance"], "title": "Stranded"}
    if why == "votes":
        fields |= {"users": ["anna", "bert"], "groups": [], "required_approvals": 2}
    if why == "security":
        make_user("sam", groups=["security"])
        fields["requirements"] = [{"group": "security", "approvals": 1}]
    if why == "requesters":
        fields["wanting"] = Wanting(requested_by="ANNA@example.com", on_behalf_of="robin")
    request = make_request(**fields)
    if why in ("left", "security"):
        User.groups.through.objects.filter(group__name=fields["groups"][0]).delete()
        User.groups.through.objects.filter(group__name="security").delete()
    if why == "security":
        anna.groups.add(make_team("finance"))
        bert.groups.add(make_team("finance"))
    elif why == "inactive":
        User.objects.filter(pk__in=[anna.pk, bert.pk]).update(is_active=False)
    elif why == "no role":
        make_role("reviewer").permissions.clear()
    elif why == "requesters":
        User.objects.filter(pk=bert.pk).update(subject="Robin")
    elif why == "votes":
        lifecycle.decide(
            request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER
        )
        User.objects.filter(pk=bert.pk).update(is_active=False)
    return request


@pytest.mark.parametrize("why", ["left", "inactive", "no role", "requesters", "votes", "security"])
def test_what_nobody_can_decide_is_marked_counted_and_can_be_listed_alone(client, olu, why):
    make_request(make_user("chef"), title="In good hands")
    request = stranded(why)
    if why == "no role":
        make_role("reviewer")
        User.objects.filter(username="chef").update(is_superuser=True)
        make_role("reviewer").permissions.clear()
    mark = "Too few can approve" if why == "security" else "Nobody can decide"
    page = text(client, CALLBACKS)
    assert page.count(f"{mark}</span>") == 1
    assert lists.figures(database_now(), seen_by=olu).nobody == 1
    alone = text(client, f"{CALLBACKS}?show=nobody")
    assert "Stranded" in alone
    assert "In good hands" not in alone
    words = "cannot be approved" if why == "security" else "Nobody can decide this"
    assert words in text(client, request.get_absolute_url())


def test_what_can_be_decided_is_never_called_stranded(client, olu):
    anna = make_user("anna", groups=["finance", "empty"])
    anna.groups.remove(make_team("empty"))
    request = make_request(anna, groups=["finance"], required_approvals=1)
    make_request(anna, groups=["finance"], title="Also at an empty team")
    request.assignments.create(group=make_team("empty"), queue_at=request.queue_at)
    assert lists.figures(database_now(), seen_by=olu).nobody == 0
    assert "No request was found" in text(client, f"{CALLBACKS}?show=nobody")
    assert "Nobody can decide" not in text(client, request.get_absolute_url())


def test_a_reviewer_at_the_source_is_somebody_and_elsewhere_is_nobody(olu):
    here, there = make_source(), make_source()
    anna, rita = make_user("anna"), make_user("rita")
    mine = make_request(anna, rita, source=here)
    foreign = make_request(anna, rita, source=there)
    User.objects.filter(pk=anna.pk).update(is_active=False)
    rita.groups.clear()
    SourceRole.objects.create(source=here, may="review", user=rita)
    assert outlook_of(mine) is Outlook.OPEN
    assert outlook_of(foreign) is Outlook.NOBODY
    assert lists.figures(database_now(), seen_by=olu).nobody == 1


def test_who_asked_themselves_is_nobody(olu):
    anna, bert = make_user("anna"), make_user("bert")
    request = make_request(anna)
    request.assignments.create(user=bert, asked_by=bert, queue_at=request.queue_at)
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert outlook_of(request) is Outlook.NOBODY


def test_operators_of_one_source_are_told_of_their_own_only():
    request = stranded("inactive")
    here, elsewhere = make_user("here"), make_user("elsewhere")
    SourceRole.objects.create(source=request.source, may="audit", user=here)
    SourceRole.objects.create(source=make_source(), may="operate", user=elsewhere)
    now = database_now()
    figures = {person: lists.figures(now, seen_by=person) for person in (here, elsewhere)}
    assert [(found.waiting, found.nobody) for found in figures.values()] == [(1, 1), (0, 0)]


@pytest.mark.parametrize("show", ["", "late", "nobody", "x"])
def test_every_view_of_the_callbacks_is_there(client, olu, show):
    assert client.get(CALLBACKS, {"show": show}).status_code == 200


def test_a_kind_may_set_a_deadline_where_aws_sets_none(client, olu):
    make_kind("slow", timeout_seconds=600)
    request = make_request(make_user(), kind="slow", heartbeat_timeout_seconds=30)
    assert request.answer_by
    assert request.callback_expires_at is None
    page = text(client, CALLBACKS)
    assert "AWS sets no limit" in page
    assert "AWS stops" not in page
    own = text(client, request.get_absolute_url())
    assert "Decide by" in own
    assert "AWS stops" not in own
    lifecycle.take_back(request.pk, operator=olu, reason="Sent twice.")
    assert "AWS sets no limit" in text(client, DELIVERIES)


@pytest.mark.parametrize("page", PAGES)
def test_a_sweep_that_fell_silent_is_an_alarm_within_two_minutes(client, olu, page):
    now = database_now()
    SweepMark.objects.finished(doorbell.SEND_HEARTBEATS, found=0, at=now - timedelta(seconds=75))
    SweepMark.objects.finished(doorbell.SEND_NOTICES, found=0, at=now - timedelta(seconds=40))
    SweepMark.objects.finished(doorbell.SEAL_HISTORY, found=0, at=now - timedelta(seconds=150))
    words = re.sub("<[^>]+>", "", text(client, page))
    assert "Background work has stopped. Missed: send_heartbeats. What they do waits" in words


@pytest.mark.parametrize("page", PAGES)
def test_sweeps_that_come_by_are_no_alarm(client, olu, page):
    SweepMark.objects.finished(doorbell.SEND_HEARTBEATS, found=0)
    assert "Background work" not in text(client, page)
