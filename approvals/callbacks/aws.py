"""AWS, spoken to in this one file: boto3 behind the port of `gateway.py`.

boto3's own retries are off. A success that AWS took but whose answer was lost, sent
again inside boto3, comes back as CallbackTimeoutException and would pass for a
refusal; the outbox repeats instead, and remembers which attempts ended unknown.
"""

from __future__ import annotations

import ssl
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions as boto
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.loaders import create_loader
from botocore.session import Session, get_session

from approvals import __version__
from approvals.callbacks import gateway, replies, wire
from approvals.callbacks.gateway import Address, Answer, CallbackFailure, Sighting
from approvals.states import Reply

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

#: Clients kept at once, one per address: about 0.5 MiB each.
MAX_CLIENTS = 128

#: Reads and keeps AWS's API models: 0.1 s for the first client, 30 ms for the next.
_SHARED_LOADER = create_loader()


class RoleError(Exception):
    """STS did not lend the source's role; nothing was said to Lambda."""


class AddressError(Exception):
    """The address makes no client: a wrong region, a malformed endpoint."""


class LambdaGateway:
    """The CallbackGateway of real life, for AWS, its local runner, and emulators."""

    def __init__(
        self,
        *,
        connect_timeout: timedelta = gateway.CONNECT_LIMIT,
        read_timeout: timedelta = gateway.READ_LIMIT,
    ) -> None:
        self._config = Config(
            retries={"total_max_attempts": 1},
            connect_timeout=connect_timeout.total_seconds(),
            read_timeout=read_timeout.total_seconds(),
            max_pool_connections=32,  # with fewer than threads urllib3 discards connections
            tcp_keepalive=True,
            proxies={},  # not even those of the environment: the address is the address
            user_agent_extra=f"countersign/{__version__}",
        )
        self._clients: OrderedDict[Address, Future[LambdaClient]] = OrderedDict()
        self._lock = Lock()  # of the dictionary; never held while a client is made

    def succeed(self, address: Address, callback_id: str, result: bytes) -> Answer:
        return self._ask(
            address,
            lambda to: to.send_durable_execution_callback_success(
                CallbackId=callback_id, Result=result
            ),
        )[0]

    def fail(self, address: Address, callback_id: str, error: CallbackFailure) -> Answer:
        return self._ask(
            address,
            lambda to: to.send_durable_execution_callback_failure(
                CallbackId=callback_id,
                Error={
                    "ErrorType": error.error_type,
                    "ErrorMessage": error.message,
                    "ErrorData": error.data,
                },
            ),
        )[0]

    def beat(self, address: Address, callback_id: str) -> Answer:
        return self._ask(
            address, lambda to: to.send_durable_execution_callback_heartbeat(CallbackId=callback_id)
        )[0]

    def look(self, address: Address, execution_arn: str) -> Sighting:
        answer, found = self._ask(
            address,
            lambda to: to.get_durable_execution(
                DurableExecutionArn=execution_arn, IncludeExecutionData=False
            ),
        )
        if found is None:
            return Sighting(answer)
        if not found.get("Status"):
            return Sighting(replies.unknown("NoStatus", "The answer names no status."))
        return Sighting(
            answer,
            str(found["Status"]),
            _utc(found.get("StartTimestamp")),
            _utc(found.get("EndTimestamp")),
        )

    def _ask(
        self, address: Address, call: Callable[[LambdaClient], Any]
    ) -> tuple[Answer, dict[str, Any] | None]:
        """The Answer to CALL, and what AWS sent with it if it took the call."""
        began = time.monotonic()
        found = None
        try:
            found = call(self._client(address))
            answer = Answer(Reply.ACCEPTED)
        except Exception as error:  # noqa: BLE001 - answers, never exceptions
            answer = _meaning(error)
        return replace(answer, http_ms=round((time.monotonic() - began) * 1000)), found

    def _client(self, address: Address) -> LambdaClient:
        # Making one may ask for credentials over the network: that holds up only those
        # who want the same address.
        mine: Future[LambdaClient] = Future()
        with self._lock:
            client = self._clients.setdefault(address, mine)
            self._clients.move_to_end(address)
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
        if client is mine:
            self._make(mine, address)
        return client.result()

    def _make(self, client: Future[LambdaClient], address: Address) -> None:
        try:
            client.set_result(_new_client(address, self._config))
        except Exception as error:  # noqa: BLE001 - it is raised by result(), in every thread
            with self._lock:
                if self._clients.get(address) is client:
                    del self._clients[address]  # the next call tries anew
            client.set_exception(error)


def _new_session() -> Session:
    """A session for one client: sessions are not safe to share between threads."""
    session = get_session()
    session.register_component("data_loader", _SHARED_LOADER)
    return session


def _new_client(address: Address, config: Config) -> LambdaClient:
    session = _new_session()
    if address.role_arn:
        lender = _RoleLender(address, address.role_arn, config)
        session.register_component("credential_provider", CredentialResolver([lender]))
    try:
        client = boto3.Session(botocore_session=session).client(
            "lambda",
            region_name=address.region,
            endpoint_url=address.endpoint_url or None,  # else AWS_ENDPOINT_URL_LAMBDA
            config=config,
        )
    except (ValueError, boto.BotoCoreError) as error:
        raise AddressError(type(error).__name__) from error
    client.meta.events.register("before-parse.lambda", wire.inspect)
    return client


class _RoleLender(CredentialProvider):
    """The source's role, borrowed at first use with the portal's own credentials.

    When to renew is botocore's affair (RefreshableCredentials); this only gives a
    failure at STS a class of its own, since nothing was said to Lambda then.
    """

    METHOD = "assume-role"

    def __init__(self, address: Address, role_arn: str, config: Config) -> None:
        super().__init__()
        own = _new_session()
        terms = {"RoleSessionName": f"countersign-{address.source_id}"}
        if address.external_id:
            terms["ExternalId"] = address.external_id
        self._fetcher = AssumeRoleCredentialFetcher(
            partial(own.create_client, region_name=address.region, config=config),
            _own_credentials(own),
            role_arn,
            extra_args=terms,
        )

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._borrow, method=self.METHOD)

    def _borrow(self) -> dict[str, Any]:
        try:
            return dict(self._fetcher.fetch_credentials())
        except boto.ClientError as error:
            raise RoleError(str(error.response["Error"].get("Code"))) from error
        except Exception as error:
            raise RoleError(type(error).__name__) from error


def _own_credentials(session: Session) -> Credentials:
    found = session.get_credentials()
    if found is None:
        raise boto.NoCredentialsError
    return found


def _meaning(error: Exception) -> Answer:
    match error:
        case boto.ClientError():
            return wire.error_meaning(error.response)
        case wire.UnreadableError():
            return error.meaning()
        case RoleError():
            sentence = "The source's role cannot be assumed. Check its trust and external ID."
            return replies.misconfigured(str(error), sentence)
        case AddressError():
            return replies.misconfigured(str(error), "Check the source's region and endpoint.")
        case boto.SSLError() if _is_certificate(error):
            return replies.misconfigured("SSLError", "The endpoint's certificate is not trusted.")
    return replies.without_answer([kind.__name__ for kind in type(error).__mro__])


def _is_certificate(error: boto.SSLError) -> bool:
    cause = error.kwargs.get("error")
    return any(isinstance(arg, ssl.SSLCertVerificationError) for arg in getattr(cause, "args", ()))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
