"""Passwords: changed by who knows the old one, set anew by who reads the mail."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings

from portal.logs import strike_secrets
from tests.factories import make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db

OLD, NEW = "a long enough password", "quite another password"
CHANGE, RESET = "/accounts/password/change/", "/accounts/password/reset/"
LINK = re.compile(r"http://testserver(/accounts/password/reset/key/\S+)")


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


def change(client: Client, *, old: str = OLD, new: str = NEW) -> Any:
    return client.post(CHANGE, {"oldpassword": old, "password1": new, "password2": new})


def ask(email: str, **headers: str) -> Any:
    return Client(headers=headers).post(RESET, {"email": email})


def mailed_link() -> str:
    found = LINK.search(str(mail.outbox[-1].body))
    assert found
    return found[1]


def set_by(link: str, password: str = NEW, client: Client | None = None) -> Any:
    client = client or Client()
    form = client.get(link, follow=True)
    if "action_url" not in form.context or form.context.get("token_fail"):
        return form
    words = {"password1": password, "password2": password}
    return client.post(form.context["action_url"], words, follow=True)


def is_in(client: Client) -> bool:
    return client.get("/requests/").status_code == 200


def may_enter(username: str, password: str) -> bool:
    client = Client()
    client.post("/accounts/login/", {"login": username, "password": password})
    return is_in(client)


def test_a_changed_password_signs_out_every_other_browser_and_not_this_one() -> None:
    dana = make_user("dana")
    here, elsewhere = signed_in(dana), signed_in(dana)

    assert change(here)["Location"] == "/requests/"

    assert "Every other browser is signed out." in here.get("/requests/").content.decode()
    assert is_in(here)
    assert not is_in(elsewhere)
    assert may_enter("dana", NEW)
    assert not may_enter("dana", OLD)


def test_whoever_did_not_change_it_hears_of_the_change_by_mail() -> None:
    change(signed_in(make_user("dana")))
    assert [message.to for message in mail.outbox] == [["dana@example.com"]]
    assert mail.outbox[0].subject == "Your password for Countersign was changed"
    assert "127.0.0.1" in mail.outbox[0].body


def test_a_mail_server_that_is_away_does_not_undo_a_change() -> None:
    client = signed_in(make_user("dana"))
    with override_settings(EMAIL_BACKEND="tests.portal.test_accounts.DeafMail"):
        assert change(client).status_code == 302
    assert may_enter("dana", NEW)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("not the old one", NEW, "That is not your current password."),
        (OLD, "short", "at least 12 characters"),
        (OLD, "password1234", "too common"),
    ],
)
def test_a_change_that_may_not_be_leaves_the_old_password(old: str, new: str, said: str) -> None:
    response = change(signed_in(make_user("dana")), old=old, new=new)
    assert said in response.content.decode()
    assert may_enter("dana", OLD)


def test_the_page_says_in_one_sentence_what_a_password_must_be() -> None:
    page = signed_in(make_user("dana")).get(CHANGE).content.decode()
    assert "At least 12 characters; not a common one" in page
    assert "personal information" not in page


def test_the_old_password_cannot_be_guessed_without_end() -> None:
    client = signed_in(make_user("dana"))
    answers = [change(client, old=f"guess {number}").status_code for number in range(11)]
    assert answers[-2:] == [200, 429]


def test_a_stranger_is_sent_to_sign_in_before_a_change() -> None:
    assert Client().get(CHANGE)["Location"].startswith("/accounts/login/")


def test_the_frame_leads_to_the_change_and_the_sign_in_page_to_the_reset() -> None:
    assert CHANGE in signed_in(make_user("dana")).get("/requests/").content.decode()
    assert f'href="{RESET}"' in Client().get("/accounts/login/").content.decode()


def test_the_mailed_link_sets_a_password_and_signs_out_every_browser() -> None:
    browser = signed_in(make_user("dana"))
    ask("Dana@example.com")
    assert mail.outbox[0].subject == "Set a new password for Countersign"

    page = set_by(mailed_link())

    assert "Your password is set" in page.content.decode()
    assert not is_in(browser)
    assert may_enter("dana", NEW)
    assert mail.outbox[-1].subject == "Your password for Countersign was set anew"


def test_a_link_works_once() -> None:
    make_user("dana")
    ask("dana@example.com")
    link = mailed_link()
    set_by(link)

    assert "This link no longer works" in set_by(link, "a third password").content.decode()
    assert may_enter("dana", NEW)


def test_a_link_ends_after_an_hour(time_machine: Any) -> None:
    make_user("dana")
    time_machine.move_to("2026-03-01T09:00:00Z", tick=False)
    ask("dana@example.com")
    link = mailed_link()

    time_machine.move_to("2026-03-01T10:00:01Z", tick=False)

    assert "This link no longer works" in set_by(link).content.decode()
    assert may_enter("dana", OLD)


def test_opening_the_link_changes_nothing() -> None:
    browser = signed_in(make_user("dana"))
    ask("dana@example.com")
    Client().get(mailed_link(), follow=True)
    assert is_in(browser)
    assert may_enter("dana", OLD)


def test_a_known_and_an_unknown_address_get_the_same_answer_and_each_a_mail() -> None:
    make_user("dana")
    known, unknown = ask("dana@example.com"), ask("nobody@example.com")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [message.to for message in mail.outbox] == [["dana@example.com"], ["nobody@example.com"]]
    assert "key/" not in mail.outbox[1].body


def test_a_closed_account_gets_no_link() -> None:
    dana = make_user("dana")
    get_user_model().objects.filter(pk=dana.pk).update(is_active=False)
    ask("dana@example.com")
    assert not LINK.search(str(mail.outbox[0].body))


def test_the_link_leads_to_our_address_whatever_host_was_asked() -> None:
    make_user("dana")
    ask("dana@example.com", host="localhost")
    assert mailed_link()


def test_a_mail_server_that_is_away_is_said_alike_for_both_addresses() -> None:
    make_user("dana")
    with override_settings(EMAIL_BACKEND="tests.portal.test_accounts.DeafMail"):
        answers = [ask("dana@example.com"), ask("nobody@example.com")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert all("could not be sent" in answer.content.decode() for answer in answers)


def test_one_address_is_not_flooded_with_mails() -> None:
    answers = [ask("dana@example.com").status_code for _ in range(4)]
    assert answers == [302, 302, 302, 429]
    assert len(mail.outbox) == 3


def test_the_key_of_a_link_is_struck_out_of_the_logs() -> None:
    make_user("dana")
    ask("dana@example.com")
    link = mailed_link()
    line = strike_secrets(None, "info", {"event": f"GET {link}"})
    assert line["event"] == "GET /accounts/password/reset/key/[struck]/"


class DeafMail:
    """A mail backend whose server is away."""

    def __init__(self, *_args: object, **_options: object) -> None: ...

    def send_messages(self, _messages: object) -> int:
        raise ConnectionRefusedError
