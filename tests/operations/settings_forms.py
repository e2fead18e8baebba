"""What the forms of sources and kinds post, valid unless FIELDS say otherwise."""

from __future__ import annotations

from typing import Any

ARN = "arn:aws:lambda:eu-north-1:123456789012:function:orders"


def source_form(**fields: Any) -> dict[str, Any]:
    return {"name": "Orders", "region": "eu-north-1", "function_arns": ARN, **fields}


def kind_form(**fields: Any) -> dict[str, Any]:
    return {
        "label": "Refund",
        "required_approvals": "1",
        "on_reject": "failure",
        "on_timeout": "fail",
        "undo_seconds": "10",
        "bulk": "low-risk",
        "of-TOTAL_FORMS": "0",
        "of-INITIAL_FORMS": "0",
        **fields,
    }
