"""Wiring: settings, URLs, the web and worker entrances. No logic of approvals."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
