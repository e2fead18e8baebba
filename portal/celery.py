"""The Celery application. It carries bells; the database is the queue."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals
from django.conf import settings

from portal import traces
from portal.beat import leave_sign
from portal.broker import PromptAmqp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("countersign", amqp=PromptAmqp)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["approvals"])


@signals.worker_process_init.connect
def _follow_traces(**_signal: Any) -> None:
    traces.follow(settings.TRACES_URL)


@signals.beat_init.connect
@signals.beat_embedded_init.connect
def _show_signs_of_life(**_signal: Any) -> None:
    """In beat's process only: each message that reached the broker says "beat is here"."""
    signals.after_task_publish.connect(leave_sign)
