"""Clients of people, for tests of pages."""

from __future__ import annotations

from django.test import Client

from approvals.models import User

HTMX = {"HX-Request": "true"}


def signed_in(user: User, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return client
