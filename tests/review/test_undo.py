"""Taking back in the browser: what the one who decided sees, and what the others do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, User
from approvals.states import Channel, RequestState, Verdict
from tests.factories import make_kind, make_request, make_user
from tests.review.people import HTMX, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


@pytest.fixture
def order(anna: User, bert: User) -> ApprovalRequest:
    make_kind(undo_seconds=10)
    return make_request(anna, bert, title="Release order NO-7", timeout_seconds=3_600)


def press(client: Client, request: ApprovalRequest, verdict: str = "approved", **fields):
    headers = fields.pop("headers", None)
    address = f"/requests/{request.public_id}/decide/"
    return client.post(address, {"verdict": verdict, **fields}, headers=headers)


def undo(client: Client, request: ApprovalRequest, **headers: str):
    return client.post(f"/requests/{request.public_id}/undo/", headers=headers)


def panel(client: Client, request: ApprovalRequest, query: str = "", **headers: str):
    return client.get(f"/requests/{request.public_id}/panel/{query}", headers=headers)


def words(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", answer.content.decode()).split())


def over(request: ApprovalRequest) -> None:
    ApprovalRequest.objects.filter(pk=request.pk).update(held_until=database_now())


def test_a_press_is_held_and_the_page_says_so_with_undo(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    assert press(client, order, comment="Seen.").status_code == 303
    shown = client.get(order.get_absolute_url())

    order.refresh_from_db()
    assert order.is_pending
    assert not CallbackDelivery.objects.exists()
    assert re.search(r"Approved by you, sent in \d+ s", words(shown))
    assert "Until then you can take it back" in words(shown)
    text = shown.content.decode()
    assert f'action="/requests/{order.public_id}/undo/"' in text
    assert 'data-key="z"' in text
    assert "<noscript>" in text
    assert "to see whether it was sent" in text
    assert 'name="verdict"' not in text


def test_htmx_gets_the_held_card_and_undo_gives_the_form_back(
    anna: User, order: ApprovalRequest
) -> None:
    client = signed_in(anna)
    held = press(client, order, headers=HTMX)
    assert held.status_code == 200
    assert "Approved by you, sent in" in words(held)
    assert 'hx-trigger="every 1s' in held.content.decode()

    back = undo(client, order, **HTMX)

    assert back.status_code == 200
    assert "Taken back." in words(back)
    assert 'value="approved"' in back.content.decode()
    assert "took their approval back; nothing was sent" in words(back)


def test_the_plain_twin_of_undo_leads_back_to_the_page(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    press(client, order)
    answer = undo(client, order)
    assert (answer.status_code, answer["Location"]) == (
        303,
        f"/requests/{order.public_id}/#decision",
    )
    assert "Your decision" in words(client.get(order.get_absolute_url()))


def test_undo_is_a_post_behind_the_token_of_the_form(anna: User, order: ApprovalRequest) -> None:
    press(signed_in(anna), order)
    assert signed_in(anna).get(f"/requests/{order.public_id}/undo/").status_code == 405
    assert undo(signed_in(anna, csrf=True), order).status_code == 403
    assert Decision.objects.get().retracted_at is None


def test_too_late_is_said_in_a_sentence(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    press(client, order)
    over(order)
    late = undo(client, order, **HTMX)
    assert late.status_code == 409
    assert "It stays as it is. Too late to take it back" in words(late)

    lifecycle.conclude_due(now=database_now())
    later = undo(client, order)
    assert later.status_code == 409
    assert "Too late to take it back. Anna approved this at" in words(later)


def test_only_who_decided_may_take_it_back(anna: User, bert: User, order: ApprovalRequest) -> None:
    press(signed_in(anna), order)
    answer = undo(signed_in(bert), order)
    assert answer.status_code == 403
    assert "Only Anna can take that decision back." in words(answer)
    assert undo(signed_in(make_user("carla")), order).status_code == 404


def test_others_see_who_decided_and_when_it_is_sent_and_have_no_undo(
    anna: User, bert: User, order: ApprovalRequest
) -> None:
    press(signed_in(anna), order)
    shown = signed_in(bert).get(order.get_absolute_url())
    assert re.search(r"Approved by Anna, sent in \d+ s", words(shown))
    assert "unless Anna takes it back" in words(shown)
    assert "undo-form" not in shown.content.decode()

    second = press(signed_in(bert), order, "rejected", comment="But why?", headers=HTMX)
    assert second.status_code == 409
    assert re.search(r"Somebody was faster\. Anna approved this at .* unless", words(second))
    assert "But why?" in second.content.decode()


def test_a_form_that_stood_loses_its_buttons_and_gets_them_back(
    anna: User, bert: User, order: ApprovalRequest
) -> None:
    client = signed_in(bert)
    press(signed_in(anna), order)

    held = panel(client, order, "?open").content.decode()
    assert "Anna decided while you were here." in held
    assert f'hx-get="/requests/{order.public_id}/panel/?held"' in held

    undo(signed_in(anna), order)
    again = panel(client, order, "?held")
    assert 'id="decide-form"' not in again.content.decode()
    assert 'hx-target="#decide-acts"' in again.content.decode()
    assert 'value="rejected"' in again.content.decode()
    assert f'hx-get="/requests/{order.public_id}/panel/?open"' in again.content.decode()


def test_who_came_while_it_was_held_gets_the_form_once_it_is_taken_back(
    anna: User, bert: User, order: ApprovalRequest
) -> None:
    press(signed_in(anna), order)
    client = signed_in(bert)
    assert 'id="decide-form"' not in client.get(order.get_absolute_url()).content.decode()

    undo(signed_in(anna), order)

    # Only where there is none: a look that was under way must not take what is typed.
    shown = panel(client, order).content.decode()
    assert shown.count('id="decide-form"') == 1
    assert shown.index('hx-target="#no-form"') < shown.index('id="decide-form"')


def test_the_panel_changes_when_it_is_taken_back_and_when_the_hold_is_over(
    anna: User, order: ApprovalRequest, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(anna)
    press(client, order)
    version = panel(client, order)["HX-PTag"]
    with django_assert_max_num_queries(2):
        assert panel(client, order, **{"HX-PTag": version}).status_code == 304
    over(order)
    at_the_end = panel(client, order, **{"HX-PTag": version})
    assert "Approved by you, sending…" in words(at_the_end)
    assert "undo-form" not in at_the_end.content.decode()
    lifecycle.conclude_due(now=database_now())
    assert "Approved by Anna, sending…" in words(
        panel(client, order, **{"HX-PTag": at_the_end["HX-PTag"]})
    )


def test_a_vote_can_be_taken_back_in_the_browser(anna: User, bert: User) -> None:
    make_kind(undo_seconds=10)
    request = make_request(anna, bert, required_approvals=2)
    client = signed_in(anna)
    voted = press(client, request, headers=HTMX)
    assert re.search(r"Undo takes it back for \d", words(voted))
    assert 'id="undo-form"' in voted.content.decode()
    assert "nobody has approved yet" in words(undo(client, request, **HTMX))


def test_what_is_held_is_nobodys_move_and_says_so_in_the_lists(
    anna: User, bert: User, order: ApprovalRequest
) -> None:
    press(signed_in(anna), order)
    theirs = signed_in(bert)
    assert "Nothing waits for you." in words(theirs.get("/requests/?view=needs-me"))
    overseer = signed_in(make_user("olga", role="operator"))
    listed = words(overseer.get("/requests/?view=all"))
    assert re.search(r"Approved by Anna, sent at \d\d:\d\d:\d\d", listed)
    mine = words(signed_in(anna).get("/requests/?view=decided-by-me"))
    assert re.search(r"You approved this; sent at \d\d:\d\d:\d\d", mine)

    undo(signed_in(anna), order)

    assert "Release order NO-7" in words(theirs.get("/requests/?view=needs-me"))
    assert "You have decided nothing yet." in words(
        signed_in(anna).get("/requests/?view=decided-by-me")
    )


def test_a_list_costs_no_more_for_what_is_held(
    anna: User, bert: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_kind(undo_seconds=30)
    for _ in range(6):
        press(signed_in(anna), make_request(anna, bert))
    client = signed_in(make_user("olga", role="operator"))
    with django_assert_max_num_queries(5):
        shown = client.get("/requests/?view=all")
    assert words(shown).count("Approved by Anna, sent at") == 6


@pytest.mark.parametrize(
    ("undo_seconds", "left", "note"),
    [
        (10, 3_600, "Sent 10 s after you press; until then you can take it back."),
        (10, 60, "Sent 4 s after you press;"),
        (10, 20, "So near the deadline it is sent at once."),
        (0, 3_600, ""),
    ],
)
def test_the_form_says_how_long_it_can_be_taken_back(
    anna: User, undo_seconds: int, left: int, note: str
) -> None:
    make_kind(undo_seconds=undo_seconds)
    request = make_request(anna, timeout_seconds=7_200)
    near = database_now() + timedelta(seconds=left)
    ApprovalRequest.objects.filter(pk=request.pk).update(answer_by=near)
    shown = words(signed_in(anna).get(request.get_absolute_url()))
    assert note in shown
    assert note or "after you press" not in shown


def test_a_withdrawn_request_tells_that_the_decision_was_not_sent(
    anna: User, order: ApprovalRequest
) -> None:
    client = signed_in(anna)
    press(client, order)
    lifecycle.withdraw(order.pk, why="source", reason="Ordered twice.")
    assert "a decision that was not sent yet falls" in words(client.get(order.get_absolute_url()))


def test_by_api_nothing_is_held_unless_asked(anna: User, order: ApprovalRequest) -> None:
    lifecycle.decide(order.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.API)
    order.refresh_from_db()
    assert order.state == RequestState.APPROVED
