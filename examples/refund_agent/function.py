"""Refund agent: plan, book provisional credit, ask a person, then refund or undo (a saga).

No model is called: `plan` is a few rules that stand in for one, so that the sample runs
anywhere and always proposes the same. What follows would be the same behind a real agent.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import countersign
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, StepConfig
from aws_durable_execution_sdk_python.exceptions import DurableOperationError
from aws_durable_execution_sdk_python.retries import (
    RetryPresets,
    RetryStrategyConfig,
    create_retry_strategy,
)

Ticket = dict[str, Any]
Plan = dict[str, Any]
Credit = dict[str, Any]

AGENT = "refund-agent"
WAIT = CallbackConfig(timeout=Duration.from_hours(8), heartbeat_timeout=Duration.from_minutes(10))
ASKING = StepConfig(  # a refusal would be repeated word for word: only try again when it may help
    retry_strategy=create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=10,
            initial_delay=Duration.from_seconds(2),
            retryable_error_types=[countersign.ApprovalUnavailable],
        )
    )
)
PAYING = StepConfig(retry_strategy=RetryPresets.transient())
LARGE = Decimal("500.00")


@durable_execution
def handler(ticket: Ticket, context: DurableContext) -> dict[str, Any]:
    """Answer one ticket; whatever happens after the credit is booked, it does not stay booked."""
    proposed = context.step(lambda _: plan(ticket), name="plan")
    credit = context.step(lambda _: book_credit(ticket, proposed), name="book-credit")
    try:
        outcome = _ask_a_person(ticket, proposed, context)
        if outcome.approved:
            approved = outcome.payload(_payload(ticket, proposed))["actions"][0]
            refund = context.step(
                lambda _: refund_payment(approved, credit), name="refund-payment", config=PAYING
            )
            return _ending(ticket, "refunded", refund, {**credit, "status": "settled"}, outcome)
    except (DurableOperationError, countersign.CountersignError):
        _undo(credit, context)
        raise
    return _ending(ticket, "not refunded", None, _undo(credit, context), outcome)


def plan(ticket: Ticket) -> Plan:
    """The tool call an agent would propose for TICKET, and why."""
    order = ticket["order"]
    return {
        "reason": f"{ticket['customer']['name']} writes: “{ticket['message']}” The order was paid "
        f"on {order['paid_on']} and arrived {order['days_since_delivery']} days ago, which is "
        "within the 30 days in which we refund.",
        "action": {
            "tool": "refund_payment",
            "arguments": {
                "order_id": order["order_id"],
                "amount": order["total"],
                "currency": order["currency"],
                "to": order["paid_with"],
            },
            "tags": ["money out", "cannot be undone"],
        },
        "risk": _risk(ticket),
    }


def book_credit(ticket: Ticket, proposed: Plan) -> Credit:
    """Book the amount as store credit, so that the customer has something; here, say so.

    The ID comes from the ticket: a step that runs twice books once.
    """
    wanted = proposed["action"]["arguments"]
    return {
        "credit_id": f"CR-{ticket['ticket_id']}",
        "amount": wanted["amount"],
        "currency": wanted["currency"],
        "status": "provisional",
    }


def undo_credit(credit: Credit) -> Credit:
    """Take the provisional credit back; here, say so. Undoing twice is undoing once."""
    return {**credit, "status": "undone"}


def refund_payment(approved: Plan, credit: Credit) -> dict[str, Any]:
    """Pay back what was APPROVED, perhaps not what was proposed; here, say so."""
    wanted = approved["arguments"]
    return {"refund_id": credit["credit_id"].replace("CR-", "RF-"), **wanted}


def _ask_a_person(ticket: Ticket, proposed: Plan, context: DurableContext) -> countersign.Outcome:
    callback = context.create_callback(name="await-person", config=WAIT)
    execution_arn = context.execution_context.durable_execution_arn
    submitted = context.step(
        lambda _: _ask(ticket, proposed, callback.callback_id, execution_arn),
        name="ask",
        config=ASKING,
    )
    return countersign.await_outcome(
        callback, expect_payload_sha256=submitted["payload_sha256"], editable=True
    )


def _ask(
    ticket: Ticket, proposed: Plan, callback_id: str, execution_arn: str
) -> countersign.Submitted:
    wanted, customer = proposed["action"]["arguments"], ticket["customer"]["name"]
    money = f"{Decimal(wanted['amount']):,.2f} {wanted['currency']}"
    return countersign.request_approval(
        callback_id,
        f"Refund {money} to {customer}",
        kind="agent-action",
        summary=f"The agent answers ticket {ticket['ticket_id']}. It has booked {money} as "
        "provisional store credit, and now wants to pay the money back instead.",
        payload=_payload(ticket, proposed),
        editable=["/actions/0/arguments/amount"],
        risk=proposed["risk"],
        checks=_checks(ticket),
        effects=[
            {"label": "Store credit", "before": f"{money}, provisional", "after": "none"},
            {"label": wanted["to"], "before": "0.00", "after": f"+{money}"},
        ],
        agent=AGENT,
        on_behalf_of=ticket["on_behalf_of"],
        assignees=ticket.get("assignees"),
        if_approved=f"{money} goes back to {wanted['to']}; it cannot be called back.",
        if_rejected="Nothing is paid, and the provisional credit is undone.",
        if_nobody="Nothing is paid, and the provisional credit is undone.",
        timeout_seconds=WAIT.timeout_seconds,
        heartbeat_timeout_seconds=WAIT.heartbeat_timeout_seconds,
        execution_arn=execution_arn,
    )


def _payload(ticket: Ticket, proposed: Plan) -> dict[str, Any]:
    return {
        "ticket_id": ticket["ticket_id"],
        "amount": proposed["action"]["arguments"]["amount"],
        "currency": proposed["action"]["arguments"]["currency"],
        "reason": proposed["reason"],
        "actions": [proposed["action"]],
    }


def _checks(ticket: Ticket) -> list[dict[str, Any]]:
    order, before = ticket["order"], ticket["customer"]["refunds_this_year"]
    return [
        {"text": "Delivered less than 30 days ago", "passed": order["days_since_delivery"] < 30},
        {"text": "No refund yet this year", "passed": before == 0},
    ]


def _risk(ticket: Ticket) -> dict[str, Any]:
    """Why a person is asked at all: an agent's payment always is, some more urgently."""
    order, before = ticket["order"], ticket["customer"]["refunds_this_year"]
    reasons: list[dict[str, Any]] = []  # the heaviest first: the queue shows that one
    if Decimal(order["total"]) >= LARGE:
        reasons.append({"text": f"At or above {LARGE} {order['currency']}", "points": 30})
    if before:
        reasons.append({"text": f"The customer's refunds so far this year: {before}", "points": 25})
    reasons.append({"text": "An agent, not a person, wants to pay out money", "points": 20})
    score = sum(reason["points"] for reason in reasons)
    return {"score": score, "reasons": reasons, "scored_by": f"{AGENT} rules"}


def _undo(credit: Credit, context: DurableContext) -> Credit:
    return context.step(lambda _: undo_credit(credit), name="undo-credit", config=PAYING)


def _ending(
    ticket: Ticket,
    status: str,
    refund: dict[str, Any] | None,
    credit: Credit,
    outcome: countersign.Outcome,
) -> dict[str, Any]:
    return {
        "ticket_id": ticket["ticket_id"],
        "status": status,
        "refund": refund,
        "credit": credit,
        "decision": {
            "outcome": outcome.kind,
            "by": list(outcome.decided_by),
            "comment": outcome.comment,
            "cause": outcome.cause,
        },
    }
