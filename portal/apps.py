"""Ties Celery to Django's start-up."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Makes the Celery application the current one wherever Django runs.

    Not in portal/__init__, as Celery's tutorial has it: the demo's supervisor lives in
    this package too and needs neither Celery nor Django.
    """

    name = "portal"

    def ready(self) -> None:
        from portal import celery  # noqa: F401, PLC0415  its import is its effect
