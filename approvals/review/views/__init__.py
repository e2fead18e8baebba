"""Pages of the review door. Errors of the desk become status codes here and only here."""

from approvals.review.views.decisions import claim, decide, release
from approvals.review.views.queue import news, queue
from approvals.review.views.requests import panel, show, toast
from approvals.review.views.tokens import create_token, revoke_token, tokens

__all__ = [
    "claim",
    "create_token",
    "decide",
    "news",
    "panel",
    "queue",
    "release",
    "revoke_token",
    "show",
    "toast",
    "tokens",
]
