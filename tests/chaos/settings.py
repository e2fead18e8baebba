"""The portal's settings for a storm: its own, but for what the storm scales or removes.

CHAOS_SCALED=1 shortens the lease, so that a run of a minute sees it end (tests/chaos/
apps.py shortens what belongs to it). CHAOS_WITHOUT removes one guard: lease, fencing (in
the outbox and, by prepare.py, in the database), row-lock or sweep. Only programs that a
storm starts read this module.
"""

from __future__ import annotations

import os
from datetime import timedelta

from portal.settings import *  # noqa: F403 - settings are names of a module
from portal.settings import CELERY_BEAT_SCHEDULE, DELIVERY_LEASE, INSTALLED_APPS

CHAOS_SCALED = os.environ.get("CHAOS_SCALED") == "1"
CHAOS_WITHOUT = os.environ.get("CHAOS_WITHOUT", "")

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.apps.ChaosConfig"]
STATIC_ROOT = None
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

if CHAOS_SCALED:
    DELIVERY_LEASE = timedelta(seconds=6)
if CHAOS_WITHOUT == "lease":
    DELIVERY_LEASE = timedelta(0)
if CHAOS_WITHOUT == "sweep":
    assert {"deliver_callbacks", "stand_by"} <= CELERY_BEAT_SCHEDULE.keys()
    del CELERY_BEAT_SCHEDULE["deliver_callbacks"], CELERY_BEAT_SCHEDULE["stand_by"]
