"""Who is signed in: Django's database sessions, each with its person (SESSION_ENGINE).

The way of Django's documentation: "Extending database-backed session engines".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models

from approvals.models.user import User


class SessionManager(BaseSessionManager["Session"]):
    """A session comes with its person: a page asks for both, in one statement."""

    use_in_migrations = False

    def get_queryset(self) -> models.QuerySet[Session]:
        return super().get_queryset().select_related("user")

    def clear_expired(self, *, now: datetime) -> int:
        """Take away the sessions that had ended at NOW, as clearsessions does; return how many.

        Django ignores an ended session, so this only saves room.
        """
        number, _ = self.filter(expire_date__lt=now).select_related(None).delete()
        return number


class Session(AbstractBaseSession):
    """One browser that is signed in, or about to be; `user` repeats what its data says."""

    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="sessions")

    objects: ClassVar[SessionManager] = SessionManager()

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore


class SessionStore(DatabaseStore):
    """A session's data; PERSON is whose it is, as the database knew them when it was loaded.

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
