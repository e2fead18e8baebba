"""The desk of saved views: the only writer of their rows."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from approvals.models import SavedView, User
from approvals.models.saved_view import MOST_SAVED_VIEWS


class NotSaved(Exception):
    """The view was not saved; the text says why, to the person."""


@transaction.atomic(durable=True)
def save(owner: User, *, name: str, words: Mapping[str, str]) -> SavedView:
    """Keep the list that WORDS of an address name, as NAME.

    Raises:
        NotSaved: OWNER has one of that name, or as many as there may be.
    """
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # counted one after another
    views = SavedView.objects.filter(user=owner)
    if views.count() >= MOST_SAVED_VIEWS:
        raise NotSaved(
            _("You have %(most_saved_views)s saved views: remove one first.")
            % {"most_saved_views": MOST_SAVED_VIEWS}
        )
    if views.filter(name=name).exists():
        raise NotSaved(_("You have a saved view of this name: take another."))
    return SavedView.objects.create(user=owner, name=name, **words)


def remove(owner: User, view_id: int) -> bool:
    """Forget OWNER's view; False if they have no such view."""
    return SavedView.objects.filter(user=owner, pk=view_id).delete()[0] == 1
