"""What a delivery's state and AWS's last answer mean for the person who looks at them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from approvals.locales import Words
from approvals.models import CallbackDelivery
from approvals.presentation.sentences import parted
from approvals.states import DeliveryState, Reply
from approvals.templatetags.prose import reworded


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an answer stands: TONE and SYMBOL of its tag, a WORD, and what it MEANS."""

    tone: str
    symbol: str
    word: Words
    means: Words


_ON_ITS_WAY = Standing(
    "", "send", gettext_lazy("On its way"), gettext_lazy("A worker sends it within seconds.")
)
_SENDING = Standing(
    "", "send", gettext_lazy("Being sent"), gettext_lazy("AWS has not answered yet.")
)
_RETRYING = Standing(
    "warn",
    "refresh-cw",
    gettext_lazy("Trying again"),
    gettext_lazy("AWS did not take it yet. It goes on by itself."),
)
_TAKEN = Standing("ok", "check", gettext_lazy("Delivered"), gettext_lazy("AWS took the answer."))
_PERHAPS = Standing(
    "warn",
    "circle-dashed",
    gettext_lazy("Unconfirmed"),
    gettext_lazy(
        "AWS has the callback closed. An earlier attempt of ours may have been "
        "taken: the execution's history tells."
    ),
)
_UNDELIVERABLE = {
    Reply.CLOSED: Standing(
        "risk",
        "circle-x",
        gettext_lazy("Not taken"),
        gettext_lazy(
            "AWS no longer waited: the callback timed out, or was answered elsewhere. "
            "Sending it again changes nothing while that is so."
        ),
    ),
    Reply.REFUSED: Standing(
        "risk",
        "triangle-alert",
        gettext_lazy("Refused"),
        gettext_lazy(
            "AWS refuses this call however often it is made. Mend the cause, then send it again."
        ),
    ),
    Reply.UNAVAILABLE: Standing(
        "risk",
        "hourglass",
        gettext_lazy("Too late"),
        gettext_lazy("AWS could not be told before the callback expired."),
    ),
}


def standing(delivery: CallbackDelivery) -> Standing:
    match delivery.state:
        case DeliveryState.DELIVERED:
            return _TAKEN
        case DeliveryState.UNCONFIRMED:
            return _PERHAPS
        case DeliveryState.UNDELIVERABLE:
            return _UNDELIVERABLE[Reply(delivery.last_reply or Reply.UNAVAILABLE)]
    if delivery.in_flight:
        return _SENDING
    return _RETRYING if delivery.last_reply else _ON_ITS_WAY


def answer_of_aws(delivery: CallbackDelivery) -> tuple[str, str]:
    """AWS's last answer as its code and our sentence about it; either may be empty."""
    code, sentence = parted(delivery.detail)
    return code, reworded(sentence)
