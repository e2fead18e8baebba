"""Each sample ends as its README says: AWS's local runner, and the real portal over HTTP."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pytest_django.live_server_helper import LiveServer

from approvals import keyring, lifecycle
from approvals.callbacks.aws import LambdaGateway
from approvals.callbacks.delivery import deliver_due
from approvals.clock import database_now
from approvals.models import ApprovalRequest, SourceSecret, User
from approvals.models.source import secret_place
from examples import start
from examples.document_approval import documents
from examples.order_workflow import orders
from examples.refund_agent import tickets
from tests.client.standin import SECRET
from tests.examples.local import ROOT, LocalAws, eventually, local_aws
from tests.factories import make_kind, make_source, make_token, make_user, past_its_deadline

pytestmark = [
    pytest.mark.journey,
    # The live server finds static files where they lie; none were collected.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class Portal:
    """The portal with its people, its API, and what its worker would do, done when asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tokens: dict[str, str] = {}

    def seat(self, user: User) -> None:
        self.tokens[user.username] = make_token(user, database_now())

    def request_of(self, execution_arn: str) -> ApprovalRequest:
        found = ApprovalRequest.objects.filter(execution__arn=execution_arn)
        return eventually(found.first)

    def decide(self, username: str, asked: ApprovalRequest, verdict: str, comment: str) -> int:
        """The status that the API answers USERNAME with."""
        request = Request(
            f"{self.url}/api/v1/requests/{asked.public_id}/decision",
            data=json.dumps({"verdict": verdict, "comment": comment}).encode(),
            headers={
                "Authorization": f"Bearer {self.tokens[username]}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urlopen(request, timeout=20) as response:
                status: int = response.status
        except HTTPError as refusal:
            with refusal:
                return refusal.code
        deliver_due(LambdaGateway())
        return status

    def let_expire(self, asked: ApprovalRequest) -> None:
        past_its_deadline(asked)
        assert lifecycle.strike_due(now=database_now()) == 1
        deliver_due(LambdaGateway())


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory, live_server: LiveServer) -> Iterator[LocalAws]:
    with local_aws(tmp_path_factory.mktemp("samples"), live_server.url) as aws:
        yield aws


@pytest.fixture
def portal(live_server: LiveServer, transactional_db: None, aws: LocalAws) -> Portal:
    portal = Portal(live_server.url)
    for kind in ("order", "document", "agent-action"):
        make_kind(kind)
    teams = {"dana": ["order-desk"], "priya": ["order-desk", "finance"], "tomas": ["finance"]}
    for username, groups in teams.items():
        portal.seat(make_user(username, groups=groups))
    source = make_source("shop", endpoint_url=aws.url)
    source.default_groups.add(User.objects.get(username="dana").groups.get(name="order-desk"))
    raw = base64.b64decode(SECRET.removeprefix("whsec_"))
    sealed = keyring.seal(raw, place=secret_place(source.pk))
    SourceSecret.objects.create(source=source, sealed=sealed)
    return portal


def endings(folder: str) -> list[dict[str, Any]]:
    """The JSON results that the README of the sample in FOLDER shows, in order."""
    readme = (ROOT / "examples" / folder / "README.md").read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", readme, re.DOTALL)]


def result_of(ended: dict[str, Any]) -> dict[str, Any]:
    assert ended["Status"] == "SUCCEEDED", ended.get("Error")
    result: dict[str, Any] = json.loads(ended["Result"])
    return result


@pytest.mark.parametrize(
    ("verdict", "step", "shown"), [("approved", "publish", 0), ("rejected", "archive", 1)]
)
def test_the_word_alone_publishes_or_archives_a_document(
    aws: LocalAws, portal: Portal, verdict: str, step: str, shown: int
) -> None:
    arn = aws.start(documents.policy(), "document-approval")

    asked = portal.request_of(arn)
    assert portal.decide("tomas", asked, verdict, "I wrote it.") == 404  # and he is not named
    assert portal.decide("priya", asked, verdict, "Read twice.") == 200

    assert result_of(aws.end_of(arn)) == endings("document_approval")[shown]
    assert aws.steps_of(arn) == ["send-for-review", step]


def test_a_document_nobody_decides_is_archived_as_if_rejected(
    aws: LocalAws, portal: Portal
) -> None:
    arn = aws.start(documents.policy(), "document-approval")

    portal.let_expire(portal.request_of(arn))

    assert result_of(aws.end_of(arn)) == endings("document_approval")[1]


def test_a_document_asks_for_a_day_and_two_hours_of_silence(aws: LocalAws, portal: Portal) -> None:
    arn = aws.start(documents.press_release(), "document-approval")

    asked = portal.request_of(arn)

    assert asked.callback_expires_at == asked.sent_at + timedelta(hours=24)
    assert asked.heartbeat_timeout_seconds == 2 * 3600
    assert portal.decide("dana", asked, "approved", "") == 404  # she wrote it, and is not named
    assert portal.decide("priya", asked, "approved", "") == 200
    assert result_of(aws.end_of(arn))["status"] == "published"


def test_an_approved_refund_is_paid_and_settles_the_credit(aws: LocalAws, portal: Portal) -> None:
    arn = aws.start(tickets.damaged(), "refund-agent")

    asked = portal.request_of(arn)
    assert portal.decide("priya", asked, "approved", "") == 403  # it is her agent
    assert portal.decide("dana", asked, "approved", "The photos show it.") == 200

    assert result_of(aws.end_of(arn)) == endings("refund_agent")[0]
    assert aws.steps_of(arn) == ["plan", "book-credit", "ask", "refund-payment"]


def test_a_refused_refund_undoes_the_credit(aws: LocalAws, portal: Portal) -> None:
    arn = aws.start(tickets.damaged(), "refund-agent")

    asked = portal.request_of(arn)
    assert portal.decide("dana", asked, "rejected", "The photos show wear, not damage.") == 200

    assert result_of(aws.end_of(arn)) == endings("refund_agent")[1]
    assert aws.steps_of(arn) == ["plan", "book-credit", "ask", "undo-credit"]


def test_a_refund_nobody_decides_undoes_the_credit(aws: LocalAws, portal: Portal) -> None:
    arn = aws.start(tickets.damaged(), "refund-agent")

    portal.let_expire(portal.request_of(arn))

    assert result_of(aws.end_of(arn)) == endings("refund_agent")[2]
    assert aws.steps_of(arn) == ["plan", "book-credit", "ask", "undo-credit"]


def test_a_refund_that_could_not_be_asked_leaves_no_credit_behind(
    aws: LocalAws, portal: Portal
) -> None:
    arn = aws.start({**tickets.damaged(), "assignees": {"groups": ["nobody"]}}, "refund-agent")

    ended = aws.end_of(arn)

    assert ended["Status"] == "FAILED"
    assert "Unknown groups: nobody" in ended["Error"]["ErrorMessage"]
    assert aws.steps_of(arn) == ["plan", "book-credit", "undo-credit"]


@pytest.mark.parametrize(
    ("verdict", "step", "shown"), [("approved", "ship-order", 0), ("rejected", "cancel-order", 1)]
)
def test_an_order_ships_or_is_cancelled_and_says_who_decided(
    aws: LocalAws, portal: Portal, verdict: str, step: str, shown: int
) -> None:
    expected = endings("order_workflow")[shown]
    comment = expected["decision"]["comment"]
    arn = aws.start({**orders.small(), "order_id": expected["order_id"]})

    assert portal.decide("dana", portal.request_of(arn), verdict, comment) == 200

    result = result_of(aws.end_of(arn))
    assert datetime.fromisoformat(result["decision"].pop("at"))
    del expected["decision"]["at"]
    assert result == expected
    assert aws.steps_of(arn) == ["validate-order", "ask", step]


@pytest.mark.parametrize("function_name", start.SHAPES)
def test_the_portal_takes_every_shape_that_start_offers(
    aws: LocalAws, portal: Portal, function_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    start.main([function_name, "--runner", aws.url])

    arns = re.findall(r"execution (\S+)", capsys.readouterr().out)
    assert len(arns) == len(start.SHAPES[function_name])
    assert all(portal.request_of(arn).is_pending for arn in arns)


def test_waiting_shows_the_result_as_the_readme_does(
    aws: LocalAws, portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = aws.start(tickets.damaged(), "refund-agent")
    portal.decide("dana", portal.request_of(arn), "approved", "The photos show it.")

    shown = start.ending(aws.url, arn)

    readme = (ROOT / "examples" / "refund_agent" / "README.md").read_text(encoding="utf-8")
    status, _, result = shown.partition("\n")
    assert status == "SUCCEEDED"
    assert f"```json\n{result}\n```" in readme


@pytest.mark.parametrize("words", [["no-such"], ["refund-agent", "--shape", "small"]])
def test_what_cannot_be_started_is_named_beside_what_can(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        start.main([*words, "--runner", "http://127.0.0.1:1"])

    said = capsys.readouterr().err
    assert ("order-workflow" in said) or ("damaged" in said)
