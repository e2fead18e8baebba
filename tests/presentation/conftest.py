"""Pages are drawn without collected files: names stay as they are in `static/`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


@pytest.fixture(scope="session", autouse=True)
def _plain_static_files() -> Iterator[None]:
    with override_settings(STORAGES=PLAIN):
        yield
