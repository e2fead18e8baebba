"""The port to AWS: what may be said about a callback, and what may be answered.

Nothing here knows boto3. `aws.LambdaGateway` is the one real gateway; the tests have
a scripted one of the same height.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, Self

from approvals.states import TERMINAL_STATUSES, Reply

if TYPE_CHECKING:
    from approvals.models import CallbackSource

#: One exchange with an endpoint: to connect, and to wait for its answer.
CONNECT_LIMIT = timedelta(seconds=3)
READ_LIMIT = timedelta(seconds=10)
EXCHANGE_LIMIT = CONNECT_LIMIT + READ_LIMIT
#: A call is one exchange; the first, and one an hour, of a source with a role are two,
#: with STS before. Only a name that hangs at several addresses, or an answer that
#: trickles, takes longer: the lease, which is longer still, is there for them.
CALL_LIMIT = 2 * EXCHANGE_LIMIT


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one call.

    DETAIL is short and safe to show and log: an error code and a sentence of ours,
    never AWS's own message, which may carry the callback ID.
    APPLIED_UNKNOWN: AWS may have taken the call although it did not say so; a CLOSED
    after such an answer may mean that it was us who closed it.
    NOT_FOUND: AWS does not know what was asked about. CLOSED, but perhaps only asked in
    the wrong place, or too soon after the start.
    NEEDS_MENDING: it fails until somebody mends rights, credentials, keys or addresses.
    UNREACHABLE: not this call alone but the source's way to AWS is broken: no address, no
    credentials, or nobody there who answers (callbacks/circuit).
    OF_ONE_FUNCTION: AWS knows the portal, and lacks a right or a key for this function.
    RETRY_AFTER: how long AWS asks to wait at least before the next call, if it does.
    HTTP_MS: whole milliseconds from asking boto3 to its answer.
    """

    reply: Reply
    detail: str = ""
    applied_unknown: bool = False
    not_found: bool = False
    needs_mending: bool = False
    unreachable: bool = False
    of_one_function: bool = False
    retry_after: timedelta | None = None
    http_ms: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """Where and as whom to speak for one source. One client per address is kept."""

    source_id: int
    region: str
    endpoint_url: str | None = None
    role_arn: str | None = None
    external_id: str | None = None

    @classmethod
    def of(cls, source: CallbackSource) -> Self:
        return cls(
            source.pk,
            source.region,
            source.endpoint_url or None,
            source.role_arn or None,
            source.external_id or None,
        )


@dataclass(frozen=True, slots=True)
class CallbackFailure:
    """The error a function sees. The SDK hands on message and data but not the type,
    so whatever a machine shall read belongs in DATA."""

    error_type: str
    message: str
    data: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What AWS says of an execution; STATUS is "" unless the answer is ACCEPTED."""

    answer: Answer
    status: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the execution is over. A status word we do not know counts as open."""
        return self.status in TERMINAL_STATUSES


@dataclass(frozen=True, slots=True)
class Said:
    """What a callback was ended with, as a fingerprint: the words themselves are not kept.

    SHA256: of the Result, or of a failure's ErrorData. The ids are those in it, if it is
    a document such as ours. IS_WHOLE: AWS does not say that it shows only a part; IS_JSON:
    it parses, so nothing was cut off a document.
    """

    sha256: str
    request_id: str = ""
    decision_id: str = ""
    is_whole: bool = True
    is_json: bool = False


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One line of an execution's history.

    NUMBER: AWS counts them from 1. KIND: AWS's word, as "StepFailed". OPERATION: the step,
    wait or callback it belongs to. RETRIES: another attempt follows. Timeouts are None
    where AWS does not say. SAID: None where AWS does not show what ended the callback.
    """

    number: int
    kind: str
    operation: str = ""
    name: str = ""
    at: datetime | None = None
    attempt: int | None = None
    retries: bool = False
    callback_id: str = field(default="", repr=False)
    timeout_seconds: int | None = None
    heartbeat_timeout_seconds: int | None = None
    error_type: str = ""
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a history, newest event first; NEXT_MARKER asks for the part before it."""

    answer: Answer
    events: tuple[PastEvent, ...] = ()
    next_marker: str = field(default="", repr=False)


class CallbackGateway(Protocol):
    """Answers, never exceptions: every failure is one of the four replies.

    Safe to call from many threads at once; needs no database. A call is to return within
    CALL_LIMIT. Calls may be repeated: AWS closes a callback at the first success or
    failure it accepts and replies CLOSED from then on, which after an answer with
    `applied_unknown` may mean that *we* closed it.
    """

    def prepare(self, address: Address) -> None:
        """Do what the first call to ADDRESS would have to do first; says nothing to it.

        What goes wrong is told by the call.
        """

    def succeed(self, address: Address, callback_id: str, result: bytes) -> Answer:
        """Complete the callback with RESULT, handed to the function as it is."""

    def fail(self, address: Address, callback_id: str, error: CallbackFailure) -> Answer:
        """Complete the callback with an error that the function sees raised."""

    def beat(self, address: Address, callback_id: str) -> Answer:
        """Restart AWS's heartbeat clock for the callback; may be repeated freely."""

    def look(self, address: Address, execution_arn: str) -> Sighting:
        """Ask how the execution stands; changes nothing at AWS."""

    def history(
        self, address: Address, execution_arn: str, *, marker: str = "", with_results: bool = False
    ) -> Page:
        """One page of what happened, newest first; changes nothing at AWS.

        WITH_RESULTS: also what callbacks were ended with, as fingerprints.
        """
