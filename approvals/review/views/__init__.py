"""Pages of the review door. Errors of the desk become status codes here and only here."""

from approvals.review.views.bulk import bulk, decide_together, results, undo_together
from approvals.review.views.comments import comment
from approvals.review.views.decisions import claim, decide, release, undo
from approvals.review.views.filters import narrow, remove_view, save_view
from approvals.review.views.preferences import preferences
from approvals.review.views.queue import news, queue
from approvals.review.views.requests import panel, rows, show, toast
from approvals.review.views.tokens import create_token, revoke_token, tokens

__all__ = [
    "bulk",
    "claim",
    "comment",
    "create_token",
    "decide",
    "decide_together",
    "narrow",
    "news",
    "panel",
    "preferences",
    "queue",
    "release",
    "remove_view",
    "results",
    "revoke_token",
    "rows",
    "save_view",
    "show",
    "toast",
    "tokens",
    "undo",
    "undo_together",
]
