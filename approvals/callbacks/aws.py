"""The calls to AWS: boto3 behind the port of `gateway.py`. Its clients: `aws_clients.py`.

boto3's own retries are off. A success that AWS took but whose answer was lost, sent
again inside boto3, comes back as CallbackTimeoutException and would pass for a
refusal; the outbox repeats instead, and remembers which attempts ended unknown.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from botocore import __version__ as botocore
from botocore import exceptions as boto
from botocore.config import Config
from django.utils.translation import gettext_noop

from approvals import __version__
from approvals.callbacks import gateway, past, replies, wire
from approvals.callbacks.aws_clients import AddressError, Clients, RoleError
from approvals.callbacks.gateway import Address, Answer, CallbackFailure, Page, Sighting
from approvals.states import Reply

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

#: Events asked for at once: as many as AWS gives, and fewer where each may bring a payload.
EVENTS_A_PAGE = 1000
EVENTS_WITH_RESULTS = 100

Found = TypeVar("Found")


class LambdaGateway:
    """The CallbackGateway of real life, for AWS, its local runner, and emulators."""

    def __init__(
        self,
        *,
        connect_timeout: timedelta = gateway.CONNECT_LIMIT,
        read_timeout: timedelta = gateway.READ_LIMIT,
    ) -> None:
        self.clients = Clients(
            Config(
                retries={"total_max_attempts": 1},
                connect_timeout=connect_timeout.total_seconds(),
                read_timeout=read_timeout.total_seconds(),
                max_pool_connections=32,  # with fewer than threads urllib3 discards connections
                tcp_keepalive=True,
                proxies={},  # not even those of the environment: the address is the address
                # In full: botocore's own is put together anew for each call, a tenth of its CPU.
                user_agent=f"countersign/{__version__} Botocore/{botocore}",
            )
        )

    def prepare(self, address: Address) -> None:
        # A tenth of a second, and many on a busy machine; the call meets its errors again.
        with suppress(Exception):
            self.clients.of(address)

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
        def call(to: LambdaClient) -> dict[str, Any]:
            return {
                **to.get_durable_execution(
                    DurableExecutionArn=execution_arn, IncludeExecutionData=False
                )
            }

        answer, found = self._ask(address, call)
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

    def history(
        self, address: Address, execution_arn: str, *, marker: str = "", with_results: bool = False
    ) -> Page:
        further = {"Marker": marker} if marker else {}

        def call(to: LambdaClient) -> Page:
            return past.page(
                to.get_durable_execution_history(
                    DurableExecutionArn=execution_arn,
                    IncludeExecutionData=with_results,
                    MaxItems=EVENTS_WITH_RESULTS if with_results else EVENTS_A_PAGE,
                    ReverseOrder=True,
                    **further,
                )
            )

        answer, page = self._ask(address, call)
        return replace(page, answer=answer) if page else Page(answer)

    def _ask(
        self, address: Address, call: Callable[[LambdaClient], Found]
    ) -> tuple[Answer, Found | None]:
        """The Answer to CALL, and what AWS sent with it if it took the call."""
        began = time.monotonic()
        found = None
        try:
            found = call(self.clients.of(address))
            answer = Answer(Reply.ACCEPTED)
        except Exception as error:  # noqa: BLE001 - answers, never exceptions
            answer = _meaning(error)
        return replace(answer, http_ms=round((time.monotonic() - began) * 1000)), found


def _meaning(error: Exception) -> Answer:
    match error:
        case boto.ClientError():
            return wire.error_meaning(error.response)
        case wire.UnreadableError():
            return error.meaning()
        case RoleError():
            sentence = gettext_noop(
                "The source's role cannot be assumed. Check its trust and external ID."
            )
            return replies.misconfigured(str(error), sentence)
        case AddressError():
            return replies.misconfigured(
                str(error), gettext_noop("Check the source's region and endpoint.")
            )
        case boto.SSLError() if _is_certificate(error):
            return replies.misconfigured(
                "SSLError", gettext_noop("The endpoint's certificate is not trusted.")
            )
    return replies.without_answer([kind.__name__ for kind in type(error).__mro__])


def _is_certificate(error: boto.SSLError) -> bool:
    cause = error.kwargs.get("error")
    return any(isinstance(arg, ssl.SSLCertVerificationError) for arg in getattr(cause, "args", ()))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
