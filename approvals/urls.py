"""Addresses of the approvals app: each door's own, side by side."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from approvals.api import api
from approvals.api.direct import source_requests

app_name = "approvals"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/sources/<str:source>/requests", source_requests),
    path("api/v1/", api.urls),  # first: looked through at every call of a program
    path("", include("approvals.review.urls")),
    path("", include("approvals.operations.urls")),
]
