"""Addresses of the review door."""

from __future__ import annotations

from django.urls import path

from approvals.review import views

urlpatterns = [
    path("requests/", views.queue, name="queue"),
    path("requests/news/", views.news, name="queue-news"),
    path("requests/filter/", views.narrow, name="queue-filter"),
    path("requests/saved/", views.save_view, name="save-view"),
    path("requests/saved/<int:view_id>/remove/", views.remove_view, name="remove-view"),
    path("requests/bulk/", views.bulk, name="bulk"),
    path("requests/bulk/decide/", views.decide_together, name="bulk-decide"),
    path("requests/bulk/results/", views.results, name="bulk-results"),
    path("requests/bulk/undo/", views.undo_together, name="bulk-undo"),
    path("requests/<uuid:public_id>/", views.show, name="request"),
    path("requests/<uuid:public_id>/panel/", views.panel, name="request-panel"),
    path("requests/<uuid:public_id>/rows/", views.rows, name="request-rows"),
    path("requests/<uuid:public_id>/toast/", views.toast, name="request-toast"),
    path("requests/<uuid:public_id>/decide/", views.decide, name="decide"),
    path("requests/<uuid:public_id>/undo/", views.undo, name="undo"),
    path("requests/<uuid:public_id>/claim/", views.claim, name="claim"),
    path("requests/<uuid:public_id>/release/", views.release, name="release"),
    path("preferences/", views.preferences, name="preferences"),
    path("requests/<uuid:public_id>/comments/", views.comment, name="comment"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/create/", views.create_token, name="create-token"),
    path("tokens/<int:token_id>/revoke/", views.revoke_token, name="revoke-token"),
]
