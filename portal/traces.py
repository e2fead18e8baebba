"""Trace context of OpenTelemetry, where its packages are installed (the extra `otel`).

With the API alone, log lines carry the ids of the trace that a caller's `traceparent`
named, and rings take it on to the worker. With TRACES_URL, spans are sent there as well.
Only OpenTelemetry's instrumentation of Django and of Celery is used: that of the HTTP
client would write addresses into spans, and those of callbacks hold the callback ID.

Without the packages nothing is added to any path: all is decided at start-up.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from structlog.typing import Processor

#: Their addresses open an account: no span may hold them.
NOT_TRACED = "accounts/password/reset/key,healthz,readyz,metrics"


def _installed(name: str) -> Any:
    """The module NAME of OpenTelemetry, or None where its package is not installed."""
    try:
        return import_module(f"opentelemetry.{name}")
    except ImportError:
        return None


def processors() -> list[Processor]:
    """What puts trace_id and span_id into log lines; nothing without OpenTelemetry."""
    api = _installed("trace")
    if api is None:
        return []

    def add_trace(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        span = api.get_current_span().get_span_context()
        if span.is_valid:
            event["trace_id"] = f"{span.trace_id:032x}"
            event["span_id"] = f"{span.span_id:016x}"
        return event

    return [add_trace]


def follow(traces_url: str) -> None:
    """In this process: go on with the trace of a caller or a ring, and send spans to TRACES_URL.

    Called once, before Django's middleware is loaded, and after a worker has forked.

    Raises:
        ImproperlyConfigured: TRACES_URL is set, and the packages are missing.
    """
    if traces_url:
        _export(traces_url)
    for name, class_name, settings in (
        # Behind what words refusals (portal.settings): it asks for the host, and so may refuse.
        ("django", "DjangoInstrumentor", {"excluded_urls": NOT_TRACED, "middleware_position": 1}),
        ("celery", "CeleryInstrumentor", {}),
    ):
        module = _installed(f"instrumentation.{name}")
        instrumentor = getattr(module, class_name)() if module else None
        if instrumentor and not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(**settings)


def _export(traces_url: str) -> None:
    api, sdk, resources = (_installed(name) for name in ("trace", "sdk.trace", "sdk.resources"))
    batches, otlp = (
        _installed("sdk.trace.export"),
        _installed("exporter.otlp.proto.http.trace_exporter"),
    )
    if not all((api, sdk, resources, batches, otlp)):
        raise ImproperlyConfigured(
            "TRACES_URL needs OpenTelemetry: install the extra otel, or leave TRACES_URL empty."
        )
    named = resources.Resource.create({"service.name": "countersign"})
    provider = sdk.TracerProvider(resource=named)
    provider.add_span_processor(
        batches.BatchSpanProcessor(otlp.OTLPSpanExporter(endpoint=traces_url))
    )
    api.set_tracer_provider(provider)
