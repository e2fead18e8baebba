"""Turns every skipped or expected-to-fail test into a failure (`-p tests.plugins.no_skips`).

A test that CI skips guards nothing, and nobody notices.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

REFUSAL = "Skipped, which CI does not allow: mend the test or remove it."


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{REFUSAL}\n{report.longreprtext}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{REFUSAL}\n{report.longreprtext}"
    return report
