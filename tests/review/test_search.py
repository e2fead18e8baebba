"""Searching a list: only what one may see, from one statement, whatever is typed."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from approvals import lifecycle
from approvals.models import ApprovalRequest, SavedView, SourceRole, User, indexing, past, search
from approvals.models import filter as filters
from approvals.models import queue as queues
from approvals.models.filter import Filter
from approvals.models.news import News, look_again
from approvals.models.queue import Walk, pending_page
from approvals.states import Channel, Verdict
from portal.logs import strike_secrets
from tests.counting import alone  # noqa: F401  the fixture of pytestmark
from tests.factories import make_kind, make_request, make_source, make_team, make_user
from tests.review.people import signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("alone")]


@pytest.fixture
def anna() -> User:
    return make_user("anna", groups=["desk"])


def write_down() -> None:
    while indexing.index_requests():
        pass


@pytest.fixture(params=["unwritten", "written", "common"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Before any sweep; after it; and as if every word were in thousands of requests."""
    if request.param == "common":
        monkeypatch.setattr(search, "FEW", -1)
    return str(request.param)


def titles(user: User, q: str, view: str = "needs-me", how: str = "", **words: str) -> list[str]:
    """What a page shows, in its order."""
    if how in {"written", "common"}:
        write_down()
    address = f"/requests/?{urlencode({'view': view, 'q': q, **words})}"
    answer = signed_in(user).get(address)
    assert answer.status_code == 200
    return rows_of(answer.content.decode())


def rows_of(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'class="row-link"[^>]*>([^<]*)</a>', page)]


def test_beginnings_of_words_find_what_holds_them_all(anna: User, how: str) -> None:
    make_request(anna, title="Order for Berta")
    make_request(anna, title="Order for Kari", payload={"to": "Berta"})
    make_request(anna, title="Order for Kari")
    assert titles(anna, "ord ber", how=how) == ["Order for Berta", "Order for Kari"]
    assert titles(anna, "BER kar") == ["Order for Kari"]
    assert titles(anna, "erta") == []


def test_a_list_is_searched_and_nothing_else(anna: User, how: str) -> None:
    bert = make_user("bert", groups=["desk"])
    make_request(anna, title="Hers berta")
    make_request(groups=["desk"], title="The team's berta")
    make_request(bert, title="His berta")
    make_team("other")
    make_request(make_user(), groups=["other"], title="Secret berta")
    assert titles(anna, "berta", how=how) == ["Hers berta", "The team's berta"]
    assert titles(anna, "berta", "my-teams") == ["The team's berta"]
    page = signed_in(anna).get("/requests/?view=needs-me&q=secret+berta").content.decode()
    assert "Nothing here holds “secret berta”." in page
    assert titles(make_user(role="operator"), "berta", "all") == [
        "Hers berta", "The team's berta", "His berta", "Secret berta",
    ]  # fmt: skip


def test_who_oversees_one_source_finds_what_is_of_that_source(how: str) -> None:
    olu, shop = make_user("olu"), make_source("shop")
    SourceRole.objects.create(source=shop, user=olu, may="operate")
    make_request(make_user(), source=shop, title="Berta of the shop")
    make_request(make_user(), title="Berta elsewhere")
    assert titles(olu, "berta", "all", how=how) == ["Berta of the shop"]


def test_what_is_not_my_move_is_not_found_in_what_needs_me(anna: User, how: str) -> None:
    make_user("bert", groups=["desk"])
    first = make_request(anna, title="Berta voted", groups=["desk"], required_approvals=2)
    make_request(anna, title="Berta waits")
    approve(first, anna)
    assert titles(anna, "berta", how=how) == ["Berta waits"]
    assert titles(anna, "berta", "decided-by-me") == ["Berta voted"]


def test_counts_come_from_the_search(anna: User, how: str) -> None:
    for number in range(3):
        make_request(anna, title=f"Berta {number}")
    make_request(anna, title="Kari")
    if how != "unwritten":
        write_down()
    page = signed_in(anna).get("/requests/?view=needs-me&q=berta").content.decode()
    assert "3 requests, nearest deadline first" in page


def approve(row: ApprovalRequest, by: User) -> None:
    lifecycle.decide(
        row.pk, reviewer=by, verdict=Verdict.APPROVED, comment="", channel=Channel.BROWSER
    )


def test_what_was_closed_is_found_by_who_may_see_it(anna: User, how: str) -> None:
    bert = make_user("bert")
    mine = make_request(anna, title="Berta of mine")
    his = make_request(bert, title="Berta of his")
    ours = make_request(bert, groups=["desk"], title="Berta of ours")
    make_request(anna, title="Berta waits")
    for row, who in ((mine, anna), (his, bert), (ours, bert)):
        approve(row, who)
    assert titles(anna, "berta", "decided-by-me", how=how) == ["Berta of mine"]
    assert titles(anna, "berta", "closed") == ["Berta of ours", "Berta of mine"]
    assert titles(anna, "", "closed") == ["Berta of ours", "Berta of mine"]
    assert titles(make_user(role="auditor"), "berta", "closed") == [
        "Berta of ours", "Berta of his", "Berta of mine",
    ]  # fmt: skip
    assert titles(anna, "bert of", "closed") == ["Berta of ours", "Berta of mine"]


def test_a_public_id_finds_its_request_for_who_may_see_it(anna: User, how: str) -> None:
    row, other = make_request(anna, title="Berta"), make_request(make_user())
    assert titles(anna, str(row.public_id), how=how) == ["Berta"]
    assert titles(anna, f"http://testserver{row.get_absolute_url()}") == ["Berta"]
    for view in ("needs-me", "my-teams", "decided-by-me", "closed"):
        assert titles(anna, str(other.public_id), view) == []
    since = look_again(anna, News.NEEDING, row.pk - 1, only=Filter(q=str(row.public_id)))
    assert since.newer == 1


HOSTILE = [
    "x" * 500, "&|!<->()*:'\"\\", "\x00", "a\x00b", "'", '"', "\\", "ord:*", "ord & ", "!ord",
    "ord <-> ber",
    "(((", "%", "%s %(user)s", "{after}", "مرحبا", "\u202eevil", "🎉", "e\u0301" * 40, "<b>", " ",
    "1" * 200, " ".join("ab" for _ in range(80)), "İ", "ß", "\ud83d\ude00",
]  # fmt: skip


@pytest.mark.parametrize("q", HOSTILE)
@pytest.mark.parametrize("view", ["needs-me", "decided-by-me", "closed"])
def test_whatever_is_typed_gets_a_page(anna: User, q: str, view: str) -> None:
    make_request(anna, title="Order for Berta")
    address = f"/requests/?view={view}&q={quote(q.encode('utf-8', 'surrogatepass'))}"
    assert signed_in(anna).get(address).status_code == 200


@pytest.mark.parametrize(
    "q", ["مرحبا", "🎉", "ÆRØ", "e\u0301te\u0301", "10428", "no-104", "<b>fett"]
)
def test_words_of_any_script_are_found(anna: User, q: str, how: str) -> None:
    make_request(anna, title="NO-10428 مرحبا 🎉 ærø été <b>fett</b>")
    expected = ["NO-10428 مرحبا 🎉 ærø été <b>fett</b>"]
    assert titles(anna, q, how=how) == expected


def test_a_search_without_a_letter_says_so_and_leads_back(anna: User) -> None:
    make_request(anna)
    page = signed_in(anna).get("/requests/?view=needs-me&q=%26%7C%21").content.decode()
    assert "There is nothing to look for in that." in page
    assert 'href="/requests/?view=needs-me"' in page
    assert rows_of(page) == []


def test_a_search_goes_with_the_filters_the_order_and_the_poll(anna: User, how: str) -> None:
    make_kind("order")
    make_request(anna, title="Berta one", kind="order")
    make_request(anna, title="Berta two")
    make_request(anna, title="Berta three", kind="order")
    words = {"kind": "order", "sort": "newest"}
    assert titles(anna, "berta", how=how, **words) == ["Berta three", "Berta one"]
    page = unescape(
        signed_in(anna).get("/requests/?view=needs-me&q=berta&kind=order").content.decode()
    )
    assert "/requests/news/?view=needs-me&kind=order&q=berta&since=" in page
    assert '<input type="hidden" name="kind" value="order">' in page
    assert "?view=needs-me&kind=order&q=berta" in page  # rows lead back to the search


def test_only_what_is_searched_for_is_news(anna: User) -> None:
    since = make_request(anna).pk
    make_request(anna, title="Berta")
    make_request(anna, title="Kari")
    assert look_again(anna, News.NEEDING, since, only=Filter(q="ber")).newer == 1
    write_down()
    assert look_again(anna, News.NEEDING, since, only=Filter(q="ber")).newer == 1


@pytest.mark.parametrize("view", ["needs-me", "decided-by-me", "closed"])
def test_pages_of_a_search_join_without_a_gap_or_a_double(
    anna: User, view: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "PAGE_SIZE", 3)
    monkeypatch.setattr(queues, "PAGE_SIZE", 3)
    monkeypatch.setattr(pending_page, "__kwdefaults__", pending_page.__kwdefaults__ | {"size": 3})
    for number in range(11):
        row = make_request(anna, title=f"{'Berta' if number % 3 else 'Kari'} {number:02}.")
        if view != "needs-me":
            approve(row, anna)
    if how != "unwritten":
        write_down()
    client, seen, address = signed_in(anna), [], f"/requests/?view={view}&q=berta"
    while address and len(seen) < 50:
        page = client.get(address).content.decode()
        seen += rows_of(page)
        onward = re.search(r'class="btn" href="([^"]*cursor=[^"]*)"', page)
        address = unescape(onward.group(1)) if onward else ""
    assert sorted(seen) == [f"Berta {n:02}." for n in range(11) if n % 3]


def test_a_common_word_is_looked_for_among_the_nearest_and_further_on(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", -1)
    for module in (filters, queues):
        monkeypatch.setattr(module, "WINDOW", 4)
    for number in range(10):
        make_request(anna, title=f"{'Berta' if number == 9 else 'Kari'} {number}")
    write_down()
    client, address, pages = signed_in(anna), "/requests/?view=needs-me&q=berta", 0
    while address:
        page, pages = client.get(address).content.decode(), pages + 1
        onward = re.search(r'href="([^"]*cursor=[^"]*)">Look further', page)
        address = unescape(onward.group(1)) if onward else ""
    assert (rows_of(page), pages) == (["Berta 9"], 3)


# What is done is found first and read then: found once, also where nothing is.
@pytest.mark.parametrize(
    ("view", "most"), [("needs-me", 5), ("my-teams", 5), ("decided-by-me", 6), ("closed", 6)]
)
def test_a_searched_page_takes_few_statements(
    anna: User,
    view: str,
    most: int,
    how: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(4):
        row = make_request(anna, groups=["desk"], title=f"Berta {number}")
        if number % 2:
            approve(row, anna)
    if how != "unwritten":
        write_down()
    client = signed_in(anna)
    save(client, "Berta", "?view=needs-me&q=berta")
    with django_assert_max_num_queries(most):
        page = client.get(f"/requests/?view={view}&q=berta").content.decode()
    assert len(rows_of(page)) == 2


def save(client: Client, name: str, words: str) -> None:
    assert client.post(f"/requests/saved/{words}", {"name": name}).status_code == 303


def test_a_search_can_be_saved_and_stands_in_the_rail_without_a_number(anna: User) -> None:
    make_request(anna, title="Berta")
    client = signed_in(anna)
    save(client, "About Berta", "?view=needs-me&q=ber&sort=oldest")
    view = SavedView.objects.get()
    assert (view.q, view.sort) == ("ber", "oldest")
    shown = unescape(client.get("/tokens/").content.decode())
    assert 'href="/requests/?view=needs-me&q=ber&sort=oldest"' in shown
    assert '<span class="view-name">About Berta</span><span class="view-count"></span>' in shown


@pytest.mark.parametrize(("sort", "order"), [("newest", "210"), ("oldest", "012"), ("", "102")])
def test_a_list_is_sorted_by_when_requests_came_in(anna: User, sort: str, order: str) -> None:
    for number, seconds in enumerate((900, 600, 1200)):
        make_request(anna, title=f"Berta {number}", timeout_seconds=seconds)
    for q in ("", "berta"):
        assert titles(anna, q, sort=sort) == [f"Berta {number}" for number in order]


def test_pages_of_another_order_join(anna: User) -> None:
    for number in range(7):
        make_request(anna, title=f"Row {number}", timeout_seconds=1_000 - number)
    walk = Walk.needing(anna).narrowed(Filter(sort="newest"))
    seen, after = [], None
    while True:
        page = pending_page(walk, after=after, size=3)
        seen += [row.title for row in page.rows]
        if not (after := page.next):
            break
    assert seen == [f"Row {number}" for number in reversed(range(7))]


def test_an_order_there_is_not_is_not_found(anna: User) -> None:
    assert signed_in(anna).get("/requests/?view=needs-me&sort=amount").status_code == 404


def test_of_more_than_a_window_the_nearest_are_sorted_and_the_page_says_so(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (filters, queues):
        monkeypatch.setattr(module, "WINDOW", 2)
    monkeypatch.setattr("approvals.review.column.WINDOW", 2)
    for number in range(4):
        make_request(anna, title=f"Row {number}", timeout_seconds=1_000 + number)
    page = signed_in(anna).get("/requests/?view=needs-me&sort=newest").content.decode()
    assert rows_of(page) == ["Row 1", "Row 0"]
    assert "Among the nearest 2" in page


def narrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if one looked among two at a time, and every word were in thousands of requests."""
    monkeypatch.setattr(search, "FEW", -1)
    for module in (filters, queues, past):
        monkeypatch.setattr(module, "WINDOW", 2)
    monkeypatch.setattr("approvals.review.column.WINDOW", 2)


@pytest.mark.parametrize(
    ("view", "among", "beyond"),
    [
        (
            "decided-by-me",
            "Among your latest 2 decisions",
            "Earlier decisions were not looked at yet.",
        ),
        ("closed", "Among the newest 2", "Older ones were not looked at yet."),
        (
            "needs-me",
            "Among the nearest 2",
            "Those with later deadlines were not looked at yet.",
        ),
    ],
)
def test_what_is_done_is_not_spoken_of_by_its_deadline(
    anna: User, view: str, among: str, beyond: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrowed(monkeypatch)
    for number in range(4):
        row = make_request(anna, title=f"Kari {number}", timeout_seconds=1_000 + number)
        if view != "needs-me":
            approve(row, anna)
    write_down()
    page = signed_in(anna).get(f"/requests/?view={view}&q=berta").content.decode()
    assert among in page
    assert beyond in page
    assert ("deadline" in page) == (view == "needs-me")


@pytest.mark.parametrize("view", ["decided-by-me", "closed", "needs-me"])
def test_where_there_is_nothing_nobody_is_told_among_what(anna: User, view: str) -> None:
    page = signed_in(anna).get(f"/requests/?view={view}").content.decode()
    assert rows_of(page) == []
    assert "Among" not in page


def test_where_the_newest_all_wait_the_list_of_what_is_closed_leads_on(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrowed(monkeypatch)
    approve(make_request(anna, title="Kari"), anna)
    for number in range(2):
        make_request(anna, title=f"Berta {number}")
    page = signed_in(anna).get("/requests/?view=closed").content.decode()
    assert "None of these is closed." in page
    assert "Nothing was closed yet." not in page
    onward = re.search(r'class="btn" href="([^"]*cursor=[^"]*)">Look further', page)
    assert onward
    assert rows_of(signed_in(anna).get(unescape(onward[1])).content.decode()) == ["Kari"]


def test_leaving_a_team_ends_finding_what_it_was_asked(anna: User, how: str) -> None:
    make_request(groups=["desk"], title="Berta")
    assert titles(anna, "berta", how=how) == ["Berta"]
    anna.groups.remove(make_team("desk"))
    assert titles(anna, "berta") == []
    assert titles(anna, "berta", "closed") == []


@pytest.mark.parametrize("mark", ["?", "?view=closed&"])
def test_what_is_searched_for_stands_in_no_line_of_a_log(mark: str) -> None:
    line = strike_secrets(None, "", {"request": f"GET /requests/{mark}q=berta+olsen&kind=order"})
    assert line["request"] == f"GET /requests/{mark}q=[struck]&kind=order"


def test_pages_of_what_is_closed_join_whatever_the_clocks_said(
    anna: User, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Of two received at once the one with the later key may have the earlier time."""
    monkeypatch.setattr(past, "PAGE_SIZE", 1)
    rows = [make_request(anna, title=f"Berta {number}") for number in range(4)]
    for row, other in zip(rows, [rows[2], rows[0], rows[3], rows[1]], strict=True):
        approve(row, anna)
        moved = ApprovalRequest.objects.filter(pk=row.pk)
        assert moved.update(received_at=other.received_at) == 1
    if how != "unwritten":
        write_down()
    for words in (Filter(), Filter(q="berta")):
        seen, after = [], None
        while True:
            page = past.closed_page(anna, words, after=after)
            seen += [row.title for row in page.rows]
            if not (after := page.next):
                break
        assert seen == [f"Berta {number}" for number in reversed(range(4))]
