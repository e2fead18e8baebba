"""Addresses of the operations door; approvals/urls.py includes them at the root."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from approvals.operations import settings_urls, views

urlpatterns = [
    path("healthz", views.alive, name="alive"),
    path("readyz", views.ready, name="ready"),
    path("metrics", views.metrics, name="metrics"),
    path(
        "operations/",
        RedirectView.as_view(pattern_name="approvals:operations-callbacks"),
        name="operations",
    ),
    path("operations/callbacks/", views.callbacks, name="operations-callbacks"),
    path("operations/deliveries/", views.deliveries, name="operations-deliveries"),
    path("operations/deliveries/redrive/", views.redrive_many, name="operations-redrive-many"),
    path(
        "operations/deliveries/<uuid:public_id>/redrive/",
        views.redrive,
        name="operations-redrive",
    ),
    path("operations/requests/<uuid:public_id>/", views.operate, name="operate"),
    path("operations/requests/<uuid:public_id>/reassign/", views.reassign, name="reassign"),
    path("operations/requests/<uuid:public_id>/take-back/", views.take_back, name="take-back"),
    path("operations/requests/<uuid:public_id>/force/", views.force, name="force"),
    *settings_urls.urlpatterns,
]
