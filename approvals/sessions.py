"""Django's database sessions, each fetched with its person (SESSION_ENGINE).

The way of Django's documentation: "Extending database-backed session engines".
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from approvals.models.session import Session
from approvals.models.user import User


class SessionStore(DatabaseStore):
    """A session; PERSON is whose it is, as the database knew them when it was loaded.

    PERSON proves nothing by itself: portal.middleware.People asks what Django asks.
    """

    person: User | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        return row

    def _get_session_from_db(self) -> Session | None:
        found: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        self.person = found.user if found else None
        return found
