"""Who is signed in: sessions that know their person."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models

from approvals.models.user import User

if TYPE_CHECKING:
    from approvals.sessions import SessionStore


class SessionManager(BaseSessionManager["Session"]):
    """A session comes with its person: a page asks for both, in one statement."""

    use_in_migrations = False

    def get_queryset(self) -> models.QuerySet[Session]:
        return super().get_queryset().select_related("user")


class Session(AbstractBaseSession):
    """One browser that is signed in, or about to be; `user` repeats what its data says."""

    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="sessions")

    objects: ClassVar[SessionManager] = SessionManager()

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        from approvals.sessions import SessionStore  # noqa: PLC0415  it imports this module

        return SessionStore
