"""The part of the decision's form in which the payload is edited before approving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from approvals.canonical import Json, canonical_json
from approvals.lifecycle.edits import counted
from approvals.models import ApprovalRequest, Decision
from approvals.review.changes import Change, changes_of
from approvals.review.edit_fields import EditField, edit_fields
from approvals.states import Cause, Verdict


class EditsForm(forms.Form):
    """A field for each value that may be edited.

    `edited` is how many edits the pressed button named: none is sent that it did not. The
    first approval of several fixes the payload; its edits are then AGREED on, and the
    fields carry them unseen.
    """

    edited = forms.IntegerField(required=False)  # written by request/_edits.html

    def __init__(self, approval: ApprovalRequest, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"seen": approval.payload_sha256})
        self.approval = approval
        self.agreed = _first_approval(approval)

    def offer_edits(self) -> None:
        """Add the fields, after all others."""
        self.fields.update(edit_fields(self.approval, self.agreed))

    def check_edits_were_named(self, named: int) -> None:
        """The button says how many edits it sends; where no script counts, it does so now."""
        if not self.errors and named != self.edit_count:
            words = counted(self.edit_count) if self.edit_count else _("nothing edited")
            self.add_error(
                None,
                _(
                    "Nothing was decided yet. You approve with %(edits)s: look again, then "
                    "press the button."
                )
                % {"edits": words},
            )

    @property
    def edits(self) -> dict[str, Json]:
        """What was changed before approving, by pointer; numbers as tokens."""
        if self.agreed and self._carries_agreed:  # a browser cannot say all that a program can
            return dict(self.agreed.edits)
        found = {
            field.pointer: (field.old, self.cleaned_data[name])
            for name, field in self._edit_fields
            if name in self.data and name in self.cleaned_data
        }
        return {
            pointer: new
            for pointer, (old, new) in found.items()
            if canonical_json(new) != canonical_json(old)
        }

    @property
    def edit_count(self) -> int:
        """How many edits the button sends as the form stands."""
        if self.is_bound:
            return len(self.edits) if self.errors is not None else 0
        return len(self.agreed.edits) if self.agreed else 0

    @property
    def edit_rows(self) -> list[tuple[forms.BoundField, bool]]:
        """Each field, and whether what stands in it is an edit."""
        edits = self.edits if self.is_bound else {}
        return [(self[name], field.pointer in edits) for name, field in self._edit_fields]

    @property
    def agreed_changes(self) -> list[Change]:
        return changes_of(self.approval, self.agreed) if self.agreed else []

    def take_over_edits(self) -> None:
        """Show and send what the first approval fixed, whatever was posted."""
        if self.agreed:
            fixed = {name: field.initial for name, field in self._edit_fields}
            self.data = {**{name: self.data[name] for name in self.data}, **fixed}
            self.full_clean()

    def edit_field_at(self, place: str) -> str | None:
        """The name of the field that `edits.<pointer>` is about."""
        names = {f"edits.{field.pointer}": name for name, field in self._edit_fields}
        return names.get(place)

    @property
    def _carries_agreed(self) -> bool:
        """Whether the page that was pressed on showed what the first approval fixed."""
        posted = self.data
        return all(name in posted and f.is_carried(posted[name]) for name, f in self._edit_fields)

    @property
    def _edit_fields(self) -> list[tuple[str, EditField]]:
        return [(name, f) for name, f in self.fields.items() if isinstance(f, EditField)]


def _first_approval(approval: ApprovalRequest) -> Decision | None:
    if not approval.editable:
        return None
    said = approval.decisions.standing().filter(verdict=Verdict.APPROVED, cause=Cause.PERSON)
    return said.select_related("reviewer").order_by("id").first()
