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
from django.utils.translation import gettext_lazy as _


class RequestState(TextChoices):
    PENDING = "pending", "Waiting for a decision"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Nobody decided in time"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Verdict(TextChoices):
    """What a reviewer may say; each value is also the RequestState it leads to."""

    APPROVED = RequestState.APPROVED.value, "Approve"
    REJECTED = RequestState.REJECTED.value, "Reject"


class Cause(TextChoices):
    """Who or what made a decision true; sent to the function as `cause`."""

    PERSON = "person", "A person"
    CLOCK = "clock", "The deadline"
    POLICY = "policy", "A rule"
    OPERATOR = "operator", "An operator"
    SOURCE = "source", "The source"


class Channel(TextChoices):
    """Through which door a decision came in."""

    BROWSER = "browser", "in the browser"
    API = "api", "by API"
    BULK = "bulk", _("together with others")
    SYSTEM = "system", "by the portal"


class BulkRule(TextChoices):
    """Which requests of a kind a reviewer may decide together with others."""

    LOW_RISK = "low-risk", _("Those of low risk, and those they have opened")
    OPENED = "opened", _("Those they have opened")
    NEVER = "never", _("None: each is decided by itself")


class OnReject(TextChoices):
    """What AWS is told when a request is rejected."""

    FAILURE = "failure", "The callback fails"
    SUCCESS = "success", "The callback succeeds with the rejection as its value"


class OnTimeout(TextChoices):
    """What our own answer_by deadline does."""

    FAIL = "fail", "The callback fails with ApprovalExpired"
    REJECT = "reject", "As if rejected"
    APPROVE = "approve", "As if approved"
    LAPSE = "lapse", "Nothing is sent; the callback times out at AWS"


class Withdrawal(TextChoices):
    """Why a request was taken back; each value names what AWS is told, if anything."""

    SOURCE = "source", "The source took it back"
    SUPERSEDED = "superseded", "A newer request took its place"
    CLOSED_AT_AWS = "closed_at_aws", "AWS no longer waits for an answer"
    EXECUTION_ENDED = "execution_ended", "The execution ended"
    ELSEWHERE = "elsewhere", "It was answered outside the portal"
    OPERATOR = "operator", "An operator took it back"


class CallbackVerb(TextChoices):
    SUCCEED = "succeed", "Callback success"
    FAIL = "fail", "Callback failure"


class DeliveryState(TextChoices):
    PENDING = "pending", "Waiting to be sent"
    DELIVERED = "delivered", "AWS took the answer"
    UNDELIVERABLE = "undeliverable", "AWS did not take the answer"
    UNCONFIRMED = "unconfirmed", "AWS had it closed, perhaps by an earlier attempt"


class Reply(TextChoices):
    """What AWS said to one call, in the four words that matter to us."""

    ACCEPTED = "accepted", "AWS took it"
    CLOSED = "closed", "AWS no longer waits: timed out, or answered before"
    REFUSED = "refused", "This call can never succeed, however often it is repeated"
    UNAVAILABLE = "unavailable", "It may succeed later"


class ExecutionStatus(TextChoices):
    """Status words of a durable execution, as GetDurableExecution says them.

    AWS may add words; one we do not know counts as open.
    """

    UNKNOWN = "UNKNOWN", "Not looked up yet"
    RUNNING = "RUNNING", "Running"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    TIMED_OUT = "TIMED_OUT", "Timed out"
    STOPPED = "STOPPED", "Stopped"


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

    PENDING = "pending", "Not asked yet"
    FOUND = "found", "AWS knows it and waits"
    CLOSED = "closed", "AWS no longer waits for it"
    MISSING = "missing", "The execution has no such callback"
    UNREADABLE = "unreadable", "The portal may not read it"


class CommentKind(TextChoices):
    """What one entry of a request's thread is."""

    NOTE = "note", "Comment"
    QUESTION = "question", "Question to the requester"
    ANSWER = "answer", "Answer of the requester"


class QuestionState(TextChoices):
    """How far a question has come on its way to the source."""

    PENDING = "pending", "Waiting to be sent"
    SENT = "sent", "The source took it"
    DROPPED = "dropped", "Not sent: no longer needed, or refused for good"


class NoticeKind(TextChoices):
    ASKED = "asked", "You are asked to decide"
    HANDLED = "handled", "Somebody else has handled it"
    MENTION = "mention", "Somebody mentioned you"
    ANSWERED = "answered", "Your question is answered"


class NoticeState(TextChoices):
    PENDING = "pending", "Waiting to be sent"
    SENT = "sent", "Handed to the mail server"
    DROPPED = "dropped", "Not sent: too late or no longer needed"


class AuditTag(TextChoices):
    """`<thing>.<what happened>`; never renamed once written."""

    RECEIVED = "request.received", "Received"
    CLAIMED = "request.claimed", "Claimed"
    RELEASED = "request.released", "Released"
    VOTED = "request.voted", "Approval recorded, more needed"
    HELD = "request.held", "Decided, sent unless taken back"
    UNDONE = "request.undone", "Taken back by who decided"
    APPROVED = "request.approved", "Approved"
    REJECTED = "request.rejected", "Rejected"
    FORCED = "request.forced", "An operator forced an answer"
    REASSIGNED = "request.reassigned", "Others were asked"
    DUE = "request.due", "Due"
    ESCALATED = "request.escalated", "Time to ask others"
    EXPIRED = "request.expired", "Expired"
    WITHDRAWN = "request.withdrawn", "Withdrawn"
    COMMENTED = "request.commented", "Commented"
    QUESTIONED = "request.questioned", "The requester was asked"
    ANSWERED = "request.answered", "The source answered a question"
    DELIVERY_RETRYING = "delivery.retrying", "Delivery will be tried again"
    DELIVERED = "delivery.delivered", "AWS took the answer"
    UNDELIVERABLE = "delivery.undeliverable", "AWS did not take the answer"
    UNCONFIRMED = "delivery.unconfirmed", "AWS had the callback closed"
    REDRIVEN = "delivery.redriven", "Delivery started again"
    HEARTBEAT_LOST = "heartbeat.lost", "A heartbeat did not reach AWS"
    EXECUTION_SEEN = "execution.seen", "Execution seen"
    CALLBACK_CHECKED = "callback.checked", "AWS was asked about the callback"


class ChangeTag(TextChoices):
    """`<thing>.<what happened>` for what admins keep; never renamed once written."""

    SOURCE_MADE = "source.made", "Made"
    SOURCE_CHANGED = "source.changed", "Changed"
    SOURCE_DISABLED = "source.disabled", "Disabled"
    SOURCE_ENABLED = "source.enabled", "Enabled"
    SECRET_MADE = "source.secret_made", "Signing secret made"
    SECRET_ENDED = "source.secret_ended", "Signing secret ended"
    KEY_MADE = "source.key_made", "Key made"
    KEY_ENDED = "source.key_ended", "Key ended"
    ROLE_GIVEN = "source.role_given", "Role given"
    ROLE_TAKEN = "source.role_taken", "Role taken"
    KIND_MADE = "kind.made", "Made"
    KIND_CHANGED = "kind.changed", "Changed"
