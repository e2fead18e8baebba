"""Each person reads times in their own zone; deadlines stay where they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from approvals.models import Notice, User
from approvals.notices.mail import compose
from approvals.review.preferences import zones
from approvals.states import NoticeKind
from tests.factories import make_request, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/preferences/"


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def browser(anna: User) -> Client:
    return signed_in(anna)


def clock_on(page: str) -> str:
    found = re.search(r'<time class="clock"[^>]*>([^<]+)</time>', page)
    assert found
    return found[1]


def test_times_are_the_portals_until_somebody_chooses(browser: Client) -> None:
    assert clock_on(browser.get(PAGE).content.decode()).endswith(" UTC")


def test_times_are_in_the_zone_one_has_chosen(browser: Client, anna: User) -> None:
    answer = browser.post(PAGE, {"time_zone": "Asia/Tokyo"})

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    page = browser.get(PAGE).content.decode()
    assert clock_on(page).endswith(" JST")
    assert '<option value="Asia/Tokyo" selected>' in page


def test_nobody_else_reads_times_in_it(browser: Client) -> None:
    browser.post(PAGE, {"time_zone": "Asia/Tokyo"})
    browser.get(PAGE)

    assert timezone.get_current_timezone_name() == "UTC"
    assert clock_on(signed_in(make_user("ben")).get(PAGE).content.decode()).endswith(" UTC")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Asia/Tokyo\0", "UTC"])
def test_what_is_not_on_the_list_is_told_beside_the_field(
    browser: Client, anna: User, zone: str
) -> None:
    answer = browser.post(PAGE, {"time_zone": zone})

    assert answer.status_code == 422
    assert "Choose a time zone from the list." in answer.content.decode()
    anna.refresh_from_db()
    assert anna.time_zone == ""


def test_a_zone_that_this_machine_lost_is_the_portals(anna: User) -> None:
    anna.time_zone = "Mars/Olympus"

    assert anna.zone.key == "UTC"


def test_a_mail_tells_the_deadline_in_its_readers_zone(anna: User) -> None:
    anna.time_zone = "Asia/Tokyo"
    request = make_request(anna, timeout_seconds=86_400)
    notice = Notice(request=request, user=anna, kind=NoticeKind.ASKED)

    assert " JST. " in str(compose(notice).body)
    assert timezone.get_current_timezone_name() == "UTC"


def test_each_zone_says_what_time_it_is_there() -> None:
    by_continent = dict(zones(datetime(2026, 7, 1, 12, 0, tzinfo=UTC)))

    assert ("Europe/Berlin", "Berlin, 14:00") in by_continent["Europe"]
    assert ("America/Argentina/Salta", "Argentina, Salta, 09:00") in by_continent["America"]


def test_who_is_not_signed_in_has_no_preferences() -> None:
    assert Client().get(PAGE).status_code == 302
