"""Document approval: send it to named reviewers, sleep for up to a day, publish or archive.

The handler knows nothing of Countersign: it waits for the word "approve", as it would if
a mail with two links had gone out. `send_for_review` asks for exactly these words back.
"""

from __future__ import annotations

from typing import Any

import countersign
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy

Document = dict[str, Any]

REVIEW = CallbackConfig(timeout=Duration.from_hours(24), heartbeat_timeout=Duration.from_hours(2))
SENDING = StepConfig(  # a refusal would be repeated word for word: only try again when it may help
    retry_strategy=create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=10,
            initial_delay=Duration.from_seconds(2),
            retryable_error_types=[countersign.ApprovalUnavailable],
        )
    )
)


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    """Put one document before its reviewers; the result says what became of it."""
    document, reviewers = event["document"], event["reviewers"]
    callback = context.create_callback(name="await-review", config=REVIEW)
    execution_arn = context.execution_context.durable_execution_arn
    context.step(
        lambda _: send_for_review(callback.callback_id, document, reviewers, execution_arn),
        name="send-for-review",
        config=SENDING,
    )
    result = callback.result()
    if result == "approve":
        return context.step(lambda _: publish(document), name="publish")
    return context.step(lambda _: archive(document), name="archive")


def send_for_review(
    callback_id: str, document: Document, reviewers: list[str], execution_arn: str
) -> countersign.Submitted:
    """Ask REVIEWERS, any one of whom decides; the answer will be "approve" or "reject"."""
    title, revision = document["title"], document["revision"]
    return countersign.request_approval(
        callback_id,
        f"Publish {title}, revision {revision}",
        kind="document",
        summary=document["abstract"],
        payload={name: document[name] for name in document if name not in {"title", "abstract"}},
        assignees={"users": reviewers},
        requested_by=document["author"],
        effects=[
            {
                "label": "In force",
                "before": f"revision {document['replaces']}" if document["replaces"] else "nothing",
                "after": f"revision {revision}",
            }
        ],
        approve_with="approve",
        reject_with="reject",
        on_reject="success",  # the word comes as a result: the function has no error to catch
        on_timeout="reject",
        if_approved=f"Revision {revision} is published to {document['audience']} at once.",
        if_rejected=f"Revision {revision} is archived. What is in force stays in force.",
        if_nobody="It is archived, as if rejected.",
        timeout_seconds=REVIEW.timeout_seconds,
        heartbeat_timeout_seconds=REVIEW.heartbeat_timeout_seconds,
        execution_arn=execution_arn,
    )


def publish(document: Document) -> dict[str, Any]:
    """Put it where everybody reads it; here, say so."""
    return {**_which(document), "status": "published"}


def archive(document: Document) -> dict[str, Any]:
    """Put it away, with nothing published; here, say so."""
    return {**_which(document), "status": "archived"}


def _which(document: Document) -> dict[str, Any]:
    return {"document_id": document["document_id"], "revision": document["revision"]}
