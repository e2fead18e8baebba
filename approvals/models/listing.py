"""What a list shows of a request, and the list of what a person decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from django.db.models import (
    Case,
    Count,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, JSONObject

from approvals.models.decision import Decision
from approvals.models.held import HeldAnswer
from approvals.models.request import ApprovalRequest
from approvals.models.sql import partial
from approvals.models.user import User
from approvals.states import Verdict

PAGE_SIZE = 50
COUNT_LIMIT = 1_000  # counts are exact up to here
#: What a list shows; everything else of a request may be large.
_LIST_FIELDS = (
    "public_id", "source", "kind", "title", "requested_by", "agent", "risk_score", "state",
    "received_at", "due_at", "answer_by", "queue_at", "closed_at", "claimed_by",
    "claimed_until", "required_approvals", "on_timeout", "execution", "held_until",
)  # fmt: skip

_NAMES = ("username", "first_name", "last_name")

#: Payloads up to this size (bytes) are read for a list: the amount stands in its row.
LISTED_PAYLOAD = 8 * 1024

#: An ApprovalRequest with what `listed` adds to it: top_reason, approvals, short_payload.
ListedRequest: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in its list: what the list is sorted by."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows of one page, the place its successor starts after, and how many there are."""

    rows: list[ListedRequest]
    next: Place | None
    count: int
    count_capped: bool
    newest_id: int = 0  # the youngest request asked of the person before the page was read
    #: What is filtered or searched for was looked for in all of the list, not in a WINDOW.
    is_whole: bool = False
    #: Not all of the youngest, or of the oldest, can be searched yet.
    youngest_missing: bool = False
    oldest_missing: bool = False


def listed() -> QuerySet[Any]:
    """Requests as a list shows them: no large column, and no further query per row."""
    approvals = (
        Decision.objects.standing()
        .filter(request=OuterRef("pk"), verdict=Verdict.APPROVED)
        .order_by()
        .values("request")
        .annotate(n=Count("pk"))
        .values("n")
    )
    size = Func(F("payload_text"), function="octet_length", output_field=IntegerField())
    short = Case(
        When(payload_size__lte=LISTED_PAYLOAD, then=F("payload_text")),
        default=Value(""),
        output_field=TextField(),
    )
    return (
        _for_list()
        .annotate(top_reason=KT("risk__reasons__0__text"), payload_size=size)
        .annotate(approvals=Coalesce(Subquery(approvals), 0), short_payload=short, held=_held())
    )


def _for_list() -> QuerySet[ApprovalRequest]:
    rows = ApprovalRequest.objects.select_related("source", "kind", "claimed_by", "execution")
    return rows.only(
        *_LIST_FIELDS,
        *("source__slug", "source__name", "kind__slug", "kind__label"),
        *(f"claimed_by__{name}" for name in _NAMES),
        *("execution__arn", "execution__status"),
    )


# No join: with three tables more PostgreSQL no longer turns joins round, and would read all
# requests to find a page of them (join_collapse_limit).
def _held() -> Subquery:
    """What is held of a request, and by whom."""
    of = "decision__reviewer"
    words = {name: f"{of}__{name}" for name in _NAMES}
    told = JSONObject(verdict="decision__verdict", reviewer=f"{of}_id", **words)
    return Subquery(HeldAnswer.objects.filter(request=OuterRef("pk")).values(told=told))


def read(rows: QuerySet[Any]) -> list[ListedRequest]:
    """ROWS of `listed`, each with what is held of it, so that it is asked for no more."""
    found = list(rows)
    for row in found:
        if row.held:
            row._state.fields_cache["held_answer"] = _held_answer(row.held)
    return found


def _held_answer(told: dict[str, Any]) -> HeldAnswer:
    reviewer = partial(User, {"id": told["reviewer"], **{name: told[name] for name in _NAMES}})
    decision = partial(Decision, {"verdict": told["verdict"]})
    decision._state.fields_cache["reviewer"] = reviewer
    answer = partial(HeldAnswer, {})
    answer._state.fields_cache["decision"] = decision
    return answer


def decided_page(user: User, *, after: Place | None = None, size: int = PAGE_SIZE) -> ListPage:
    """What USER decided and did not take back, latest first; Place is (decided_at, id)."""
    mine = Decision.objects.standing().filter(reviewer=user)
    rows = decided_rows(user).annotate(total=_capped_count(mine))
    if after:
        rows = rows.filter(place_at__lte=after.at).filter(
            Q(place_at__lt=after.at) | Q(place_id__lt=after.id)
        )
    return page_of(rows.order_by("-place_at", "-place_id"), size)


def decided_rows(user: User) -> QuerySet[Any]:
    """What USER decided and did not take back, each with its verdict and its place."""
    rows = listed().filter(decisions__reviewer=user, decisions__retracted_at=None)
    decided: QuerySet[Any] = rows.annotate(
        my_verdict=F("decisions__verdict"),
        place_at=F("decisions__decided_at"),
        place_id=F("decisions__id"),
        delivery_state=F("delivery__state"),
    )
    return decided


def _capped_count(rows: QuerySet[Any]) -> RawSQL:
    sql, values = rows.order_by().values("pk")[: COUNT_LIMIT + 1].query.sql_with_params()
    return RawSQL(  # noqa: S611  # nosec B611  Django's own text, values bound
        f"SELECT count(*) FROM ({sql}) capped",  # noqa: S608  # nosec B608
        values,
        output_field=IntegerField(),
    )


def page_of(rows: QuerySet[Any], size: int) -> ListPage:
    found = read(rows[: size + 1])
    count = found[0].total if found else 0
    last = found[size - 1] if len(found) > size else None
    return ListPage(
        found[:size],
        next=Place(last.place_at, last.place_id) if last else None,
        count=min(count, COUNT_LIMIT),
        count_capped=count > COUNT_LIMIT,
    )
