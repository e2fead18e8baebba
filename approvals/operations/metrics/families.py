"""Metrics in prometheus-client's own words, made of rows that the database returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

PREFIX = "countersign_"


def rows_of(sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """What SQL returns."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def gauge(name: str, says: str, value: float) -> Metric:
    """One number that goes up and down; SAYS what it counts, in which unit."""
    return GaugeMetricFamily(PREFIX + name, says, value=value)


def gauges(
    name: str, says: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    """One such number for each of ROWS: its values of LABELS, and the number."""
    family = GaugeMetricFamily(PREFIX + name, says, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def counter(
    name: str, says: str, label: str, counts: Mapping[str, float], known: Iterable[str] = ()
) -> Metric:
    """A number that only grows, for each value of LABEL; 0 for those KNOWN and not counted yet.

    A rate needs the 0: what is first seen at 1 has never risen.
    """
    family = CounterMetricFamily(PREFIX + name, says, labels=[label])
    for value, number in (dict.fromkeys(known, 0.0) | dict(counts)).items():
        family.add_metric([value], number)
    return family


def histogram(
    name: str, says: str, bounds: Sequence[str], counts: Mapping[str, float], total: float
) -> Metric:
    """A histogram of COUNTS, each in the bucket of its upper bound and in no other; +Inf last."""
    reached, buckets = 0.0, []
    for bound in bounds:
        reached += counts.get(bound, 0.0)
        buckets.append((bound, reached))
    return HistogramMetricFamily(PREFIX + name, says, buckets=buckets, sum_value=total)
