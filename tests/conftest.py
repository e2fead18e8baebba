"""Fixtures every test may use. The engines are started by tests.plugins.engines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import hypothesis
import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

from approvals.models import RequestKind

#: Written by migrate, the same for every test.
_KEPT = {"django_content_type", "auth_permission"}


def _quick_flush(
    self: DatabaseOperations, style: Any, tables: Iterable[str], **_: Any
) -> list[str]:
    """Empty TABLES between two transactional tests.

    As a replica would: history and decisions refuse DELETE by trigger, also to the tests,
    and all that a test itself does meets those guards. DELETE of a few rows takes a
    millisecond where TRUNCATE of all tables takes a tenth of a second.
    """
    deletes = [f"DELETE FROM {self.quote_name(name)}" for name in tables if name not in _KEPT]
    # As the house locks: the request first, so that a page still under way is waited for.
    lock = 'LOCK TABLE "approvals_approvalrequest" IN ACCESS EXCLUSIVE MODE'
    past, back = (f"SET session_replication_role = {role}" for role in ("replica", "origin"))
    return [past, lock, *deletes, back]


# A property that holds slowly, on a busy machine, still holds.
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")

DatabaseOperations.sql_flush = _quick_flush  # type: ignore[assignment, method-assign]


#: What would only cost time, or another command before the tests.
_FOR_TESTS: dict[str, Any] = {
    # The real hash costs a second of a busy core, by design; tests make many people.
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    # Static files as they lie in the repository: no test needs collectstatic.
    "STORAGES": {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    },
    "STATIC_ROOT": None,
}


@pytest.fixture(scope="session", autouse=True)
def _settings_for_tests() -> Iterator[None]:
    with override_settings(**_FOR_TESTS):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """What is decided closes its request at once: tests about holds say how long."""
    with django_db_blocker.unblock():
        RequestKind.objects.update(undo_seconds=0)


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one module; `make test` says where it is.

    Playwright runs an event loop in this thread. Django would take that for an async view,
    and asyncio.run refuses to start beside it, so it ends with the module.
    """
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
