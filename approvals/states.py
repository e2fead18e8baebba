"""Where a thing stands, in words. Short ladders, each with one open rung.

    ApprovalRequest    pending -> approved | rejected | expired | withdrawn
    CallbackDelivery   pending -> delivered | undeliverable | unconfirmed
    claimed_by         nobody <-> a reviewer        (a column, not a state)

"May this move?" is always the same question: is it still pending? Two moves lead
back: an operator's redrive, at the desk, and history that settles an unconfirmed delivery,
in callbacks/outbox.
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as lazy


class RequestState(TextChoices):
    PENDING = "pending", lazy("Waiting for a decision")
    APPROVED = "approved", lazy("Approved")
    REJECTED = "rejected", lazy("Rejected")
    EXPIRED = "expired", lazy("Nobody decided in time")
    WITHDRAWN = "withdrawn", lazy("Withdrawn")


class Verdict(TextChoices):
    """What a reviewer may say; each value is also the RequestState it leads to."""

    APPROVED = RequestState.APPROVED.value, lazy("Approve")
    REJECTED = RequestState.REJECTED.value, lazy("Reject")


class Cause(TextChoices):
    """Who or what made a decision true; sent to the function as `cause`."""

    PERSON = "person", lazy("A person")
    CLOCK = "clock", lazy("The deadline")
    POLICY = "policy", lazy("A rule")
    OPERATOR = "operator", lazy("An operator")
    SOURCE = "source", lazy("The source")


class Channel(TextChoices):
    """Through which door a decision came in."""

    BROWSER = "browser", lazy("in the browser")
    API = "api", lazy("by API")
    SYSTEM = "system", lazy("by the portal")


class OnReject(TextChoices):
    """What AWS is told when a request is rejected."""

    FAILURE = "failure", lazy("The callback fails")
    SUCCESS = "success", lazy("The callback succeeds with the rejection as its value")


class OnTimeout(TextChoices):
    """What our own answer_by deadline does."""

    FAIL = "fail", lazy("The callback fails with ApprovalExpired")
    REJECT = "reject", lazy("As if rejected")
    APPROVE = "approve", lazy("As if approved")
    LAPSE = "lapse", lazy("Nothing is sent; the callback times out at AWS")


class Withdrawal(TextChoices):
    """Why a request was taken back; each value names what AWS is told, if anything."""

    SOURCE = "source", lazy("The source took it back")
    SUPERSEDED = "superseded", lazy("A newer request took its place")
    CLOSED_AT_AWS = "closed_at_aws", lazy("AWS no longer waits for an answer")
    EXECUTION_ENDED = "execution_ended", lazy("The execution ended")
    ELSEWHERE = "elsewhere", lazy("It was answered outside the portal")
    OPERATOR = "operator", lazy("An operator took it back")


class CallbackVerb(TextChoices):
    SUCCEED = "succeed", lazy("Callback success")
    FAIL = "fail", lazy("Callback failure")


class DeliveryState(TextChoices):
    PENDING = "pending", lazy("Waiting to be sent")
    DELIVERED = "delivered", lazy("AWS took the answer")
    UNDELIVERABLE = "undeliverable", lazy("AWS did not take the answer")
    UNCONFIRMED = "unconfirmed", lazy("AWS had it closed, perhaps by an earlier attempt")


class Reply(TextChoices):
    """What AWS said to one call, in the four words that matter to us."""

    ACCEPTED = "accepted", lazy("AWS took it")
    CLOSED = "closed", lazy("AWS no longer waits: timed out, or answered before")
    REFUSED = "refused", lazy("This call can never succeed, however often it is repeated")
    UNAVAILABLE = "unavailable", lazy("It may succeed later")


class ExecutionStatus(TextChoices):
    """Status words of a durable execution, as GetDurableExecution says them.

    AWS may add words; one we do not know counts as open.
    """

    UNKNOWN = "UNKNOWN", lazy("Not looked up yet")
    RUNNING = "RUNNING", lazy("Running")
    SUCCEEDED = "SUCCEEDED", lazy("Succeeded")
    FAILED = "FAILED", lazy("Failed")
    TIMED_OUT = "TIMED_OUT", lazy("Timed out")
    STOPPED = "STOPPED", lazy("Stopped")


TERMINAL_STATUSES = frozenset(
    {
        ExecutionStatus.SUCCEEDED,
        ExecutionStatus.FAILED,
        ExecutionStatus.TIMED_OUT,
        ExecutionStatus.STOPPED,
    }
)


class CallbackFinding(TextChoices):
    """What the execution's history says of a callback."""

    PENDING = "pending", lazy("Not asked yet")
    FOUND = "found", lazy("AWS knows it and waits")
    CLOSED = "closed", lazy("AWS no longer waits for it")
    MISSING = "missing", lazy("The execution has no such callback")
    UNREADABLE = "unreadable", lazy("The portal may not read it")


class CommentKind(TextChoices):
    """What one entry of a request's thread is."""

    NOTE = "note", lazy("Comment")
    QUESTION = "question", lazy("Question to the requester")
    ANSWER = "answer", lazy("Answer of the requester")


class QuestionState(TextChoices):
    """How far a question has come on its way to the source."""

    PENDING = "pending", lazy("Waiting to be sent")
    SENT = "sent", lazy("The source took it")
    DROPPED = "dropped", lazy("Not sent: no longer needed, or refused for good")


class NoticeKind(TextChoices):
    ASKED = "asked", lazy("You are asked to decide")
    HANDLED = "handled", lazy("Somebody else has handled it")
    MENTION = "mention", lazy("Somebody mentioned you")
    ANSWERED = "answered", lazy("Your question is answered")


class NoticeState(TextChoices):
    PENDING = "pending", lazy("Waiting to be sent")
    SENT = "sent", lazy("Handed to the mail server")
    DROPPED = "dropped", lazy("Not sent: too late or no longer needed")


class AuditTag(TextChoices):
    """`<thing>.<what happened>`; never renamed once written."""

    RECEIVED = "request.received", lazy("Received")
    CLAIMED = "request.claimed", lazy("Claimed")
    RELEASED = "request.released", lazy("Released")
    VOTED = "request.voted", lazy("Approval recorded, more needed")
    HELD = "request.held", lazy("Decided, sent unless taken back")
    UNDONE = "request.undone", lazy("Taken back by who decided")
    APPROVED = "request.approved", lazy("Approved")
    REJECTED = "request.rejected", lazy("Rejected")
    FORCED = "request.forced", lazy("An operator forced an answer")
    REASSIGNED = "request.reassigned", lazy("Others were asked")
    DUE = "request.due", lazy("Due")
    ESCALATED = "request.escalated", lazy("Time to ask others")
    EXPIRED = "request.expired", lazy("Expired")
    WITHDRAWN = "request.withdrawn", lazy("Withdrawn")
    COMMENTED = "request.commented", lazy("Commented")
    QUESTIONED = "request.questioned", lazy("The requester was asked")
    ANSWERED = "request.answered", lazy("The source answered a question")
    DELIVERY_RETRYING = "delivery.retrying", lazy("Delivery will be tried again")
    DELIVERED = "delivery.delivered", lazy("AWS took the answer")
    UNDELIVERABLE = "delivery.undeliverable", lazy("AWS did not take the answer")
    UNCONFIRMED = "delivery.unconfirmed", lazy("AWS had the callback closed")
    REDRIVEN = "delivery.redriven", lazy("Delivery started again")
    HEARTBEAT_LOST = "heartbeat.lost", lazy("A heartbeat did not reach AWS")
    EXECUTION_SEEN = "execution.seen", lazy("Execution seen")
    CALLBACK_CHECKED = "callback.checked", lazy("AWS was asked about the callback")


class ChangeTag(TextChoices):
    """`<thing>.<what happened>` for what admins keep; never renamed once written."""

    SOURCE_MADE = "source.made", lazy("Made")
    SOURCE_CHANGED = "source.changed", lazy("Changed")
    SOURCE_DISABLED = "source.disabled", lazy("Disabled")
    SOURCE_ENABLED = "source.enabled", lazy("Enabled")
    SECRET_MADE = "source.secret_made", lazy("Signing secret made")
    SECRET_ENDED = "source.secret_ended", lazy("Signing secret ended")
    KEY_MADE = "source.key_made", lazy("Key made")
    KEY_ENDED = "source.key_ended", lazy("Key ended")
    ROLE_GIVEN = "source.role_given", lazy("Role given")
    ROLE_TAKEN = "source.role_taken", lazy("Role taken")
    KIND_MADE = "kind.made", lazy("Made")
    KIND_CHANGED = "kind.changed", lazy("Changed")
