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
from django.utils.translation import gettext_lazy


class RequestState(TextChoices):
    PENDING = "pending", gettext_lazy("Waiting for a decision")
    APPROVED = "approved", gettext_lazy("Approved")
    REJECTED = "rejected", gettext_lazy("Rejected")
    EXPIRED = "expired", gettext_lazy("Nobody decided in time")
    WITHDRAWN = "withdrawn", gettext_lazy("Withdrawn")


class Verdict(TextChoices):
    """What a reviewer may say; each value is also the RequestState it leads to."""

    APPROVED = RequestState.APPROVED.value, gettext_lazy("Approve")
    REJECTED = RequestState.REJECTED.value, gettext_lazy("Reject")


class Cause(TextChoices):
    """Who or what made a decision true; sent to the function as `cause`."""

    PERSON = "person", gettext_lazy("A person")
    CLOCK = "clock", gettext_lazy("The deadline")
    POLICY = "policy", gettext_lazy("A rule")
    OPERATOR = "operator", gettext_lazy("An operator")
    SOURCE = "source", gettext_lazy("The source")


class Channel(TextChoices):
    """Through which door a decision came in."""

    BROWSER = "browser", gettext_lazy("in the browser")
    API = "api", gettext_lazy("by API")
    BULK = "bulk", gettext_lazy("together with others")
    SYSTEM = "system", gettext_lazy("by the portal")


class BulkRule(TextChoices):
    """Which requests of a kind a reviewer may decide together with others."""

    LOW_RISK = "low-risk", gettext_lazy("Those of low risk, and those they have opened")
    OPENED = "opened", gettext_lazy("Those they have opened")
    NEVER = "never", gettext_lazy("None: each is decided by itself")


class OnReject(TextChoices):
    """What AWS is told when a request is rejected."""

    FAILURE = "failure", gettext_lazy("The callback fails")
    SUCCESS = "success", gettext_lazy("The callback succeeds with the rejection as its value")


class OnTimeout(TextChoices):
    """What our own answer_by deadline does."""

    FAIL = "fail", gettext_lazy("The callback fails with ApprovalExpired")
    REJECT = "reject", gettext_lazy("As if rejected")
    APPROVE = "approve", gettext_lazy("As if approved")
    LAPSE = "lapse", gettext_lazy("Nothing is sent; the callback times out at AWS")


class Withdrawal(TextChoices):
    """Why a request was taken back; each value names what AWS is told, if anything."""

    SOURCE = "source", gettext_lazy("The source took it back")
    SUPERSEDED = "superseded", gettext_lazy("A newer request took its place")
    CLOSED_AT_AWS = "closed_at_aws", gettext_lazy("AWS no longer waits for an answer")
    EXECUTION_ENDED = "execution_ended", gettext_lazy("The execution ended")
    ELSEWHERE = "elsewhere", gettext_lazy("It was answered outside the portal")
    OPERATOR = "operator", gettext_lazy("An operator took it back")


class CallbackVerb(TextChoices):
    SUCCEED = "succeed", gettext_lazy("Callback success")
    FAIL = "fail", gettext_lazy("Callback failure")


class DeliveryState(TextChoices):
    PENDING = "pending", gettext_lazy("Waiting to be sent")
    DELIVERED = "delivered", gettext_lazy("AWS took the answer")
    UNDELIVERABLE = "undeliverable", gettext_lazy("AWS did not take the answer")
    UNCONFIRMED = "unconfirmed", gettext_lazy("AWS had it closed, perhaps by an earlier attempt")


class Reply(TextChoices):
    """What AWS said to one call, in the four words that matter to us."""

    ACCEPTED = "accepted", gettext_lazy("AWS took it")
    CLOSED = "closed", gettext_lazy("AWS no longer waits: timed out, or answered before")
    REFUSED = "refused", gettext_lazy("This call can never succeed, however often it is repeated")
    UNAVAILABLE = "unavailable", gettext_lazy("It may succeed later")


class ExecutionStatus(TextChoices):
    """Status words of a durable execution, as GetDurableExecution says them.

    AWS may add words; one we do not know counts as open.
    """

    UNKNOWN = "UNKNOWN", gettext_lazy("Not looked up yet")
    RUNNING = "RUNNING", gettext_lazy("Running")
    SUCCEEDED = "SUCCEEDED", gettext_lazy("Succeeded")
    FAILED = "FAILED", gettext_lazy("Failed")
    TIMED_OUT = "TIMED_OUT", gettext_lazy("Timed out")
    STOPPED = "STOPPED", gettext_lazy("Stopped")


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

    PENDING = "pending", gettext_lazy("Not asked yet")
    FOUND = "found", gettext_lazy("AWS knows it and waits")
    CLOSED = "closed", gettext_lazy("AWS no longer waits for it")
    MISSING = "missing", gettext_lazy("The execution has no such callback")
    UNREADABLE = "unreadable", gettext_lazy("The portal may not read it")


class CommentKind(TextChoices):
    """What one entry of a request's thread is."""

    NOTE = "note", gettext_lazy("Comment")
    QUESTION = "question", gettext_lazy("Question to the requester")
    ANSWER = "answer", gettext_lazy("Answer of the requester")


class QuestionState(TextChoices):
    """How far a question has come on its way to the source."""

    PENDING = "pending", gettext_lazy("Waiting to be sent")
    SENT = "sent", gettext_lazy("The source took it")
    DROPPED = "dropped", gettext_lazy("Not sent: no longer needed, or refused for good")


class NoticeKind(TextChoices):
    ASKED = "asked", gettext_lazy("You are asked to decide")
    HANDLED = "handled", gettext_lazy("Somebody else has handled it")
    MENTION = "mention", gettext_lazy("Somebody mentioned you")
    ANSWERED = "answered", gettext_lazy("Your question is answered")


class NoticeState(TextChoices):
    PENDING = "pending", gettext_lazy("Waiting to be sent")
    SENT = "sent", gettext_lazy("Handed to the mail server")
    DROPPED = "dropped", gettext_lazy("Not sent: too late or no longer needed")


class AuditTag(TextChoices):
    """`<thing>.<what happened>`; never renamed once written."""

    RECEIVED = "request.received", gettext_lazy("Received")
    CLAIMED = "request.claimed", gettext_lazy("Claimed")
    RELEASED = "request.released", gettext_lazy("Released")
    VOTED = "request.voted", gettext_lazy("Approval recorded, more needed")
    HELD = "request.held", gettext_lazy("Decided, sent unless taken back")
    UNDONE = "request.undone", gettext_lazy("Taken back by who decided")
    APPROVED = "request.approved", gettext_lazy("Approved")
    REJECTED = "request.rejected", gettext_lazy("Rejected")
    FORCED = "request.forced", gettext_lazy("An operator forced an answer")
    REASSIGNED = "request.reassigned", gettext_lazy("Others were asked")
    DUE = "request.due", gettext_lazy("Due")
    ESCALATED = "request.escalated", gettext_lazy("Time to ask others")
    EXPIRED = "request.expired", gettext_lazy("Expired")
    WITHDRAWN = "request.withdrawn", gettext_lazy("Withdrawn")
    COMMENTED = "request.commented", gettext_lazy("Commented")
    QUESTIONED = "request.questioned", gettext_lazy("The requester was asked")
    ANSWERED = "request.answered", gettext_lazy("The source answered a question")
    DELIVERY_RETRYING = "delivery.retrying", gettext_lazy("Delivery will be tried again")
    DELIVERED = "delivery.delivered", gettext_lazy("AWS took the answer")
    UNDELIVERABLE = "delivery.undeliverable", gettext_lazy("AWS did not take the answer")
    UNCONFIRMED = "delivery.unconfirmed", gettext_lazy("AWS had the callback closed")
    REDRIVEN = "delivery.redriven", gettext_lazy("Delivery started again")
    HEARTBEAT_LOST = "heartbeat.lost", gettext_lazy("A heartbeat did not reach AWS")
    EXECUTION_SEEN = "execution.seen", gettext_lazy("Execution seen")
    CALLBACK_CHECKED = "callback.checked", gettext_lazy("AWS was asked about the callback")


class ChangeTag(TextChoices):
    """`<thing>.<what happened>` for what admins keep; never renamed once written."""

    SOURCE_MADE = "source.made", gettext_lazy("Made")
    SOURCE_CHANGED = "source.changed", gettext_lazy("Changed")
    SOURCE_DISABLED = "source.disabled", gettext_lazy("Disabled")
    SOURCE_ENABLED = "source.enabled", gettext_lazy("Enabled")
    SECRET_MADE = "source.secret_made", gettext_lazy("Signing secret made")
    SECRET_ENDED = "source.secret_ended", gettext_lazy("Signing secret ended")
    KEY_MADE = "source.key_made", gettext_lazy("Key made")
    KEY_ENDED = "source.key_ended", gettext_lazy("Key ended")
    ROLE_GIVEN = "source.role_given", gettext_lazy("Role given")
    ROLE_TAKEN = "source.role_taken", gettext_lazy("Role taken")
    KIND_MADE = "kind.made", gettext_lazy("Made")
    KIND_CHANGED = "kind.changed", gettext_lazy("Changed")
