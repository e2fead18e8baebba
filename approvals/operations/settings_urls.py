"""Addresses of what admins keep: sources and kinds."""

from __future__ import annotations

from django.urls import path

from approvals.operations.views import kinds, source_proofs, sources

_SOURCE = "operations/sources/<slug:slug>/"
_KIND = "operations/kinds/<slug:slug>/"

urlpatterns = [
    path("operations/sources/", sources.sources, name="sources"),
    path("operations/sources/new/", sources.new_source, name="new-source"),
    path(_SOURCE, sources.source, name="source"),
    path(f"{_SOURCE}change/", sources.change_source, name="change-source"),
    path(f"{_SOURCE}disable/", sources.disable_source, name="disable-source"),
    path(f"{_SOURCE}enable/", sources.enable_source, name="enable-source"),
    path(f"{_SOURCE}secrets/", source_proofs.make_secret, name="make-secret"),
    path(
        f"{_SOURCE}secrets/<int:secret_id>/end/",
        source_proofs.end_secret,
        name="end-secret",
    ),
    path(f"{_SOURCE}keys/", source_proofs.make_key, name="make-key"),
    path(f"{_SOURCE}keys/<int:key_id>/end/", source_proofs.end_key, name="end-key"),
    path(f"{_SOURCE}roles/", source_proofs.give_role, name="give-role"),
    path(f"{_SOURCE}roles/<int:role_id>/take/", source_proofs.take_role, name="take-role"),
    path("operations/kinds/", kinds.kinds, name="kinds"),
    path("operations/kinds/new/", kinds.new_kind, name="new-kind"),
    path(_KIND, kinds.kind, name="kind"),
    path(f"{_KIND}change/", kinds.change_kind, name="change-kind"),
]
