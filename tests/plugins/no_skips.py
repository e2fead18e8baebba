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
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse(report)
    return report


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.outcome == "skipped":
        report.longrepr = f"{REFUSAL}\n{report.longreprtext}"
        report.outcome = "failed"
        vars(report).pop("wasxfail", None)  # with it, the run would still count as good
