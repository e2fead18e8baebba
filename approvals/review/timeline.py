"""What an execution has done, as its own history tells: its steps, and one callback among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy, ngettext

from approvals.models import ApprovalRequest, CallbackCheck, ExecutionHistory
from approvals.states import CallbackFinding
from approvals.templatetags.prose import reworded

#: Steps shown at once; older ones are a press away.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One step. STATE is done, now, wait, warn or bad; TAKEN how long it took, if it ended."""

    state: str
    name: str
    words: str
    at: datetime | None
    taken: timedelta | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The newest SHOWN steps in order of time, those BEFORE them, and how whole it is.

    TROUBLE: why AWS could not be read last, in a sentence; AS_OF: when it last was.
    """

    steps: list[Step]
    before: list[Step]
    is_whole: bool
    trouble: str
    as_of: datetime | None


def timeline_of(request: ApprovalRequest) -> Timeline | None:
    """None where nothing has been read of the request's execution, nor tried."""
    if request.execution_id is None:
        return None
    row = ExecutionHistory.objects.filter(pk=request.execution_id).first()
    if row is None or not (row.read_at or row.trouble):
        return None
    steps = [_step(each) for each in row.steps]
    return Timeline(
        steps[-SHOWN:], steps[:-SHOWN], row.is_whole, reworded(row.trouble), row.read_at
    )


_KINDS = {
    "Step": gettext_lazy("Step"),
    "Wait": gettext_lazy("Wait"),
    "Callback": gettext_lazy("Callback"),
    "Context": gettext_lazy("Group of steps"),
    "Invoke": gettext_lazy("Call of a function"),
}
_ENDS = {
    "SUCCEEDED": ("done", ""),
    "FAILED": ("bad", gettext_lazy("failed")),
    "TIMED_OUT": ("bad", gettext_lazy("timed out")),
    "STOPPED": ("bad", gettext_lazy("stopped")),
    "RETRYING": ("warn", gettext_lazy("is tried again")),
}
_OPEN = {"Callback": gettext_lazy("waits for an answer"), "Wait": gettext_lazy("waits")}


def _step(step: Mapping[str, Any]) -> Step:
    kind, status = str(step.get("type", "")), str(step.get("status", ""))
    label = str(_KINDS.get(kind, kind))
    state, word = _standing(kind, status)
    attempts = step.get("attempts") or 0
    tries = ngettext("%(count)s try", "%(count)s tries", attempts) % {"count": attempts}
    tries = tries if attempts > 1 else ""
    name = str(step.get("name") or "")
    began, ended = _moment(step.get("started_at")), _moment(step.get("ended_at"))
    return Step(
        state,
        name or label,
        ", ".join(part for part in (label if name else "", word, tries) if part),
        began or ended,
        ended - began if began and ended and ended >= began else None,
    )


def _standing(kind: str, status: str) -> tuple[str, str]:
    if status == "STARTED":
        return "now", str(_OPEN.get(kind, gettext_lazy("under way")))
    # A word AWS adds later is shown as it is.
    state, word = _ENDS.get(status, ("wait", status.replace("_", " ").lower()))
    return state, str(word)


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class Checked:
    """What AWS says of a request's callback. WARNS: those who decide should know."""

    words: str
    at: datetime | None
    title: str = ""
    warning: str = ""

    @property
    def warns(self) -> bool:
        return bool(self.title)


def checked(request: ApprovalRequest) -> Checked | None:
    """None where AWS was not asked."""
    check: CallbackCheck | None = getattr(request, "callback_check", None)
    if check is None:
        return None
    found, title, warning = _FINDINGS[CallbackFinding(check.finding)]
    words = str(found)
    if check.finding == CallbackFinding.UNREADABLE and check.detail:
        words = f"{words}: {reworded(check.detail)}"
    if not request.is_pending:
        return Checked(words, check.checked_at)
    return Checked(words, check.checked_at, str(title), str(warning))


_FINDINGS = {
    CallbackFinding.PENDING: (gettext_lazy("AWS is being asked about it"), "", ""),
    CallbackFinding.FOUND: (gettext_lazy("AWS knows it"), "", ""),
    CallbackFinding.CLOSED: (
        gettext_lazy("AWS no longer waits for it"),
        gettext_lazy("AWS no longer waits for this."),
        gettext_lazy(
            "The execution's history is being asked why. Nothing decided now would reach "
            "the function."
        ),
    ),
    CallbackFinding.MISSING: (
        gettext_lazy("AWS does not know it"),
        gettext_lazy("AWS does not know this callback."),
        gettext_lazy(
            "Its execution's history does not hold it: a decision may reach nobody. Ask its sender."
        ),
    ),
    CallbackFinding.UNREADABLE: (gettext_lazy("AWS did not let the portal look"), "", ""),
}
