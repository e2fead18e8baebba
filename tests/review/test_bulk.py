"""Several decided together: what the summary says, what is sent, what came of each."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from importlib import import_module
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.clock import database_now
from approvals.lifecycle import desk
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, Opening, User
from approvals.policy import Wanting
from approvals.review import bulk_sending
from approvals.states import BulkRule, Channel, DeliveryState, Verdict
from tests.factories import make_kind, make_request, make_user, past_its_deadline
from tests.review.people import HTMX, signed_in
from tests.test_database_trouble import impatient, locked

pytestmark = pytest.mark.django_db(transaction=True)

LOW = {"score": 12}


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def bert() -> User:
    return make_user("bert")


def order(*people: User, number: int = 1, total: str = "10.00", **fields: Any) -> ApprovalRequest:
    payload = {"totals": {"total": total}, "currency": fields.pop("currency", "EUR")}
    told = {"kind": "order", "title": f"Release order {number}", "risk": LOW, **fields}
    return make_request(*people, payload=payload, **told)


def address(rows: list[ApprovalRequest]) -> str:
    return "/requests/bulk/?view=needs-me&" + "&".join(f"id={row.pk}" for row in rows)


def summary(client: Client, rows: list[ApprovalRequest], status: int = 200) -> str:
    answer = client.get(address(rows))
    assert answer.status_code == status
    return " ".join(unescape(answer.content.decode()).split())


def items(page: str) -> list[str]:
    return re.findall(r'name="item" value="([^"]+)"', page)


def send(client: Client, page: str, verdict: str = "approved", **fields: Any):
    data = {"verdict": verdict, "item": items(page), **fields}
    return client.post("/requests/bulk/decide/?view=needs-me", data)


def decided(answer: Any, client: Client) -> str:
    assert answer.status_code == 303
    page = client.get(answer["Location"])
    assert page.status_code == 200
    return " ".join(unescape(page.content.decode()).split())


# What is selected


def test_the_queue_offers_a_tick_for_each_row_that_can_be_decided(anna: User, bert: User) -> None:
    make_kind("order", undo_seconds=10)
    row, held = order(anna, bert), order(anna, bert, number=2)
    lifecycle.decide(
        held.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.BROWSER, held=True
    )
    page = signed_in(anna).get("/requests/?view=needs-me").content.decode()
    assert f'name="id" value="{row.pk}" form="bulk"' in page
    assert f'value="{held.pk}" form="bulk"' not in page
    assert 'action="/requests/bulk/"' in page


def test_who_decides_nothing_selects_nothing(anna: User) -> None:
    order(anna)
    page = signed_in(make_user(role="operator")).get("/requests/?view=all").content.decode()
    assert "Release order 1" in page
    assert "select-box" not in page


def test_ticks_cost_the_queue_no_statement(
    anna: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        order(anna, number=number)
    client = signed_in(anna)
    with django_assert_max_num_queries(5):
        client.get("/requests/?view=needs-me")


# The summary


def test_the_summary_adds_up_to_the_digit_for_each_currency(anna: User) -> None:
    rows = [
        order(anna, total="0.10", risk={"score": 31}, timeout_seconds=7_000),
        order(anna, number=2, total="99999999999999999999.99", timeout_seconds=660),
        order(anna, number=3, total="1.005", currency="USD"),
        order(anna, number=4, total="0.2"),
    ]
    page = summary(signed_in(anna), rows)
    assert "Decide 4 requests together" in page
    assert '<b class="money">€100,000,000,000,000,000,000.29</b>' in page
    assert '<b class="money">$1.005</b>' in page
    assert "all of the kind Order" in page
    assert "<b>31</b><span>of 100</span>" in page
    assert re.search(r"Earliest deadline</dt><dd><b><time[^>]*>9 min", page)
    assert "Approve all 4" in page
    assert len(items(page)) == 4


def test_the_button_names_the_sum_where_there_is_one(anna: User) -> None:
    page = summary(signed_in(anna), [order(anna), order(anna, number=2, total="5.50")])
    assert "Approve 2, €15.50" in page
    assert "Approve €10.00" in summary(signed_in(anna), [order(anna)])


def test_what_names_no_amount_or_no_risk_is_counted_as_such(anna: User) -> None:
    client = signed_in(anna)
    quiet = make_request(anna, kind="order", payload={}, title="No sum")
    client.get(quiet.get_absolute_url())
    page = summary(client, [order(anna), quiet])
    assert "and 1 without an amount" in page
    assert "of 100; 1 is not known" in page
    assert "Approve all 2" in page


def reasons(anna: User, bert: User) -> dict[str, ApprovalRequest]:
    """One request for each reason to leave it out, by the words that tell it."""
    form = {"type": "object", "properties": {"why": {"type": "string"}}}
    voted = order(anna, bert, required_approvals=2)
    edited = order(anna, bert, required_approvals=2, editable=["/totals/total"])
    closed, held = order(anna, bert), order(anna, bert)
    make_kind("order", undo_seconds=30)
    told: dict[str, Any] = {"verdict": Verdict.APPROVED, "channel": Channel.BROWSER}
    lifecycle.decide(closed.pk, reviewer=bert, **told)
    lifecycle.decide(held.pk, reviewer=bert, held=True, **told)
    lifecycle.decide(voted.pk, reviewer=anna, **told)
    lifecycle.decide(edited.pk, reviewer=bert, edits={"/totals/total": "9.00"}, **told)
    overseen = order(anna, bert)
    overseen.assignments.filter(user=anna).update(asked_by=anna)
    make_kind("never", bulk=BulkRule.NEVER)
    make_kind("read", bulk=BulkRule.OPENED)
    return {
        "Approved by Bert.": closed,
        "Bert approved this at": held,
        "You have decided this already.": voted,
        "Bert approved it with 1 edit: look at it first.": edited,
        "The deadline passed at": past_its_deadline(order(anna, timeout_seconds=600)),
        "You asked for this": order(anna, bert, wanting=Wanting(on_behalf_of="anna")),
        "You are not among the people asked": overseen,
        "It has a form to fill in.": order(anna, response_schema=form),
        "Its risk is 40: open it from the list first.": order(anna, risk={"score": 40}),
        "Its risk is not known: open it from the list first.": order(anna, risk=None),
        "Requests of this kind are decided one by one.": order(anna, kind="never"),
        "Open it from the list first.": order(anna, kind="read"),
        "Another kind: Document.": order(anna, kind="document"),
    }


def test_what_is_left_out_says_why_and_is_not_decided(anna: User, bert: User) -> None:
    out = reasons(anna, bert)
    mine = [order(anna, number=50), order(anna, number=51)]
    client = signed_in(anna)
    before = Decision.objects.count()
    page = summary(client, [*out.values(), *mine])
    assert "Decide 2 requests together" in page
    assert f"Left out: {len(out)}" in page
    for why, row in out.items():
        link = f'href="{row.get_absolute_url()}"><bdi>'
        assert re.search(rf"{re.escape(link)}[^<]*</bdi></a></p><p class=.bulk-why.>{why}", page), (
            why
        )
    assert sorted(int(item.split(":")[0]) for item in items(page)) == [row.pk for row in mine]
    send(client, page)
    assert Decision.objects.count() == before + 2


def test_a_forged_item_meets_the_same_gate(anna: User, bert: User) -> None:
    out = {why: row for why, row in reasons(anna, bert).items() if row.kind.slug == "order"}
    client, before = signed_in(anna), Decision.objects.count()
    forged = [f"{row.pk}:{row.payload_sha256}:{row.decisions.count()}" for row in out.values()]
    answer = client.post(
        "/requests/bulk/decide/?view=needs-me", {"verdict": "approved", "item": forged}
    )
    page = decided(answer, client)
    assert Decision.objects.count() == before
    for why in ("You asked for", "You are not among", "It has a form", "Its risk is 40"):
        assert f"Not decided. {why}" in page


def test_another_kind_is_one_press_away(anna: User) -> None:
    rows = [order(anna, number=1), order(anna, number=2), order(anna, number=3, kind="document")]
    client = signed_in(anna)
    page = summary(client, rows)
    onward = re.search(r'href="([^"]+)">Look at 1 of the kind Document', page)
    assert onward
    assert "Release order 3" in client.get(onward.group(1)).content.decode()


def test_opening_a_request_lets_it_go_with_the_others(anna: User) -> None:
    row = order(anna, risk={"score": 90})
    client = signed_in(anna)
    assert "Nothing to decide together" in summary(client, [row])
    client.head(row.get_absolute_url())
    client.get(row.get_absolute_url(), headers={"Sec-Purpose": "prefetch;prerender"})
    client.get(row.get_absolute_url(), {"decided": order(anna, number=2).public_id})
    assert not Opening.objects.exists()
    client.get(row.get_absolute_url())
    client.get(row.get_absolute_url())
    assert Opening.objects.get().user == anna
    page = summary(client, [row])
    assert "Opened by you" in page
    assert "kpi--risk" in page
    send(client, page)
    assert Decision.objects.get().request == row


def test_what_could_not_be_shown_was_not_opened(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_facts: Any, **_more: Any) -> None:
        raise OperationalError("canceling statement due to statement timeout")

    row = order(anna, risk={"score": 99})
    monkeypatch.setattr("approvals.review.views.requests.page_context", slow)
    assert signed_in(anna).get(row.get_absolute_url()).status_code == 503
    assert not Opening.objects.exists()


def test_looking_at_the_summary_opens_nothing_and_decides_nothing(anna: User) -> None:
    summary(signed_in(anna), [order(anna)])
    assert not Opening.objects.exists()
    assert not Decision.objects.exists()


def test_a_vote_among_several_says_that_others_are_needed(anna: User, bert: User) -> None:
    rows = [order(anna, bert, required_approvals=2), order(anna)]
    page = summary(signed_in(anna), rows)
    assert "1 of them needs another approval after yours." in page
    assert "0 of 2 approvals" in page


def test_the_summary_costs_the_same_for_two_and_for_twenty(
    anna: User, bert: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [order(anna, bert, number=number) for number in range(20)]
    make_kind("order", undo_seconds=30)
    for row in rows[:5]:
        lifecycle.decide(
            row.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.BROWSER, held=True
        )
    for row in rows[5:8]:
        lifecycle.decide(row.pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.API)
    client = signed_in(anna)
    with django_assert_max_num_queries(8):
        assert "Left out: 8" in summary(client, rows)


# What is not there, and what is no request at all


def test_what_one_may_not_see_is_not_there(anna: User, bert: User) -> None:
    mine, foreign = order(anna), order(bert, number=7, title="Secret")
    client = signed_in(anna)
    assert client.get(address([foreign])).status_code == 404
    assert client.get("/requests/bulk/?id=999999999").status_code == 404
    page = summary(client, [mine, foreign])
    assert "1 request is missing." in page
    assert "Secret" not in page
    forged = f"{foreign.pk}:{foreign.payload_sha256}:0"
    data = {"verdict": "approved", "item": [*items(page), forged]}
    answer = client.post("/requests/bulk/decide/?view=needs-me", data)
    assert "1 of 1 request decided by you" in decided(answer, client)
    assert Decision.objects.get().request == mine
    only = client.post("/requests/bulk/decide/", {"verdict": "approved", "item": [forged]})
    assert only.status_code == 404
    assert client.get(f"/requests/bulk/results/?shown={foreign.pk}").status_code == 404


@pytest.mark.parametrize("rubbish", ["x", "-1", "1 OR 1=1", "１", "1" * 19, "", "1.5"])
def test_rubbish_is_no_request(anna: User, rubbish: str) -> None:
    client = signed_in(anna)
    assert client.get("/requests/bulk/", {"id": rubbish}).status_code == 404
    for item in (rubbish, f"{rubbish}:{'0' * 64}:0", f"1:{rubbish}:0", f"1:{'0' * 64}:{rubbish}1x"):
        answer = client.post("/requests/bulk/decide/", {"verdict": "approved", "item": item})
        assert answer.status_code == 404
    assert client.get("/requests/bulk/results/", {"shown": rubbish}).status_code == 404
    undo = client.post("/requests/bulk/undo/", {"shown": rubbish, "undo": "all"})
    assert undo.status_code == 404


def test_nothing_selected_says_what_to_do(anna: User) -> None:
    answer = signed_in(anna).get("/requests/bulk/?view=needs-me")
    assert answer.status_code == 200
    assert "Tick requests in the list first." in answer.content.decode()


def test_more_than_a_page_is_not_looked_at(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("approvals.review.bulk", "approvals.review.views.bulk"):
        monkeypatch.setattr(import_module(module), "MOST_TOGETHER", 2)
    rows = [order(anna, number=number) for number in range(3)]
    client = signed_in(anna)
    page = summary(client, rows)
    assert "1 more was not looked at." in page
    assert "At most 2 are decided together" in page
    assert len(items(page)) == 2
    forged = [f"{row.pk}:{row.payload_sha256}:0" for row in rows]
    answer = client.post("/requests/bulk/decide/", {"verdict": "approved", "item": forged})
    assert answer.status_code == 422
    assert not Decision.objects.exists()


def test_two_kinds_in_one_press_decide_nothing(anna: User) -> None:
    rows = [order(anna), order(anna, kind="document")]
    forged = [f"{row.pk}:{row.payload_sha256}:0" for row in rows]
    answer = signed_in(anna).post("/requests/bulk/decide/", {"verdict": "approved", "item": forged})
    assert answer.status_code == 422
    assert not Decision.objects.exists()


# The press


def test_each_is_decided_by_itself_with_the_shared_reason(anna: User) -> None:
    make_kind("order", reject_reasons=["Out of stock"])
    rows = [order(anna, number=number) for number in range(3)]
    client = signed_in(anna)
    page = summary(client, rows)
    answer = send(client, page, "rejected", reason="Out of stock", comment="Until\r\nMay")
    told = decided(answer, client)
    assert "3 of 3 requests decided by you" in told
    assert told.count("Rejected by Anna, sending…") == 3
    said = Decision.objects.order_by("id").values_list("request_id", "comment", "channel")
    assert list(said) == [(row.pk, "Out of stock: Until\nMay", "bulk") for row in rows]
    assert CallbackDelivery.objects.count() == 3
    history = client.get(rows[0].get_absolute_url()).content.decode()
    assert "rejected this together with others" in history


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"verdict": "rejected"}, "Say why you reject; the function receives it."),
        (
            {"verdict": "rejected", "comment": " \n"},
            "Say why you reject; the function receives it.",
        ),
        ({"verdict": "approved", "comment": "x" * 10_001}, "Shorten it to 10,000 characters."),
        ({"verdict": "maybe"}, "Press Approve or Reject: nothing was decided."),
        ({"verdict": ""}, "Press Approve or Reject: nothing was decided."),
    ],
)
def test_what_is_missing_is_said_on_the_summary_and_nothing_is_decided(
    anna: User, fields: dict[str, str], sentence: str
) -> None:
    client = signed_in(anna)
    risky = order(anna, number=3, risk={"score": 90})
    shown = summary(client, [order(anna), risky, order(anna, number=2)])
    answer = send(client, shown, id=risky.pk, **fields)
    assert f'name="id" value="{risky.pk}"' in shown
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Left out: 1" in page
    assert sentence in page
    assert len(items(page)) == 2
    assert not Decision.objects.exists()


def test_who_was_faster_on_one_is_told_and_the_others_go(anna: User, bert: User) -> None:
    rows = [order(anna, bert, number=number) for number in range(3)]
    client = signed_in(anna)
    page = summary(client, rows)
    lifecycle.decide(
        rows[1].pk, verdict=Verdict.REJECTED, reviewer=bert, channel=Channel.API, comment="No."
    )
    told = decided(send(client, page), client)
    assert "2 of 3 requests decided by you" in told
    assert "Not decided. Bert rejected this at" in told
    assert told.count("Approved by Anna, sending…") == 2
    states = [ApprovalRequest.objects.get(pk=row.pk).state for row in rows]
    assert states == ["approved", "rejected", "approved"]


def test_what_changed_since_the_summary_is_refused_alone(anna: User, bert: User) -> None:
    rows = [order(anna, bert, required_approvals=2), order(anna, number=2)]
    client = signed_in(anna)
    page = summary(client, rows)
    lifecycle.decide(rows[0].pk, verdict=Verdict.APPROVED, reviewer=bert, channel=Channel.API)
    told = decided(send(client, page), client)
    assert "Not decided. Bert approved this since you saw it. Look at it again" in told
    assert "1 of 2 requests decided by you" in told


def test_another_payload_than_was_shown_is_refused(anna: User) -> None:
    row = order(anna)
    client = signed_in(anna)
    data = {"verdict": "approved", "item": [f"{row.pk}:{'0' * 64}:0"]}
    answer = client.post("/requests/bulk/decide/?view=needs-me", data)
    assert "The page you saw is out of date." in decided(answer, client)
    assert not Decision.objects.exists()


def test_sent_twice_it_comes_to_the_same(anna: User) -> None:
    make_kind("order", undo_seconds=10)
    rows = [order(anna), order(anna, make_user(), number=2, required_approvals=2)]
    client = signed_in(anna)
    page = summary(client, rows)
    pages = [decided(send(client, page), client) for _ in range(2)]
    for told in pages:
        assert "2 of 2 requests decided by you" in told
        assert "Not decided" not in told
        assert 'class="err"' not in told
    assert Decision.objects.count() == 2


def test_the_other_verdict_sent_after_it_changes_nothing_and_says_so(anna: User) -> None:
    client = signed_in(anna)
    page = summary(client, [order(anna)])
    send(client, page)
    told = decided(send(client, page, "rejected", comment="No."), client)
    assert "Approved by Anna, sending…" in told
    assert "Anna approved this at" in told
    assert Decision.objects.get().verdict == "approved"


def test_what_was_refused_is_told_no_more_once_it_is_decided(anna: User) -> None:
    row = order(anna)
    client = signed_in(anna)
    data = {"verdict": "approved", "item": [f"{row.pk}:{'0' * 64}:0"]}
    answer = client.post("/requests/bulk/decide/?view=needs-me", data)
    assert "out of date" in decided(answer, client)
    lifecycle.decide(row.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    assert "out of date" not in decided(answer, client)


def test_one_that_breaks_leaves_the_others_alone(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [order(anna, number=number) for number in range(3)]
    client = signed_in(anna)
    page = summary(client, rows)
    owed = desk.owed

    def broken(request: ApprovalRequest, *args: Any, **kwargs: Any) -> CallbackDelivery:
        if request.pk == rows[0].pk:
            raise RuntimeError("A key is missing.")
        return owed(request, *args, **kwargs)

    monkeypatch.setattr(desk, "owed", broken)
    told = decided(send(client, page), client)
    assert "Not decided. Something broke on our side." in told
    assert set(Decision.objects.values_list("request_id", flat=True)) == {r.pk for r in rows[1:]}


def test_one_that_somebody_holds_leaves_the_others_alone(anna: User) -> None:
    rows = [order(anna, number=number) for number in range(2)]
    client = signed_in(anna)
    page = summary(client, rows)
    with impatient(lock_timeout="50ms"), locked(rows[0]):
        answer = send(client, page)
    told = decided(answer, client)
    assert "Not decided. The database did not answer in time." in told
    assert Decision.objects.get().request == rows[1]


def test_no_request_is_begun_once_somebody_has_waited_long_enough(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [order(anna), order(anna, number=2)]
    client = signed_in(anna)
    page = summary(client, rows)
    monkeypatch.setattr(bulk_sending, "ENOUGH", timedelta(seconds=-1))
    told = decided(send(client, page), client)
    assert told.count("Not decided. There was no time left for it.") == 2
    assert not Decision.objects.exists()


# What came of it


def held_pair(anna: User) -> tuple[Client, str, list[ApprovalRequest]]:
    make_kind("order", undo_seconds=10)
    rows = [order(anna), order(anna, number=2)]
    client = signed_in(anna)
    answer = send(client, summary(client, rows))
    return client, answer["Location"], rows


def press_undo(client: Client, rows: list[ApprovalRequest], which: object):
    shown = ".".join(str(row.pk) for row in rows)
    data = {"shown": shown, "undo": str(which)}
    return client.post("/requests/bulk/undo/?view=needs-me", data)


def test_what_is_held_can_be_taken_back_one_by_one_or_all(anna: User) -> None:
    client, place, rows = held_pair(anna)
    page = client.get(place).content.decode()
    assert "Undo all 2" in page
    told = decided(press_undo(client, rows, rows[1].pk), client)
    assert "Taken back; nothing was sent." in told
    assert "1 of 2 requests decided by you" in told
    assert list(Decision.objects.standing().values_list("request_id", flat=True)) == [rows[0].pk]
    decided(press_undo(client, rows, "all"), client)
    assert not Decision.objects.standing().exists()
    assert not CallbackDelivery.objects.exists()
    again = decided(press_undo(client, rows, "all"), client)
    assert "too late" not in again  # nothing of theirs stands, and nothing was sent


def test_what_is_sent_cannot_be_taken_back(anna: User) -> None:
    make_kind("order", undo_seconds=0)
    rows = [order(anna), order(anna, number=2)]
    client = signed_in(anna)
    send(client, summary(client, rows))
    told = decided(press_undo(client, rows, "all"), client)
    assert "It is too late to take them back." in told
    assert Decision.objects.standing().count() == 2


def test_nobody_takes_back_what_another_decided(anna: User, bert: User) -> None:
    make_kind("order", undo_seconds=10)
    row = order(anna, bert)
    client = signed_in(anna)
    send(client, summary(client, [row]))
    told = decided(press_undo(signed_in(bert), [row], row.pk), signed_in(bert))
    assert Decision.objects.standing().get().reviewer == anna
    assert "Undo" not in re.sub(r"<dialog.*?</dialog>", "", told, flags=re.DOTALL)


def test_one_that_somebody_holds_is_taken_back_later_and_the_others_now(anna: User) -> None:
    client, _, rows = held_pair(anna)
    with impatient(lock_timeout="50ms"), locked(rows[0]):
        answer = press_undo(client, rows, "all")
    told = decided(answer, client)
    assert "Release order 1: The database did not answer in time." in told
    assert Decision.objects.standing().get().request == rows[0]


def test_undo_too_late_says_so_and_keeps_what_was_sent(anna: User) -> None:
    client, _, rows = held_pair(anna)
    lifecycle.conclude_due(now=database_now() + timedelta(minutes=1))
    told = decided(press_undo(client, rows, rows[0].pk), client)
    assert "Too late to take it back" in told
    assert CallbackDelivery.objects.count() == 2


def test_results_are_looked_at_again_until_all_are_settled(
    anna: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client, place, _ = held_pair(anna)
    first = client.get(place, headers=HTMX)
    assert "<html" not in first.content.decode()
    tag = {**HTMX, "HX-PTag": first["HX-PTag"]}
    with django_assert_max_num_queries(3):
        assert client.get(place, headers=tag).status_code == 304
    lifecycle.conclude_due(now=database_now() + timedelta(minutes=1))
    moved = client.get(place, headers=tag)
    assert moved.content.decode().count("Approved by Anna, sending…") == 2
    assert "hx-trigger" in moved.content.decode()
    CallbackDelivery.objects.update(
        state=DeliveryState.DELIVERED, settled_at=database_now(), last_reply="accepted"
    )
    settled = client.get(place, headers=HTMX).content.decode()
    assert settled.count("Approved by Anna; AWS took the answer.") == 2
    assert "hx-trigger" not in settled


@pytest.mark.parametrize("path", ["bulk/", "bulk/results/?shown=1"])
def test_a_stranger_signs_in_first(path: str) -> None:
    answer = Client().get(f"/requests/{path}")
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


def test_a_press_without_a_token_is_refused(anna: User) -> None:
    row = order(anna)
    data = {"verdict": "approved", "item": [f"{row.pk}:{row.payload_sha256}:0"]}
    answer = signed_in(anna, csrf=True).post("/requests/bulk/decide/", data)
    assert answer.status_code == 403
    assert not Decision.objects.exists()
