"""Trace context: in log lines where OpenTelemetry is installed, and nowhere else."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portal import traces

TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0x00F067AA0BA902B7


class _Instrumentor:
    """As OpenTelemetry's: one for all, however often it is made."""

    is_instrumented_by_opentelemetry = False
    given: list[dict[str, Any]] = []

    def instrument(self, **settings: Any) -> None:
        type(self).is_instrumented_by_opentelemetry = True
        self.given.append(settings)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a module of OpenTelemetry where an import finds it; None: it is not installed."""

    def put(name: str, module: Any) -> None:
        names = ["opentelemetry", *name.split(".")]
        for depth in range(1, len(names)):
            package = ModuleType(".".join(names[:depth]))
            package.__path__ = []
            monkeypatch.setitem(sys.modules, package.__name__, package)
        monkeypatch.setitem(sys.modules, ".".join(names), module)

    for name in ("trace", "sdk.trace", "instrumentation.django", "instrumentation.celery"):
        put(name, None)
    return put


def tracing(context: Any) -> Any:
    span = SimpleNamespace(get_span_context=lambda: context)
    return SimpleNamespace(get_current_span=lambda: span)


def test_without_opentelemetry_no_line_costs_anything(install):
    assert traces.processors() == []
    traces.follow("")


def test_a_line_of_a_trace_carries_its_ids_as_traceparent_writes_them(install):
    install("trace", tracing(SimpleNamespace(is_valid=True, trace_id=TRACE, span_id=SPAN)))
    [add] = traces.processors()
    assert add(None, "info", {"event": "x"}) == {
        "event": "x",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "00f067aa0ba902b7",
    }


def test_a_line_outside_any_trace_stays_as_it_is(install):
    install("trace", tracing(SimpleNamespace(is_valid=False, trace_id=0, span_id=0)))
    [add] = traces.processors()
    assert add(None, "info", {"event": "x"}) == {"event": "x"}


def test_django_and_celery_are_followed_once_and_no_link_that_sets_a_password(install):
    django, celery = (type("Made", (_Instrumentor,), {"given": []}) for _ in range(2))
    install("instrumentation.django", SimpleNamespace(DjangoInstrumentor=django))
    install("instrumentation.celery", SimpleNamespace(CeleryInstrumentor=celery))
    for _ in range(2):
        traces.follow("")
    [given] = django.given
    assert given["excluded_urls"] == traces.NOT_TRACED
    assert settings.MIDDLEWARE[given["middleware_position"] - 1].endswith("ProblemMiddleware")
    assert celery.given == [{}]
    assert "accounts/password/reset/key" in traces.NOT_TRACED.split(",")


def test_spans_that_cannot_be_sent_stop_the_start_with_the_name_of_the_setting(install):
    with pytest.raises(ImproperlyConfigured, match="TRACES_URL"):
        traces.follow("http://127.0.0.1:4318/v1/traces")
