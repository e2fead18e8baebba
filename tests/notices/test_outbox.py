"""A mail leaves at most once, in time, and only where it still helps."""

from __future__ import annotations

import smtplib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection, connections
from structlog.testing import capture_logs

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, Notice, User
from approvals.notices import mail, outbox
from approvals.states import Channel, NoticeKind, NoticeState, Verdict
from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def send(*, later: timedelta = timedelta(0), limit: int = 100) -> int:
    return outbox.send_due(now=database_now() + later, limit=limit)


def approve(request: ApprovalRequest, reviewer: User) -> None:
    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.BROWSER
    )


def state_of(kind: NoticeKind, user: User) -> str:
    return Notice.objects.get(kind=kind, user=user).state


def test_everybody_asked_gets_one_mail_however_often_the_sweep_comes_by(server):
    anna, bert = make_user("anna"), make_user("bert")
    make_request(anna, bert)
    assert send() == 2
    assert send() == 0
    assert server.recipients() == ["anna@example.com", "bert@example.com"]
    assert server.closed == server.opened == 1


def test_four_sweeps_at_once_send_each_mail_once(server):
    people = [make_user() for _ in range(12)]
    make_request(*people)

    def sweep(_: int) -> int:
        try:
            return send()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        looked_at = list(pool.map(sweep, range(4)))
    assert sum(looked_at) == 12
    assert server.recipients() == sorted(person.email for person in people)


def test_a_crash_between_marking_and_sending_loses_the_mail_rather_than_doubling_it(server):
    make_request(make_user())

    def die(_message: object) -> None:
        raise SystemExit

    server.while_sending = die
    with pytest.raises(SystemExit):
        send()
    server.while_sending = lambda message: None
    assert send(later=timedelta(hours=1)) == 0
    assert server.taken == []
    assert Notice.objects.get().state == NoticeState.SENT


def test_a_mail_is_marked_before_the_server_has_it(server):
    make_request(make_user())
    seen = []
    server.while_sending = lambda message: seen.append(Notice.objects.get().state)
    send()
    assert seen == [NoticeState.SENT]


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(), TimeoutError(), smtplib.SMTPAuthenticationError(535, b"")]
)
def test_without_a_mail_server_nothing_is_marked_and_it_is_tried_again_later(server, error):
    make_request(make_user())

    def refuse() -> None:
        raise error

    server.on_open = refuse
    send()
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts) == (NoticeState.PENDING, 1)
    assert type(error).__name__ in notice.detail
    assert send() == 0  # not at once
    server.on_open = lambda: None
    assert send(later=timedelta(seconds=6)) == 1
    assert len(server.taken) == 1


def test_pauses_grow_and_stay_below_ten_minutes(server):
    make_request(make_user())

    def refuse() -> None:
        raise ConnectionRefusedError

    server.on_open = refuse
    pauses = []
    now = database_now()
    for _ in range(9):
        outbox.send_due(now=now)
        due = Notice.objects.get().next_attempt_at
        pauses.append((due - now).total_seconds())
        now = due
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600]


@pytest.mark.parametrize(
    ("refusal", "state", "words"),
    [
        (smtplib.SMTPRecipientsRefused({"x": (550, b"")}), "dropped", "address (550)"),
        (smtplib.SMTPRecipientsRefused({"x": (451, b"")}), "pending", "address (451)"),
        (smtplib.SMTPDataError(554, b"spam"), "dropped", "mail (554)"),
        (smtplib.SMTPSenderRefused(421, b"", "us"), "pending", "mail (421)"),
        (smtplib.SMTPSenderRefused(553, b"", "us"), "pending", "mend EMAIL_FROM"),
        (smtplib.SMTPSenderRefused(530, b"", "us"), "pending", "mend EMAIL_FROM"),
        (smtplib.SMTPServerDisconnected("gone"), "sent", "perhaps"),
        (TimeoutError(), "sent", "perhaps"),
    ],
)
def test_only_a_mail_the_server_certainly_did_not_take_is_owed_again(server, refusal, state, words):
    make_request(make_user())

    def refuse(_message: object) -> None:
        raise refusal

    server.while_sending = refuse
    send()
    notice = Notice.objects.get()
    assert notice.state == state
    assert words in notice.detail
    assert (notice.settled_at is None) == (state == "pending")


def test_a_broken_connection_ends_the_sweep_before_more_mails_are_marked(server):
    make_request(make_user(), make_user(), make_user())

    def vanish(_message: object) -> None:
        raise smtplib.SMTPServerDisconnected

    server.while_sending = vanish
    send()
    assert Notice.objects.filter(state=NoticeState.PENDING).count() == 2


def test_a_wrong_sender_drops_no_mail_and_all_leave_once_it_is_mended(server):
    make_request(*[make_user() for _ in range(3)])
    tried = []

    def refuse(message: object) -> None:
        tried.append(message)
        raise smtplib.SMTPSenderRefused(553, b"sender not owned", "wrong@example.com")

    server.while_sending = refuse
    with capture_logs() as logs:
        assert send() == 3
    assert len(tried) == 1  # it would be the same for the others
    owed = Notice.objects.values_list("state", "attempts", "settled_at")
    assert list(owed) == [(NoticeState.PENDING, 1, None)] * 3
    assert send() == 0  # not at once
    [entry] = [entry for entry in logs if entry["event"] == "mail_sender_refused"]
    assert (entry["log_level"], "EMAIL_FROM" in entry["detail"]) == ("error", True)
    server.while_sending = lambda message: None
    send(later=timedelta(seconds=6))
    assert len(server.taken) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        smtplib.SMTPSenderRefused(421, b"", "us"),
        smtplib.SMTPRecipientsRefused({"x": (421, b"")}),
        smtplib.SMTPDataError(421, b""),
    ],
)
def test_a_server_that_hangs_up_ends_the_sweep_before_more_mails_are_marked(server, refusal):
    make_request(make_user(), make_user(), make_user())

    def hang_up(_message: object) -> None:
        server.while_sending = gone
        raise refusal

    def gone(_message: object) -> None:
        raise smtplib.SMTPServerDisconnected("please run connect() first")

    server.while_sending = hang_up
    send()
    assert Notice.objects.filter(state=NoticeState.PENDING).count() == 3


def test_one_refused_address_does_not_hold_up_the_others(server):
    make_request(make_user("anna"), make_user("bert"))

    def refuse(message: object) -> None:
        if "anna" in message.to[0]:
            raise smtplib.SMTPRecipientsRefused({"anna@example.com": (550, b"")})

    server.while_sending = refuse
    send()
    assert server.recipients() == ["bert@example.com"]


def test_a_mail_that_cannot_be_written_is_put_off_and_holds_up_nobody(server, monkeypatch):
    anna, bert = make_user("anna"), make_user("bert")
    make_request(anna, bert)
    compose = mail.compose

    def broken(notice: Notice) -> object:
        if notice.user == anna:
            raise KeyError("title")
        return compose(notice)

    monkeypatch.setattr(mail, "compose", broken)
    send()
    assert server.recipients() == ["bert@example.com"]
    assert state_of(NoticeKind.ASKED, anna) == NoticeState.PENDING


def test_who_is_asked_too_late_is_not_asked_by_mail(server):
    anna = make_user("anna")
    request = make_request(anna, make_user("bert"), required_approvals=1)
    approve(request, User.objects.get(username="bert"))
    send()
    assert server.taken == []
    assert state_of(NoticeKind.ASKED, anna) == NoticeState.DROPPED


def test_who_may_no_longer_decide_gets_no_mail(server):
    anna = make_user("anna")
    make_request(anna, make_user("bert"))
    anna.groups.clear()
    send()
    assert server.recipients() == ["bert@example.com"]


def test_who_has_voted_already_is_not_asked_again(server):
    anna = make_user("anna")
    request = make_request(anna, make_user("bert"), required_approvals=2)
    approve(request, anna)
    send()
    assert server.recipients() == ["bert@example.com"]


def test_past_the_deadline_nobody_is_asked(server):
    make_request(make_user(), timeout_seconds=600)
    send(later=timedelta(seconds=545))  # answer_by is 60 s before AWS's own
    assert server.taken == []


def test_a_mail_is_never_late_by_days(server):
    make_request(make_user())
    send(later=timedelta(hours=24, seconds=1))
    assert server.taken == []
    assert Notice.objects.get().state == NoticeState.DROPPED


def test_late_mails_are_dropped_also_while_the_mail_server_is_away(server):
    make_request(make_user())

    def refuse() -> None:
        raise ConnectionRefusedError

    server.on_open = refuse
    send(later=timedelta(hours=24, seconds=1))
    assert Notice.objects.get().state == NoticeState.DROPPED


@pytest.mark.parametrize("fields", [{"is_active": False}, {"email": ""}])
def test_who_cannot_be_reached_is_not_written_to(server, fields):
    anna = make_user("anna")
    make_request(anna, make_user("bert"))
    User.objects.filter(pk=anna.pk).update(**fields)
    send()
    assert server.recipients() == ["bert@example.com"]


def test_others_are_told_when_it_is_handled_and_the_decider_is_not(server):
    anna, bert = make_user("anna"), make_user("bert")
    request = make_request(anna, bert)
    send()
    server.taken.clear()
    approve(request, anna)
    send()
    assert server.recipients() == ["bert@example.com"]
    assert "Handled" in server.taken[0].subject


def test_who_was_never_asked_by_mail_is_not_told_that_it_is_handled(server):
    anna, bert = make_user("anna"), make_user("bert")
    request = make_request(anna, bert)
    Notice.objects.filter(user=bert).update(state=NoticeState.DROPPED, settled_at=database_now())
    approve(request, anna)
    send()
    assert server.taken == []
    assert state_of(NoticeKind.HANDLED, bert) == NoticeState.DROPPED


def test_the_sweep_stops_at_its_limit(server):
    make_request(*[make_user() for _ in range(5)])
    assert send(limit=3) == 3
    assert len(server.taken) == 3


def test_the_slowest_sweep_ends_before_celery_ends_it():
    opening = last_mail = settings.EMAIL_TIMEOUT
    longest = opening + outbox.SWEEP_LIMIT.total_seconds() + last_mail
    assert longest < settings.CELERY_TASK_SOFT_TIME_LIMIT


def test_no_mail_is_begun_after_the_limit_of_a_sweep(server, monkeypatch):
    make_request(*[make_user() for _ in range(5)])
    clock = SimpleNamespace(seconds=0.0, monotonic=lambda: clock.seconds)
    monkeypatch.setattr(outbox, "time", clock)

    def two_seconds(_message: object) -> None:
        clock.seconds += 2

    server.while_sending = two_seconds
    assert send() == outbox.SWEEP_LIMIT.total_seconds() / 2 == 2
    assert Notice.objects.filter(state=NoticeState.PENDING).count() == 3


def test_a_server_that_says_no_goodbye_fails_no_sweep(server, monkeypatch):
    make_request(make_user())

    def hang() -> None:
        raise TimeoutError

    monkeypatch.setattr(server, "close", hang)
    assert send() == 1


def test_nothing_due_opens_no_connection(server):
    assert send() == 0
    assert server.opened == 0


TOO_LONG = timedelta(seconds=9)


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_handled_comes_after_the_asked_mail_that_is_leaving_at_this_moment(server, monkeypatch):
    anna, bert = make_user("anna"), make_user("bert")
    request = make_request(anna, bert)
    Notice.objects.filter(user=anna).update(state=NoticeState.SENT)
    entered, go, compose = Event(), Event(), mail.compose

    def slow_first(notice: Notice) -> object:
        if notice.kind == NoticeKind.ASKED:
            entered.set()
            assert go.wait(20)
        return compose(notice)

    def sweep() -> None:
        try:
            send()
        finally:
            connections.close_all()

    monkeypatch.setattr(mail, "compose", slow_first)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(sweep)
        assert entered.wait(20)
        approve(request, anna)
        pool.submit(sweep).result()  # it is not this one's turn
        assert server.recipients() == []
        go.set()
        first.result()
    send()
    assert server.recipients() == ["bert@example.com", "bert@example.com"]
    assert state_of(NoticeKind.HANDLED, bert) == NoticeState.SENT


def test_who_was_replaced_is_not_sent_to_a_page_they_cannot_open(server):
    anna, bert = make_user("anna"), make_user("bert")
    request = make_request(anna)
    send()
    lifecycle.reassign(
        request.pk,
        operator=make_user(role="operator"),
        to=lifecycle.Asked(username="bert"),
        instead_of=request.assignments.get().pk,
        reason="Anna is away.",
    )
    approve(request, bert)
    send()
    assert state_of(NoticeKind.HANDLED, anna) == NoticeState.DROPPED
