"""The second press: each request is decided, or taken back, by itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

import structlog
from django.utils.translation import gettext as _

from approvals import lifecycle
from approvals.errors import InvalidFields, Refusal
from approvals.models import ApprovalRequest, Decision, User
from approvals.presentation import visible
from approvals.problems import is_database_trouble
from approvals.review.bulk import Pick
from approvals.states import Channel, Verdict

#: No request is begun later than this: somebody waits for the page, and a server ends it.
ENOUGH = timedelta(seconds=10)

log = structlog.get_logger(__name__)


def decide_each(
    requests: Iterable[ApprovalRequest],
    picks: Mapping[int, Pick],
    *,
    reviewer: User,
    verdict: Verdict,
    comment: str,
) -> dict[int, str]:
    """REVIEWER decides each of REQUESTS in a transaction of its own, as PICKS showed it.

    Why not, by id, where one was refused. A decision of theirs that stands and says the same
    is no refusal: the press was sent twice.
    """
    refused: dict[int, str] = {}
    end = time.monotonic() + ENOUGH.total_seconds()
    for each in requests:
        if time.monotonic() > end:
            refused[each.pk] = _("There was no time left for it. Look at it again, then decide.")
            continue
        try:
            lifecycle.decide(
                each.pk,
                verdict=verdict,
                reviewer=reviewer,
                channel=Channel.BULK,
                comment=comment,
                seen_sha256=picks[each.pk].sha256,
                seen_votes=picks[each.pk].votes,
                held=True,
            )
        except InvalidFields as refusal:
            refused[each.pk] = " ".join(refusal.fields.values())
        except Refusal as refusal:
            refused[each.pk] = str(refusal)
        except Exception as error:  # one that fails must not hold up all others
            log.exception("not_decided_together", public_id=str(each.public_id))
            refused[each.pk] = _trouble(error)
    return _but_sent_twice(refused, reviewer, verdict)


def undo_each(requests: Iterable[ApprovalRequest], *, reviewer: User) -> tuple[int, list[str]]:
    """How many decisions of REVIEWER were taken back, and why others were not."""
    undone, kept = 0, []
    for each in requests:
        try:
            lifecycle.undo(each.pk, reviewer=reviewer)
        except Refusal as refusal:
            kept.append(f"{visible(each.title)}: {refusal}")
        except Exception as error:
            log.exception("not_undone_together", public_id=str(each.public_id))
            kept.append(f"{visible(each.title)}: {_trouble(error)}")
        else:
            undone += 1
    return undone, kept


def _trouble(error: Exception) -> str:
    if is_database_trouble(error):
        return _("The database did not answer in time. Look at it, then press again.")
    return _("Something broke on our side. Look at it, then press again.")


def _but_sent_twice(refused: Mapping[int, str], reviewer: User, verdict: Verdict) -> dict[int, str]:
    if not refused:
        return {}
    done = Decision.objects.standing().filter(
        reviewer=reviewer, verdict=verdict, request__in=list(refused)
    )
    twice = set(done.values_list("request_id", flat=True))
    return {pk: why for pk, why in refused.items() if pk not in twice}
