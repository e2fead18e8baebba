"""The event EventBridge hands on: "Durable Execution Status Change", as AWS writes it.

Only what the portal goes by is looked at. AWS may add fields and status words; both are
let through, for an event that is refused is not sent again.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from approvals.intake.fields import ExecutionArn

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII
)
_STATUS = re.compile(r"[A-Z][A-Z_]{0,63}")
# Durable functions are younger, and no zone takes these days off the calendar.
_FIRST, _LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_MOMENT = "Write a date and time with its zone, as in 2025-11-20T13:08:22.345Z."


def _text(value: Any) -> Any:
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise ValueError(_MOMENT)
    return value


def _near(moment: datetime) -> datetime:
    if not _FIRST <= moment < _LAST:
        raise ValueError("Write a moment between 2020 and 2200.")
    return moment


def _status(text: str) -> str:
    if not _STATUS.fullmatch(text):
        raise ValueError("Write a status as AWS does: capital letters and _.")
    return text


Moment = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_text),
    AfterValidator(_near),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Noted(BaseModel):
    """Nothing is converted; what is not known here is passed over."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class StatusChange(Noted):
    arn: ExecutionArn = Field(alias="durableExecutionArn")
    status: Annotated[str, AfterValidator(_status)] = Field(
        description="RUNNING, SUCCEEDED, FAILED, TIMED_OUT, STOPPED, or a word AWS adds later."
    )
    started_at: Moment | None = Field(None, alias="startTimestamp")
    ended_at: Moment | None = Field(None, alias="endTimestamp")


class EventBody(Noted):
    """One event as EventBridge sends it; a rule hands on no others."""

    detail_type: Literal["Durable Execution Status Change"] = Field(alias="detail-type")
    source: Literal["aws.lambda"]
    time: Moment
    detail: StatusChange
