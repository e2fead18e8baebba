"""What a line of history says, for each thing that can happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.lifecycle.edits import counted
from approvals.locales import Words
from approvals.review.words import clock, listed_names, of_group
from approvals.states import AuditTag, CallbackFinding, Channel, Verdict, Withdrawal
from approvals.templatetags.prose import reworded

Facts: TypeAlias = "Mapping[str, Any]"


def _received(facts: Facts) -> str:
    asked = [*facts.get("groups", []), *facts.get("users", [])]
    needed = facts.get("required_approvals", 1)
    source = facts.get("source") or _("its source")
    said = _("from %(source)s, put before %(asked)s") % {
        "source": source,
        "asked": listed_names(asked),
    }
    if needed < 2:
        count = ""
    else:
        count = ", " + ngettext("%(count)s approval needed", "%(count)s approvals needed", needed)
        count %= {"count": needed}
    groups = [of_group(approvals, group) for group, approvals in facts.get("requirements", [])]
    return f"{said}{count}: {listed_names(groups)}" if groups else f"{said}{count}"


def _forced(facts: Facts) -> str:
    if facts.get("verdict") == Verdict.APPROVED:
        return _("forced the answer as an operator: approved")
    return _("forced the answer as an operator: rejected")


def _reassigned(facts: Facts) -> str:
    former, moved = facts.get("instead_of"), facts.get("requirement")
    named = {"to": facts.get("to") or _("others"), "former": former}
    if former:
        said = _("asked %(to)s instead of %(former)s") % named
    else:
        said = _("asked %(to)s as well") % named
    if not moved:
        return said
    return said + "; " + _("%(place)s must approve now") % {"place": of_group(moved[1], moved[0])}


def _verdict(facts: Facts, verdict: str) -> str:
    """`approved this`, through which door and with which edits."""
    pointers = facts.get("edited") or []
    door = str(facts.get("channel", ""))
    if verdict == Verdict.REJECTED or not pointers:
        said = _REJECTED if verdict == Verdict.REJECTED else _APPROVED
        return str(said.get(door, said[Channel.BROWSER]))
    edits = {"edits": counted(len(pointers)), "which": listed_names(pointers)}
    if door == Channel.API:
        return _("approved this by API with %(edits)s (%(which)s)") % edits
    return _("approved this with %(edits)s (%(which)s)") % edits


_APPROVED: dict[str, Words] = {
    Channel.BROWSER: gettext_lazy("approved this"),
    Channel.API: gettext_lazy("approved this by API"),
    Channel.BULK: gettext_lazy("approved this together with others"),
}
_REJECTED: dict[str, Words] = {
    Channel.BROWSER: gettext_lazy("rejected this"),
    Channel.API: gettext_lazy("rejected this by API"),
    Channel.BULK: gettext_lazy("rejected this together with others"),
}


def _voted(facts: Facts) -> str:
    missing = facts.get("missing", 1)
    needed = ngettext("%(count)s more needed", "%(count)s more needed", missing)
    return f"{_verdict(facts, Verdict.APPROVED)}, {needed % {'count': missing}}"


def _held(facts: Facts) -> str:
    until = clock(datetime.fromisoformat(facts["until"]))
    sent = _("it is sent at %(at)s unless taken back") % {"at": until}
    return f"{_verdict(facts, facts['verdict'])}; {sent}"


def _approved(facts: Facts) -> str:
    if "held" in facts:
        return _("approved this for good; it could be taken back until now")
    return _verdict(facts, Verdict.APPROVED)


def _rejected(facts: Facts) -> str:
    if "held" in facts:
        return _("rejected this for good; it could be taken back until now")
    return _verdict(facts, Verdict.REJECTED)


def _undone(facts: Facts) -> str:
    if facts.get("verdict") == Verdict.APPROVED:
        return _("took their approval back; nothing was sent")
    return _("took their rejection back; nothing was sent")


def _withdrawn(facts: Facts) -> str:
    said = _why_withdrawn(facts)
    if not facts.get("undone"):
        return said
    return said + "; " + _("a decision that was not sent yet falls")


def _why_withdrawn(facts: Facts) -> str:
    why, own = str(facts.get("why", "")), str(facts.get("reason") or "")
    if why == Withdrawal.OPERATOR:
        return _("took it back as an operator")
    if why != Withdrawal.SOURCE:  # whose words stay as they are
        own = reworded(own)
    if why in (Withdrawal.ELSEWHERE, Withdrawal.SUPERSEDED) and own:
        return own[:1].lower() + own[1:]
    reason = str(_WITHDRAWALS.get(why, ""))
    return ": ".join(part for part in (reason, own) if part)


_WITHDRAWALS: dict[str, Words] = {
    Withdrawal.SOURCE: gettext_lazy("the source took it back"),
    Withdrawal.SUPERSEDED: gettext_lazy("a newer request took its place"),
    Withdrawal.CLOSED_AT_AWS: gettext_lazy("AWS no longer waits for an answer"),
    Withdrawal.EXECUTION_ENDED: gettext_lazy("the execution ended"),
    Withdrawal.ELSEWHERE: gettext_lazy("it was answered outside the portal"),
}


def _expired(facts: Facts) -> str:
    return str(_ENDS.get(str(facts.get("on_timeout", "")), _ENDS["fail"]))


_ENDS = {
    "approve": gettext_lazy("passed before anybody decided; the sender's rule approved it"),
    "reject": gettext_lazy("passed before anybody decided; the sender's rule rejected it"),
    "lapse": gettext_lazy("passed before anybody decided; nothing is sent to AWS"),
    "fail": gettext_lazy("passed before anybody decided; AWS is told that it expired"),
}


def _detail(words: Words) -> Callable[[Facts], str]:
    def sentence(facts: Facts) -> str:
        detail = str(facts.get("detail") or facts.get("reply") or "")
        return f"{words}: {reworded(detail)}" if detail else str(words)

    return sentence


def _says(words: Words) -> Callable[[Facts], str]:
    return lambda _facts: str(words)


def _status(facts: Facts) -> str:
    status = str(facts.get("status") or "")
    if not status:
        return _("was seen")
    word = str(_STATUSES.get(status, status.replace("_", " ").lower()))
    return _("was seen: %(status)s") % {"status": word}


_STATUSES = {
    "RUNNING": gettext_lazy("running"),
    "SUCCEEDED": gettext_lazy("succeeded"),
    "FAILED": gettext_lazy("failed"),
    "TIMED_OUT": gettext_lazy("timed out"),
    "STOPPED": gettext_lazy("stopped"),
}


def _answered(facts: Facts) -> str:
    by = str(facts.get("answered_by") or "")
    if by:
        return _("answered the question, by %(who)s") % {"who": by}
    return _("answered the question")


_FINDINGS = {
    CallbackFinding.FOUND: gettext_lazy("knows the callback and waits for it"),
    CallbackFinding.CLOSED: gettext_lazy("no longer waits for the callback"),
    CallbackFinding.MISSING: gettext_lazy("does not know the callback"),
}


def _checked(facts: Facts) -> str:
    finding, detail = facts.get("finding", ""), str(facts.get("detail") or "")
    if finding in _FINDINGS:
        return str(_FINDINGS[CallbackFinding(finding)])
    said = _("did not let the portal look at the callback")
    return f"{said}: {reworded(detail)}" if detail else said


#: Who is said to have done it where nobody is named, and what, for each thing that happens.
WORDS: dict[AuditTag, tuple[Words, Callable[[Facts], str]]] = {
    AuditTag.RECEIVED: (gettext_lazy("Received"), _received),
    AuditTag.CLAIMED: (gettext_lazy("Somebody"), _says(gettext_lazy("is on it"))),
    AuditTag.RELEASED: (gettext_lazy("Somebody"), _says(gettext_lazy("let go"))),
    AuditTag.VOTED: (gettext_lazy("Somebody"), _voted),
    AuditTag.HELD: (gettext_lazy("Somebody"), _held),
    AuditTag.UNDONE: (gettext_lazy("Somebody"), _undone),
    AuditTag.APPROVED: (gettext_lazy("A rule"), _approved),
    AuditTag.REJECTED: (gettext_lazy("A rule"), _rejected),
    AuditTag.FORCED: (gettext_lazy("An operator"), _forced),
    AuditTag.REASSIGNED: (gettext_lazy("An operator"), _reassigned),
    AuditTag.DUE: (gettext_lazy("The request"), _says(gettext_lazy("is due; it waits on"))),
    AuditTag.ESCALATED: (
        gettext_lazy("The request"),
        _says(
            gettext_lazy("has waited so long that others should be asked; an operator can ask them")
        ),
    ),
    AuditTag.EXPIRED: (gettext_lazy("The deadline"), _expired),
    AuditTag.WITHDRAWN: (gettext_lazy("Withdrawn"), _withdrawn),
    AuditTag.COMMENTED: (gettext_lazy("Somebody"), _says(gettext_lazy("commented"))),
    AuditTag.QUESTIONED: (gettext_lazy("Somebody"), _says(gettext_lazy("asked the requester"))),
    AuditTag.ANSWERED: (gettext_lazy("The source"), _answered),
    AuditTag.DELIVERY_RETRYING: (
        gettext_lazy("AWS"),
        _detail(gettext_lazy("could not be reached, trying again")),
    ),
    AuditTag.DELIVERED: (gettext_lazy("AWS"), _says(gettext_lazy("took the answer"))),
    AuditTag.UNDELIVERABLE: (gettext_lazy("AWS"), _detail(gettext_lazy("did not take the answer"))),
    AuditTag.UNCONFIRMED: (gettext_lazy("AWS"), _detail(gettext_lazy("had closed the callback"))),
    AuditTag.REDRIVEN: (gettext_lazy("An operator"), _says(gettext_lazy("sent the answer again"))),
    AuditTag.HEARTBEAT_LOST: (
        gettext_lazy("A heartbeat"),
        _detail(gettext_lazy("did not reach AWS")),
    ),
    AuditTag.CALLBACK_CHECKED: (gettext_lazy("AWS"), _checked),
    AuditTag.EXECUTION_SEEN: (gettext_lazy("The execution"), _status),
}
