"""What operators and auditors see, and everybody else does not."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, Heartbeat, User
from approvals.operations import lists
from approvals.states import Channel, DeliveryState, Verdict
from tests.factories import make_request, make_source, make_user, past_its_deadline

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
    rows = ApprovalRequest.objects.all()
    found = lists.waiting_callbacks(rows, now=now, late_only=True, after=None).rows
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
    assert "SomeException</span>" in page
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
    lifecycle.expire(expired.pk, now=database_now())
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
        waiting=2, soon=1, late=0, stuck=1
    )


def test_callback_ids_are_on_no_page(client, olu):
    delivery = decided()
    pending = make_request(make_user())
    for page in PAGES:
        content = client.get(page).content.decode()
        assert delivery.request.callback_id not in content
        assert pending.callback_id not in content
