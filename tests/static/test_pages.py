"""Pages that must draw themselves when everything else has failed."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import override_settings

PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "429", "500", "503"])
def test_an_error_page_needs_no_request_and_no_database(code: str) -> None:
    with override_settings(STORAGES=PLAIN):
        html = render_to_string(f"{code}.html")
    assert html.count("<h1") == 1
    assert 'class="shell shell--bare"' in html
    assert "csrf-token" not in html
