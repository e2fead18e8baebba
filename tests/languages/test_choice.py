"""Everybody reads the language they chose; programs and what is written down stay English."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery, Notice, User
from approvals.notices.mail import compose
from approvals.presentation import format_money
from approvals.presentation.values import leaf
from approvals.states import Channel, Verdict
from approvals.templatetags.moments import calendar, clock, in_full, lasted, remaining, spoken
from tests.factories import make_request, make_user, past_its_deadline
from tests.review.people import Caller, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/preferences/"
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}
NOW = datetime(2026, 11, 28, 13, 5, 9, tzinfo=UTC)


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def gerda() -> User:
    gerda = make_user("gerda")
    gerda.language = "de"
    gerda.save(update_fields=["language"])
    return gerda


def page(client: Client, address: str, **headers: str) -> str:
    return client.get(address, **headers).content.decode()  # type: ignore[arg-type]


def test_a_stranger_is_greeted_as_their_browser_asks() -> None:
    german = Client().get("/accounts/login/", **GERMAN)  # type: ignore[arg-type]
    assert '<html lang="de"' in german.content.decode()
    assert "Passwort vergessen?" in german.content.decode()
    assert german.headers["Content-Language"] == "de"
    assert "Accept-Language" in german.headers["Vary"]
    assert "Forgot your password?" in page(Client(), "/accounts/login/")
    assert '<html lang="en"' in page(Client(), "/accounts/login/", HTTP_ACCEPT_LANGUAGE="fi,fr")


def test_a_choice_wins_over_the_browser_and_can_be_taken_back(anna: User) -> None:
    browser = signed_in(anna)
    assert "Needs me" in page(browser, "/requests/")
    browser.post(PAGE, {"language": "de", "time_zone": ""})
    kept = page(browser, PAGE, HTTP_ACCEPT_LANGUAGE="en")
    assert '<html lang="de"' in kept
    assert "Ihre Einstellungen sind gespeichert." in kept
    assert "Wartet auf mich" in page(browser, "/requests/", HTTP_ACCEPT_LANGUAGE="en")
    browser.post(PAGE, {"language": "", "time_zone": ""})
    assert "Needs me" in page(browser, "/requests/", HTTP_ACCEPT_LANGUAGE="en")
    assert "Wartet auf mich" in page(browser, "/requests/", **GERMAN)


def test_a_language_there_is_not_is_refused(anna: User) -> None:
    answer = signed_in(anna).post(PAGE, {"language": "tlh", "time_zone": ""})
    assert answer.status_code == 422
    assert "Choose a language from the list." in answer.content.decode()
    anna.refresh_from_db()
    assert anna.language == ""


def test_an_error_page_is_in_the_language_of_who_is_signed_in(gerda: User) -> None:
    text = page(signed_in(gerda), "/nothing/", HTTP_ACCEPT_LANGUAGE="en")
    assert '<html lang="de"' in text
    assert "Hier ist nichts für Sie" in text


def test_the_next_to_be_served_by_the_same_thread_reads_their_own_language(gerda: User) -> None:
    page(signed_in(gerda), "/requests/")
    assert translation.get_language() == "en"
    assert "Forgot your password?" in page(Client(), "/accounts/login/")


def test_programs_are_answered_in_english_whatever_they_ask_for(gerda: User) -> None:
    request = make_request(gerda)
    answer = Caller(gerda).decide(request, {"verdict": "rejected"}, **{"Accept-Language": "de"})
    assert answer.status_code == 422
    assert answer.json()["title"] == "Some fields need mending"
    message = answer.json()["errors"][0]["message"]
    assert message == "Say why you reject; the function receives it."


def test_what_a_german_press_writes_down_and_sends_is_english(gerda: User) -> None:
    request = make_request(gerda)
    form = {"verdict": "rejected", "comment": "no", "seen": request.payload_sha256}
    answer = signed_in(gerda).post(reverse("approvals:decide", args=[request.public_id]), form)
    assert answer.status_code == 303
    lifecycle.conclude_due(now=database_now() + timedelta(minutes=1))
    sent = json.loads(CallbackDelivery.objects.get(request=request).body)
    assert sent["ErrorMessage"] == "Rejected by gerda: no"
    facts = [event.facts for event in AuditEvent.objects.filter(request=request)]
    assert any(each.get("verdict") == "rejected" for each in facts)
    assert "bgelehnt" not in str(facts)


def test_a_refusal_is_told_in_the_language_of_who_pressed(gerda: User, anna: User) -> None:
    request = make_request(gerda, anna)
    lifecycle.decide(request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    form = {"verdict": "approved", "seen": request.payload_sha256}
    answer = signed_in(gerda).post(reverse("approvals:decide", args=[request.public_id]), form)
    assert answer.status_code == 409
    assert "hat dies um" in answer.content.decode()
    assert "Jemand war schneller." in answer.content.decode()


def test_a_mail_is_in_the_language_and_zone_of_its_reader(gerda: User, anna: User) -> None:
    gerda.time_zone = "Europe/Berlin"
    gerda.save(update_fields=["time_zone"])
    request = make_request(gerda, anna, title="Order 7", timeout_seconds=3600)
    with translation.override("de"):  # the language of whatever happens around it
        theirs = compose(Notice.objects.get(request=request, user=anna))
    hers = compose(Notice.objects.get(request=request, user=gerda))
    assert theirs.subject == "Your decision is asked: Order 7"
    assert "Decide by" in theirs.body
    assert hers.subject == "Ihre Entscheidung ist gefragt: Order 7"
    with timezone.override("Europe/Berlin"), translation.override("de"):
        assert f"Entscheiden Sie bis {in_full(request.answer_by)}." in hers.body
    assert 'lang="de"' in str(hers.alternatives[0][0])
    assert 'lang="en"' in str(theirs.alternatives[0][0])


def test_history_written_before_is_read_in_the_language_of_now(gerda: User) -> None:
    request = past_its_deadline(make_request(gerda, timeout_seconds=600))
    lifecycle.strike_due(now=database_now())
    text = page(signed_in(gerda), request.get_absolute_url())
    assert "<b>Die Frist</b> ist abgelaufen, bevor jemand entschied" in text
    assert "Niemand hat rechtzeitig entschieden" in text


@pytest.mark.parametrize(
    ("amount", "currency", "german"),
    [
        ("4597", "EUR", "4.597,00\u00a0€"),
        ("-1234.5", "USD", "\u22121.234,50\u00a0$"),
        ("1000", "JPY", "1.000\u00a0¥"),
        ("12.345", "CHF", "12,345\u00a0CHF"),
        ("99999999999999999999.01", "EUR", "99.999.999.999.999.999.999,01\u00a0€"),
    ],
)
def test_german_money_keeps_every_digit(amount: str, currency: str, german: str) -> None:
    with translation.override("de"):
        assert format_money(amount, currency) == german


def test_german_dates_and_lengths() -> None:
    with translation.override("de"), timezone.override("Europe/Berlin"):
        assert spoken(NOW + timedelta(minutes=12), NOW) == "in 12 min"
        assert spoken(NOW - timedelta(minutes=12), NOW) == "vor 12 min"
        assert remaining(NOW - timedelta(minutes=5), NOW) == "5 min überfällig"
        assert calendar(NOW + timedelta(days=2), NOW) == "Mo, 14:05"
        assert calendar(NOW - timedelta(days=20), NOW) == "08.11., 14:05"
        assert calendar(NOW - timedelta(days=400), NOW) == "24.10.2025, 15:05"
        assert "Sa, 28.11.2026, 14:05:09 CET (UTC+1)" in clock(NOW)
        assert in_full(NOW) == "Samstag, 28. November 2026, 14:05:09 CET"
        assert lasted(0.34) == "0,3 s"
        assert leaf("2026-11-20").text == "Fr, 20.11.2026"
        assert leaf(True).text == "Ja"


def test_a_payload_is_never_translated(gerda: User) -> None:
    payload = {"status": "Approved", "verdict": "Reject", "big": 9007199254740993}
    request: ApprovalRequest = make_request(gerda, payload=payload, title="Approve")
    text = page(signed_in(gerda), request.get_absolute_url())
    assert "9007199254740993" in text
    assert ">Approved<" in text or "Approved" in text
    assert '<h1 class="subject subject--xl" dir="auto" tabindex="-1">Approve</h1>' in text
