"""Addresses of the operations door; approvals/urls.py includes them at the root."""

from __future__ import annotations

from django.urls import path

from approvals.operations import views

urlpatterns = [
    path("healthz", views.alive, name="alive"),
    path("readyz", views.ready, name="ready"),
]
