"""What lets its holder act is sent through every path, and must turn up in no record of it.

A callback ID, a signing secret, a key, a token and a secret in a payload; looked for in the
log at its most talkative, in /metrics, in mails, at the broker and in the tables.
"""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.core import mail
from django.db import connection
from django.test import Client

from approvals import doorbell, tasks
from approvals.callbacks.aws import LambdaGateway
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, Heartbeat
from portal import beat, logs
from tests.factories import make_token, make_user
from tests.fakes import lambda_api
from tests.fakes.lambda_api import LambdaApi
from tests.intake.sender import Sender, make_sender

pytestmark = pytest.mark.django_db(transaction=True)

#: Too short for the log to know it by its shape: nothing but care keeps it out.
CALLBACK_ID = "Q2FuYXJ5" * 6 + "Zm9yZXZlcg=="
PAYLOAD_SECRET = "canary-card-4929-1234"
METRICS_TOKEN = "canary-of-the-scraper"
AWS_SECRET = "canary-of-the-cloud"


@pytest.fixture
def log(capsys: Any) -> Iterator[StringIO]:
    """Everything that any logger says, down to DEBUG, as LOG_LEVEL=DEBUG would write it."""
    heard = StringIO()
    root = logging.getLogger()
    before = [*root.handlers], root.level
    levels = {name: logging.getLogger(name).level for name in ("django", "botocore", "urllib3")}
    logging.config.dictConfig(logs.logging_config("DEBUG") | {"incremental": False})
    [stderr] = root.handlers
    stderr.setStream(heard)  # type: ignore[attr-defined]
    yield heard
    root.handlers, root.level = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaApi]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIACANARY",
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    gateway = LambdaGateway()
    monkeypatch.setattr(tasks, "gateway", lambda: gateway)
    with LambdaApi() as api:
        yield api


def sweep(*names: str) -> None:
    for name in names:
        current_app.tasks[name].apply(throw=True)


def due_now() -> None:
    now = database_now()
    Heartbeat.objects.update(next_beat_at=now)
    CallbackDelivery.objects.filter(state="pending").update(next_attempt_at=now)


def open_one(sender: Sender, number: int, **fields: Any) -> str:
    """The public id of a request whose callback ID is a canary of its own."""
    answer = sender.open(
        callback_id=f"{number:04d}{CALLBACK_ID}",
        payload={"card": PAYLOAD_SECRET},
        heartbeat_timeout_seconds=30,
        **fields,
    )
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def everything_goes_wrong(sender: Sender) -> None:
    """What is refused at the door is logged, with as little."""
    body = json.dumps({"callback_id": CALLBACK_ID, "payload": PAYLOAD_SECRET, "x": 1}).encode()
    assert sender.post(body).status_code == 422
    assert sender.post(b"{" + body).status_code == 400
    stale = {**sender.signed(body), "webhook-signature": f"v1,{CALLBACK_ID}"}
    assert sender.post(body, headers=stale).status_code == 401
    wrong_key = {"authorization": f"Bearer {sender.key}x"}
    assert sender.post(body, headers=wrong_key).status_code == 401
    client = Client(raise_request_exception=False)
    assert client.post(f"{sender.address}/{sender.key}").status_code in {401, 404, 405}


def test_no_canary_turns_up_in_any_record(
    log: StringIO, aws: LambdaApi, settings: Any, capsys: Any
) -> None:
    settings.LOG_LEVEL, settings.METRICS_TOKEN = "DEBUG", METRICS_TOKEN
    reviewer = make_user("anna")
    token = make_token(reviewer, database_now())
    sender = make_sender(endpoint_url=aws.url)
    who = {"assignees": {"users": ["anna"]}}

    by_api, by_browser, refused, silent = (open_one(sender, n, **who) for n in range(4))
    everything_goes_wrong(sender)
    sweep(doorbell.SEND_HEARTBEATS, doorbell.SEND_NOTICES)
    aws.script.extend([lambda_api.DENIED, lambda_api.RESET_AFTER, lambda_api.THROTTLED])
    due_now()
    sweep(doorbell.SEND_HEARTBEATS)
    decide = {"verdict": "approved", "comment": "Seen."}
    client = Client(headers={"authorization": f"Bearer {token}"})
    address = f"/api/v1/requests/{by_api}/decision"
    assert client.post(address, decide, content_type="application/json").status_code == 200
    signed_in = Client()
    signed_in.force_login(reviewer)
    for public_id in (by_browser, refused):
        page = signed_in.get(f"/requests/{public_id}/")
        assert page.status_code == 200
        signed_in.post(f"/requests/{public_id}/decide/", decide)
    aws.script.extend([lambda_api.HTML_503, lambda_api.DENIED, lambda_api.HALF_ANSWER])
    for _ in range(3):
        sweep(doorbell.DELIVER_CALLBACKS)
        due_now()
    sender.withdraw(silent)
    sweep(*(name for name in current_app.tasks if name in SWEEPS))
    scraped = Client().get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})

    written = log.getvalue() + capsys.readouterr().err
    records = {
        "log": written,
        "metrics": scraped.content.decode(),
        "mail": "".join(message.message().as_string() for message in mail.outbox),
        "broker": at_the_broker(),
        "tables": in_the_tables(),
    }
    canaries = {
        "callback ID": CALLBACK_ID[:40],
        "signing secret": sender.secret.removeprefix("whsec_"),
        "source key": sender.key,
        "personal token": token,
        "AWS secret": AWS_SECRET,
        "metrics token": METRICS_TOKEN,
    }
    found = [(name, place) for place, text in records.items()
             for name, canary in canaries.items() if canary in text]  # fmt: skip
    assert found == []
    assert [
        place for place in ("log", "metrics", "broker") if PAYLOAD_SECRET in records[place]
    ] == []

    # They went all the way, and the search looks where it should.
    assert any(call.name.endswith(CALLBACK_ID) and call.taken for call in aws.calls)
    assert len(aws.closed) >= 2
    assert PAYLOAD_SECRET in records["tables"]
    assert '"level": "debug"' in written
    assert mail.outbox
    for public_id in (by_api, by_browser, refused, silent):
        assert lines_of(written, public_id), public_id


#: All but those that wait for something to happen.
SWEEPS = {
    getattr(doorbell, name)
    for name in vars(doorbell)
    if name.isupper() and str(getattr(doorbell, name)).startswith("approvals.")
} - {getattr(doorbell, "STAND_BY", "")}


def lines_of(written: str, public_id: str) -> set[str]:
    """What was said of a request, by its public id."""
    lines = (json.loads(line) for line in written.splitlines() if line.startswith("{"))
    return {line["event"] for line in lines if line.get("public_id") == public_id}


def at_the_broker() -> str:
    broker = beat.broker()
    keys = [str(key) for key in broker.scan_iter()]
    return " ".join([*keys, *(repr(broker.dump(key)) for key in keys)])


def in_the_tables() -> str:
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{table}\" t")
            texts.append(cursor.fetchone()[0])
    return "\n".join(texts)


def test_each_attempt_is_a_line_with_the_public_id(log: StringIO, aws: LambdaApi) -> None:
    make_user("anna")
    sender = make_sender(endpoint_url=aws.url)
    public_id = open_one(sender, 1, assignees={"users": ["anna"]})
    row = ApprovalRequest.objects.get()
    sender.withdraw(public_id)
    sweep(doorbell.DELIVER_CALLBACKS)
    assert str(row.public_id) == public_id
    assert lines_of(log.getvalue(), public_id) >= {"answer_settled"}
