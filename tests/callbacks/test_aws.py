"""The real gateway against a stand-in that fails in every way the wire can."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.session import Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from mypy_boto3_lambda import LambdaClient

from approvals.callbacks import aws_clients
from approvals.callbacks.aws import LambdaGateway
from approvals.callbacks.gateway import EXCHANGE_LIMIT, Address, CallbackFailure, Said
from approvals.states import Reply
from tests.fakes import lambda_api
from tests.fakes.lambda_api import Fault, LambdaApi

CALLBACK_ID = "Ab9hZXj/+secret+callback/id=="
ARN = (
    "arn:aws:lambda:eu-west-1:123456789012:function:order:$LATEST"
    "/durable-execution/order-1/9f7d84c9"
)


DOCUMENT = '{"request_id": "r-1", "decision_id": "d-1", "comment": "secret-comment"}'


def _event(number: int, kind: str, **details: object) -> dict[str, Any]:
    return {
        "EventId": number,
        "EventType": kind,
        "Id": f"op{number}",
        "EventTimestamp": 1795176000,
        f"{kind}Details": details,
    }


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAOWN",
        "AWS_SECRET_ACCESS_KEY": "own",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def api() -> Iterator[LambdaApi]:
    with LambdaApi() as api:
        yield api


@pytest.fixture
def address(api: LambdaApi) -> Address:
    return Address(source_id=7, region="eu-west-1", endpoint_url=api.url)


@pytest.fixture
def gateway() -> LambdaGateway:
    return LambdaGateway(
        connect_timeout=timedelta(milliseconds=300), read_timeout=timedelta(milliseconds=300)
    )


def test_a_success_arrives_byte_for_byte(
    api: LambdaApi, address: Address, gateway: LambdaGateway
) -> None:
    body = '{"outcome": "approved", "comment": "schön"}'.encode()

    answer = gateway.succeed(address, CALLBACK_ID, body)

    assert answer.reply is Reply.ACCEPTED
    assert api.closed == {CALLBACK_ID: ("succeed", body)}
    assert "countersign/" in api.calls[0].user_agent


def test_a_failure_carries_type_message_and_data(
    api: LambdaApi, address: Address, gateway: LambdaGateway
) -> None:
    error = CallbackFailure("ApprovalRejected", "Dana rejected it.", '{"outcome": "rejected"}')

    assert gateway.fail(address, CALLBACK_ID, error).reply is Reply.ACCEPTED

    verb, body = api.closed[CALLBACK_ID]
    assert verb == "fail"
    assert json.loads(body) == {
        "ErrorType": "ApprovalRejected",
        "ErrorMessage": "Dana rejected it.",
        "ErrorData": '{"outcome": "rejected"}',
    }


def test_beats_may_be_repeated_until_the_callback_is_closed(
    address: Address, gateway: LambdaGateway
) -> None:
    assert gateway.beat(address, CALLBACK_ID).reply is Reply.ACCEPTED
    assert gateway.beat(address, CALLBACK_ID).reply is Reply.ACCEPTED
    gateway.succeed(address, CALLBACK_ID, b"{}")

    assert gateway.beat(address, CALLBACK_ID).reply is Reply.CLOSED


FAULTS = {
    "throttled": (lambda_api.THROTTLED, Reply.UNAVAILABLE, False),
    "service error": (lambda_api.SERVICE_ERROR, Reply.UNAVAILABLE, True),
    "kms": (lambda_api.KMS_DENIED, Reply.UNAVAILABLE, False),
    "html 503": (lambda_api.HTML_503, Reply.UNAVAILABLE, True),
    "bare 500": (Fault(500), Reply.UNAVAILABLE, True),
    "json list 500": (Fault(500, b"[]"), Reply.UNAVAILABLE, True),
    "json list 403": (Fault(403, b"[]"), Reply.UNAVAILABLE, False),
    "deep json 200": (Fault(200, b"[" * 100_000), Reply.UNAVAILABLE, True),
    "reset before": (lambda_api.RESET_BEFORE, Reply.UNAVAILABLE, True),
    "reset after": (lambda_api.RESET_AFTER, Reply.UNAVAILABLE, True),
    "half an answer": (lambda_api.HALF_ANSWER, Reply.UNAVAILABLE, True),
    "cut after the head": (Fault(200, b"", cut=True), Reply.UNAVAILABLE, True),
    "slow": (lambda_api.SLOW, Reply.UNAVAILABLE, True),
    "garbage 200": (lambda_api.GARBAGE_200, Reply.UNAVAILABLE, True),
    "not utf-8 200": (Fault(200, b"\xff\xfe"), Reply.UNAVAILABLE, True),
    "a stranger's 204": (Fault(204), Reply.UNAVAILABLE, True),
    "empty 200": (Fault(200), Reply.ACCEPTED, False),
    "redirect": (lambda_api.REDIRECT, Reply.UNAVAILABLE, False),
    "a stranger's 404": (lambda_api.NO_SUCH_PAGE, Reply.UNAVAILABLE, False),
    "closed": (lambda_api.TIMED_OUT, Reply.CLOSED, False),
    "unknown id": (lambda_api.error("ResourceNotFoundException", 404), Reply.CLOSED, False),
    "denied": (lambda_api.error("AccessDeniedException", 403), Reply.UNAVAILABLE, False),
    "expired": (lambda_api.error("ExpiredTokenException", 403), Reply.UNAVAILABLE, False),
    "invalid": (lambda_api.error("InvalidParameterValueException", 400), Reply.REFUSED, False),
    "runner closed": (
        lambda_api.runner(f"…: Callback operation [{CALLBACK_ID}] is not in STARTED state"),
        Reply.CLOSED,
        False,
    ),
    "runner malformed": (lambda_api.runner("…: Incorrect padding"), Reply.REFUSED, False),
    "runner broken": (lambda_api.runner("…: database is locked"), Reply.UNAVAILABLE, True),
    "runner invalid": (
        lambda_api.runner("…", type_="InvalidParameterValueException", status=400),
        Reply.REFUSED,
        False,
    ),
    "runner throttled": (
        lambda_api.runner("…", type_="TooManyRequestsException", status=429),
        Reply.UNAVAILABLE,
        False,
    ),
}


@pytest.mark.parametrize("expected", FAULTS.values(), ids=FAULTS.keys())
def test_every_mishap_is_an_answer_and_never_sent_twice(
    api: LambdaApi, address: Address, gateway: LambdaGateway, expected: tuple[Fault, Reply, bool]
) -> None:
    fault, reply, unknown = expected
    api.script.append(fault)

    answer = gateway.succeed(address, CALLBACK_ID, b"{}")

    assert (answer.reply, answer.applied_unknown) == (reply, unknown)
    assert [call.taken for call in api.calls] == [fault.taken]
    assert CALLBACK_ID not in answer.detail
    assert "secret-message" not in answer.detail


def test_throttling_says_how_long_to_wait(
    api: LambdaApi, address: Address, gateway: LambdaGateway
) -> None:
    api.script.append(lambda_api.THROTTLED)

    assert gateway.beat(address, CALLBACK_ID).retry_after == timedelta(seconds=7)


def test_after_a_lost_answer_a_repetition_is_told_closed(
    api: LambdaApi, address: Address, gateway: LambdaGateway
) -> None:
    api.script.append(lambda_api.RESET_AFTER)

    first = gateway.succeed(address, CALLBACK_ID, b"{}")
    second = gateway.succeed(address, CALLBACK_ID, b"{}")

    assert (first.applied_unknown, second.reply) == (True, Reply.CLOSED)


def test_a_refused_connection_was_certainly_not_applied(gateway: LambdaGateway) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connecting is refused
        here = Address(1, "eu-west-1", f"http://127.0.0.1:{taken.getsockname()[1]}")
        answer = gateway.succeed(here, CALLBACK_ID, b"{}")

    assert (answer.reply, answer.applied_unknown) == (Reply.UNAVAILABLE, False)
    assert answer.detail.startswith("EndpointConnectionError: ")


def test_a_connection_that_takes_too_long_was_certainly_not_applied(
    gateway: LambdaGateway,
) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # a backlog that two callers fill: the third is left waiting
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        here = Address(1, "eu-west-1", f"http://127.0.0.1:{full.getsockname()[1]}")
        answer = gateway.succeed(here, CALLBACK_ID, b"{}")

    assert answer.detail.startswith("ConnectTimeoutError: ")
    assert not answer.applied_unknown


def test_a_name_that_does_not_resolve_was_certainly_not_applied(
    gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unresolvable(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolvable)

    answer = gateway.succeed(Address(1, "eu-west-1", "http://nowhere.invalid"), CALLBACK_ID, b"{}")

    assert (answer.reply, answer.applied_unknown) == (Reply.UNAVAILABLE, False)


def test_tls_against_a_plain_server_is_an_answer(api: LambdaApi, gateway: LambdaGateway) -> None:
    here = Address(1, "eu-west-1", api.url.replace("http:", "https:"))

    assert gateway.succeed(here, CALLBACK_ID, b"{}").reply is Reply.UNAVAILABLE


def test_a_certificate_nobody_vouches_for_waits_to_be_mended(
    gateway: LambdaGateway, tmp_path: Path
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_self_signed(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        pool.submit(_shake_hands, listener, tls)
        here = Address(1, "eu-west-1", f"https://127.0.0.1:{listener.getsockname()[1]}")
        answer = gateway.succeed(here, CALLBACK_ID, b"{}")

    assert answer.detail == "SSLError: The endpoint's certificate is not trusted."
    assert (answer.applied_unknown, answer.needs_mending) == (False, True)


@pytest.mark.parametrize(
    "wrong",
    [
        Address(1, ""),
        Address(1, "not a region"),
        Address(1, "eu-west-1", "no-scheme"),
        Address(1, "eu-west-1", "http://"),
    ],
)
def test_an_address_that_makes_no_client_waits_to_be_mended(
    gateway: LambdaGateway, wrong: Address
) -> None:
    answer = gateway.succeed(wrong, CALLBACK_ID, b"{}")

    assert (answer.reply, answer.applied_unknown) == (Reply.UNAVAILABLE, False)
    assert answer.needs_mending


def test_missing_credentials_wait_to_be_mended(
    address: Address, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    answer = gateway.succeed(address, CALLBACK_ID, b"{}")

    assert answer.detail.startswith("NoCredentialsError: ")
    assert (answer.applied_unknown, answer.needs_mending) == (False, True)


def test_an_empty_callback_id_is_refused_without_a_call(
    api: LambdaApi, address: Address, gateway: LambdaGateway
) -> None:
    assert gateway.succeed(address, "", b"{}").reply is Reply.REFUSED
    assert api.calls == []


def test_without_an_endpoint_of_its_own_a_source_uses_the_environment_s(
    api: LambdaApi, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", api.url)

    assert gateway.beat(Address(1, "eu-west-1"), CALLBACK_ID).reply is Reply.ACCEPTED


def test_proxies_of_the_environment_are_not_asked(
    address: Address, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert gateway.beat(address, CALLBACK_ID).reply is Reply.ACCEPTED


class TestRoles:
    @pytest.fixture(autouse=True)
    def _sts(self, api: LambdaApi, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", api.url)

    @pytest.fixture
    def address(self, api: LambdaApi) -> Address:
        role = "arn:aws:iam::123456789012:role/answers"
        return Address(7, "eu-west-1", api.url, role_arn=role, external_id="only-ours")

    def test_a_source_s_calls_are_signed_with_its_role_borrowed_once(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        for _ in range(3):
            assert gateway.beat(address, CALLBACK_ID).reply is Reply.ACCEPTED

        assert [role["ExternalId"] for role in api.roles] == ["only-ours"]
        assert api.roles[0]["RoleArn"] == address.role_arn
        assert api.roles[0]["RoleSessionName"] == "countersign-7"
        assert all("Credential=ASIALENT/" in call.authorization for call in api.calls)

    def test_sources_do_not_share_a_role(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        gateway.beat(address, CALLBACK_ID)
        gateway.beat(Address(8, "eu-west-1", api.url), CALLBACK_ID)

        keys = [call.authorization.split("Credential=")[1].split("/")[0] for call in api.calls]
        assert keys == ["ASIALENT", "AKIAOWN"]

    @pytest.mark.parametrize(
        "fault",
        [lambda_api.role_denied(), Fault(500, b"broken"), lambda_api.RESET_BEFORE, lambda_api.SLOW],
        ids=["denied", "500", "reset", "slow"],
    )
    def test_a_role_that_is_not_lent_means_nothing_was_sent(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway, fault: Fault
    ) -> None:
        api.role_fault = fault

        answer = gateway.succeed(address, CALLBACK_ID, b"{}")

        assert (answer.reply, answer.applied_unknown) == (Reply.UNAVAILABLE, False)
        assert "role cannot be assumed" in answer.detail
        assert "secret-message" not in answer.detail
        assert api.calls == []

    def test_a_role_needs_no_external_id(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        gateway.beat(replace(address, external_id=None), CALLBACK_ID)

        assert "ExternalId" not in api.roles[0]

    def test_without_credentials_of_its_own_the_portal_borrows_none(
        self, address: Address, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

        answer = gateway.beat(address, CALLBACK_ID)

        assert answer.detail.startswith("NoCredentialsError: ")
        assert (answer.applied_unknown, answer.needs_mending) == (False, True)

    def test_a_role_is_borrowed_as_soon_as_it_is_lent(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        api.role_fault = lambda_api.role_denied()
        gateway.succeed(address, CALLBACK_ID, b"{}")
        api.role_fault = None

        assert gateway.succeed(address, CALLBACK_ID, b"{}").reply is Reply.ACCEPTED


class TestLooking:
    def test_an_execution_is_seen_with_its_times(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        api.executions[ARN] = _execution("SUCCEEDED", EndTimestamp=1795176001.5)

        seen = gateway.look(address, ARN)

        assert (seen.status, seen.is_terminal) == ("SUCCEEDED", True)
        assert seen.started_at == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        assert seen.ended_at == datetime(2026, 11, 20, 12, 0, 1, 500_000, tzinfo=UTC)

    @pytest.mark.parametrize("status", ["RUNNING", "PAUSED", "DELETING", "A_WORD_OF_TOMORROW"])
    def test_an_unknown_status_counts_as_open(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway, status: str
    ) -> None:
        api.executions[ARN] = _execution(status)

        seen = gateway.look(address, ARN)

        assert (seen.answer.reply, seen.status, seen.is_terminal) == (Reply.ACCEPTED, status, False)

    def test_an_execution_aws_does_not_know_is_not_seen(
        self, address: Address, gateway: LambdaGateway
    ) -> None:
        seen = gateway.look(address, ARN)

        assert (seen.answer.reply, seen.status) == (Reply.CLOSED, "")

    def test_an_answer_without_a_status_is_not_a_sighting(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        api.script.append(Fault(200, b"{}"))

        assert gateway.look(address, ARN).answer.reply is Reply.UNAVAILABLE


class TestHistories:
    def test_a_page_tells_what_happened_and_keeps_no_payload(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        api.histories[ARN] = [
            _event(1, "ExecutionStarted", Input={"Payload": "secret-input", "Truncated": False}),
            _event(2, "CallbackStarted", CallbackId=CALLBACK_ID, Timeout=60, HeartbeatTimeout=20),
            _event(
                3, "StepFailed", RetryDetails={"CurrentAttempt": 2, "NextAttemptDelaySeconds": 5}
            ),
            _event(4, "CallbackSucceeded", Result={"Payload": DOCUMENT, "Truncated": False}),
        ]

        page = gateway.history(address, ARN, with_results=True)

        _, waits, failed, ended = page.events
        assert page.answer.reply is Reply.ACCEPTED
        assert (waits.callback_id, waits.timeout_seconds) == (CALLBACK_ID, 60)
        assert waits.heartbeat_timeout_seconds == 20
        assert (failed.attempt, failed.retries) == (2, True)
        assert ended.said == Said(sha256(DOCUMENT.encode()).hexdigest(), "r-1", "d-1", is_json=True)
        assert ended.at == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        assert "secret" not in repr(page)

    def test_what_aws_asked_for_is_what_its_api_takes(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        asked: list[dict[str, Any]] = []
        api.histories[ARN] = []
        gateway.history(address, ARN)
        events = gateway.clients.of(address).meta.events
        events.register("provide-client-params.lambda", lambda params, **_: asked.append(params))

        gateway.history(address, ARN, marker="next")
        gateway.history(address, ARN, with_results=True)

        always = {"DurableExecutionArn": ARN, "ReverseOrder": True}
        plain = {"IncludeExecutionData": False, "MaxItems": 1000, "Marker": "next"}
        assert asked == [always | plain, always | {"IncludeExecutionData": True, "MaxItems": 100}]

    @pytest.mark.parametrize(
        "ending",
        [
            _event(1, "CallbackSucceeded"),
            _event(1, "CallbackFailed", Error={"Truncated": True}),
            _event(1, "CallbackFailed", Error={"Payload": {}}),
        ],
    )
    def test_what_aws_does_not_show_is_not_guessed(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway, ending: dict[str, Any]
    ) -> None:
        api.histories[ARN] = [ending]

        (event,) = gateway.history(address, ARN, with_results=True).events

        assert event.said is None

    def test_what_aws_shows_in_part_is_marked_as_a_part(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        cut = {"Truncated": True, "Payload": DOCUMENT[:20]}
        api.histories[ARN] = [_event(1, "CallbackSucceeded", Result=cut)]

        (event,) = gateway.history(address, ARN, with_results=True).events

        assert event.said is not None
        assert (event.said.is_whole, event.said.is_json) == (False, False)

    def test_denied_not_found_and_unavailable_are_three_things(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway
    ) -> None:
        api.script.extend([lambda_api.DENIED, lambda_api.SERVICE_ERROR])
        denied, unavailable, unknown = (gateway.history(address, ARN).answer for _ in range(3))

        assert (denied.needs_mending, denied.not_found) == (True, False)
        assert (unavailable.needs_mending, unavailable.not_found) == (False, False)
        assert (unknown.needs_mending, unknown.not_found) == (False, True)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"Events": "CallbackSucceeded"}',
            b'{"Events": [7]}',
            b'{"Events": {"EventId": 1}}',
            b'{"Events": [{"EventId": "x", "EventTimestamp": "yesterday"}]}',
            b'{"Events": [{"EventType": "CallbackStarted", "CallbackStartedDetails": 7}]}',
            b'{"Events": [{"EventType": ["x"], "EventId": -4, "Id": 9, "Name": {}}]}',
            b'{"NextMarker": 7}',
            b"{}",
            b"[]",
        ],
    )
    def test_garbage_is_an_answer_too(
        self, api: LambdaApi, address: Address, gateway: LambdaGateway, body: bytes
    ) -> None:
        api.script.append(Fault(200, body))

        page = gateway.history(address, ARN)

        assert page.answer.reply in {Reply.ACCEPTED, Reply.UNAVAILABLE}
        assert all(not event.callback_id for event in page.events)


def test_many_threads_share_one_client_per_address(
    api: LambdaApi, address: Address, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Address] = []
    original = aws_clients._new_client

    def counting(address: Address, config: Config) -> LambdaClient:
        made.append(address)
        return original(address, config)

    monkeypatch.setattr(aws_clients, "_new_client", counting)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: gateway.beat(address, f"id{n}").reply, range(16)))

    assert replies == [Reply.ACCEPTED] * 16
    assert made == [address]


def test_a_source_whose_credentials_hang_holds_up_no_other(
    api: LambdaApi, address: Address, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, leave = Event(), Event()
    original = aws_clients._own_credentials

    def hanging(session: Session) -> Credentials:
        asked.set()
        leave.wait(10)
        return original(session)

    monkeypatch.setattr(aws_clients, "_own_credentials", hanging)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", api.url)
    borrowing = replace(address, source_id=8, role_arn="arn:aws:iam::123456789012:role/answers")
    with ThreadPoolExecutor(1) as pool:
        try:
            slow = pool.submit(gateway.beat, borrowing, CALLBACK_ID)
            assert asked.wait(10)

            assert gateway.beat(address, CALLBACK_ID).reply is Reply.ACCEPTED

            assert not slow.done()
        finally:
            leave.set()
    assert slow.result().reply is Reply.ACCEPTED


def test_a_client_that_could_not_be_made_is_tried_anew(
    address: Address, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise aws_clients.AddressError("ValueError")

    with monkeypatch.context() as patched:
        patched.setattr(aws_clients, "_new_client", broken)
        assert gateway.beat(address, CALLBACK_ID).reply is Reply.UNAVAILABLE

    assert gateway.beat(address, CALLBACK_ID).reply is Reply.ACCEPTED


def test_one_exchange_takes_no_longer_than_the_port_promises() -> None:
    config: Any = LambdaGateway().clients.config

    assert config.connect_timeout + config.read_timeout == EXCHANGE_LIMIT.total_seconds()


def test_clients_kept_are_bounded(
    api: LambdaApi, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_clients, "MAX_CLIENTS", 2)

    for source in range(4):
        gateway.beat(Address(source, "eu-west-1", api.url), CALLBACK_ID)

    assert [address.source_id for address in gateway.clients._clients] == [2, 3]


def _execution(status: str, **more: object) -> dict[str, object]:
    return {
        "DurableExecutionArn": ARN,
        "DurableExecutionName": "order-1",
        "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:order:$LATEST",
        "StartTimestamp": 1795176000,
        "Status": status,
        **more,
    }


def _self_signed(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1, signed by itself, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "self-signed.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file


def _shake_hands(listener: socket.socket, tls: ssl.SSLContext) -> None:
    caller, _ = listener.accept()
    with caller, contextlib.suppress(OSError):
        tls.wrap_socket(caller, server_side=True)
