"""Order workflow: validate, ask a person, wait for hours or weeks, then ship or cancel.

The shape of the order workflow in AWS's launch article on Lambda durable functions.
While it waits, nothing runs and nothing is paid for.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import countersign
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, StepConfig
from aws_durable_execution_sdk_python.retries import (
    RetryPresets,
    RetryStrategyConfig,
    create_retry_strategy,
)

Order = dict[str, Any]

DAY = 86_400  # seconds

ASKING = StepConfig(  # a refusal would be repeated word for word: only try again when it may help
    retry_strategy=create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=10,
            initial_delay=Duration.from_seconds(2),
            retryable_error_types=[countersign.ApprovalUnavailable],
        )
    )
)
SHIPPING = StepConfig(retry_strategy=RetryPresets.transient())


@durable_execution
def handler(event: Order, context: DurableContext) -> dict[str, Any]:
    """Run one order to its end; the result says what became of it and who decided."""
    order = context.step(lambda _: validated(event), name="validate-order")
    clocks = _clocks(order)
    callback = context.create_callback(
        name="await-release",
        config=CallbackConfig(
            timeout=Duration.from_seconds(clocks["timeout_seconds"]),
            heartbeat_timeout=Duration.from_seconds(clocks["heartbeat_timeout_seconds"]),
        ),
    )
    execution_arn = context.execution_context.durable_execution_arn
    submitted = context.step(
        lambda _: _ask(order, callback.callback_id, execution_arn), name="ask", config=ASKING
    )
    outcome = countersign.await_outcome(callback, expect_payload_sha256=submitted["payload_sha256"])
    if not outcome.approved:
        cancelled = context.step(lambda _: cancel(order), name="cancel-order")
        return {**cancelled, "decision": _decision(outcome)}
    shipped = context.step(lambda _: ship(order), name="ship-order", config=SHIPPING)
    return {**shipped, "decision": _decision(outcome)}


def validated(event: Order) -> Order:
    """EVENT, if its lines add up; ValueError says what does not."""
    try:
        goods = sum((Decimal(line["total"]) for line in event["lines"]), Decimal())
        stated = Decimal(event["totals"]["goods"])
    except (KeyError, TypeError, InvalidOperation) as error:
        raise ValueError(f"The order lacks a usable {error}.") from error
    if goods != stated:
        raise ValueError(f"The lines add up to {goods}, the order says {stated}.")
    return event


def ship(order: Order) -> dict[str, Any]:
    """Charge and hand over to the warehouse; here, say so."""
    return {"order_id": order["order_id"], "status": "shipped"}


def cancel(order: Order) -> dict[str, Any]:
    """Release the card hold; here, say so."""
    return {"order_id": order["order_id"], "status": "cancelled"}


def _clocks(order: Order) -> dict[str, Any]:
    approval = order.get("approval", {})
    return {
        "timeout_seconds": approval.get("timeout_seconds", DAY),
        "heartbeat_timeout_seconds": approval.get("heartbeat_timeout_seconds", 300),
    }


def _ask(order: Order, callback_id: str, execution_arn: str) -> countersign.Submitted:
    customer = order["customer"]["name"]
    total = f"{Decimal(order['totals']['total']):,.2f} {order['currency']}"
    goods = ", ".join(f"{line['quantity']} × {line['name']}" for line in order["lines"])
    return countersign.request_approval(
        callback_id,
        f"Release order {order['order_id']} for {customer}",
        kind="order",
        summary=f"{customer} wants {goods} for {total}. The card is not charged yet.",
        payload={name: value for name, value in order.items() if name != "approval"},
        checks=[{"text": "The lines add up to the total", "passed": True}],
        effects=[{"label": "Order", "before": "held", "after": "shipped"}],
        if_approved=f"{total} is charged and the goods leave tonight.",
        if_rejected="The card hold is released and the order is cancelled.",
        if_nobody="The order is cancelled, as if rejected.",
        execution_arn=execution_arn,
        **_clocks(order),
        **_asked_otherwise(order),
    )


def _asked_otherwise(order: Order) -> dict[str, Any]:
    """What the event says on people, risk and soft clocks; the source's defaults otherwise."""
    wanted = (
        *("assignees", "required_approvals", "requirements", "risk"),
        *("due_in_seconds", "escalate_in_seconds"),
    )
    approval = order.get("approval", {})
    return {name: approval[name] for name in wanted if name in approval}


def _decision(outcome: countersign.Outcome) -> dict[str, Any]:
    return {
        "outcome": outcome.kind,
        "by": list(outcome.decided_by),
        "at": outcome.decided_at.isoformat() if outcome.decided_at else None,
        "comment": outcome.comment,
        "cause": outcome.cause,
        "values": dict(outcome.values),
    }
