"""What a storm changes in its own programs: shorter waits, or one guard removed.

A guard that is not where it is looked for stops the program: a storm must never pass
because it removed nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings

#: Shorter than the scaled lease together, as the real ones are than the real lease.
SCALED = {"connect_timeout": timedelta(seconds=0.5), "read_timeout": timedelta(seconds=1.5)}
SCALED_MENDING = timedelta(seconds=3)
SCALED_READING = timedelta(seconds=12)


class ChaosConfig(AppConfig):
    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        if settings.CHAOS_SCALED:
            _scale()
        removed = {"fencing": _without_fencing, "row-lock": _without_row_lock}
        removed.get(settings.CHAOS_WITHOUT, lambda: None)()


def _scale() -> None:
    # Apps must be ready before their modules can be imported.
    from approvals.callbacks import errands, pace  # noqa: PLC0415
    from approvals.callbacks.aws import LambdaGateway  # noqa: PLC0415

    defaults = LambdaGateway.__init__.__kwdefaults__
    assert defaults is not None
    assert SCALED.keys() <= defaults.keys()
    defaults.update(SCALED)
    assert hasattr(pace, "MENDING_PAUSE")
    pace.MENDING_PAUSE = SCALED_MENDING
    assert hasattr(errands, "LEASE")
    errands.LEASE = SCALED_READING


def _without_fencing() -> None:
    """Whatever an attempt heard counts, however many have overtaken it."""
    from approvals.callbacks import outbox  # noqa: PLC0415

    assert hasattr(outbox, "_still_counts")
    outbox._still_counts = lambda *_facts: True


def _without_row_lock() -> None:
    """Nobody waits for who is at a request's row."""
    from approvals.lifecycle import hearing  # noqa: PLC0415
    from approvals.models.request import ApprovalRequestQuerySet  # noqa: PLC0415

    lock = "FOR NO KEY UPDATE OF r"
    assert lock in hearing._LOCK._text
    hearing._LOCK._text = hearing._LOCK._text.replace(lock, "")

    def unlocked(rows: Any, **_how: Any) -> Any:
        return rows.all()

    ApprovalRequestQuerySet.select_for_update = unlocked  # type: ignore[method-assign]
