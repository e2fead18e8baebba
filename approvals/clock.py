"""The database's clock, by which every deadline is judged.

Web and worker hosts may disagree about the time; the database is one, so a deadline
passes once for everybody.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """The database's wall clock, aware, UTC; it moves on inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    moment: datetime = row[0]
    return moment
