"""Addresses of the approvals app: each door's own, side by side."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from approvals.api import api

app_name = "approvals"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("approvals.review.urls")),
    path("", include("approvals.operations.urls")),
    path("api/v1/", api.urls),
]
