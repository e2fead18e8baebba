"""The note that somebody has opened a request: the only writer of its rows.

It is what a decision together with others rests on, so it tells of pages that were sent to a
person who asked for them, not of those a browser fetched ahead or that opened by themselves.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import Error, connection

from approvals.models import ApprovalRequest, User
from approvals.models.rights import REVIEW

# One statement; bulk_create would stand in a transaction of its own.
_NOTE = """
INSERT INTO approvals_opening (user_id, request_id, opened_at) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING"""

log = structlog.get_logger(__name__)


def note(request: ApprovalRequest, user: User, now: datetime) -> None:
    """Note that USER has the page of REQUEST before them; one statement, once is kept.

    Only where they may come to decide it. A page is read also while the database takes
    nothing: then they count as not having opened it.
    """
    if not (request.is_pending and user.rights.anywhere(REVIEW)):
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [user.pk, request.pk, now])
    except Error:
        log.warning("opening_not_noted", public_id=str(request.public_id), exc_info=True)
