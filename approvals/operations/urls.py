"""Addresses of the operations door; approvals/urls.py includes them at the root."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from approvals.operations import views

urlpatterns = [
    path("healthz", views.alive, name="alive"),
    path("readyz", views.ready, name="ready"),
    path(
        "operations/",
        RedirectView.as_view(pattern_name="approvals:operations-callbacks"),
        name="operations",
    ),
    path("operations/callbacks/", views.callbacks, name="operations-callbacks"),
    path("operations/deliveries/", views.deliveries, name="operations-deliveries"),
    path(
        "operations/deliveries/<uuid:public_id>/redrive/",
        views.redrive,
        name="operations-redrive",
    ),
]
