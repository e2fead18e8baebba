"""What reviewers' programs are told. Never the callback ID."""

from __future__ import annotations

from approvals.review.schemas.audit import AuditLine, AuditOut
from approvals.review.schemas.comments import CommentedOut
from approvals.review.schemas.requests import Detail, Item, Listing, Whole

__all__ = ["AuditLine", "AuditOut", "CommentedOut", "Detail", "Item", "Listing", "Whole"]
