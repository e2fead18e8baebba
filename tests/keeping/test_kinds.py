"""Kinds are made and changed by admins; what was received before stays as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection

from approvals import keeping
from approvals.errors import InvalidFields, StalePage
from approvals.keeping import KindFields, desk, presentation_shape
from approvals.models import ChangeEvent, RequestKind
from approvals.presentation import KINDS
from approvals.presentation.values import _STYLES
from approvals.states import ChangeTag, OnReject, OnTimeout
from tests.factories import make_kind, make_request, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)

FULL = KindFields(
    label="Refund",
    presentation={"labels": {"/amount": "Sum"}, "formats": {"/amount": "money:@/currency"}},
    required_approvals=3,
    requirements=[("finance", 2)],
    reject_reasons=["Too much", "Not ours"],
    on_reject=OnReject.SUCCESS,
    on_timeout=OnTimeout.REJECT,
    timeout_seconds=86_400,
    due_in_seconds=3_600,
    default_users=["mara"],
    default_groups=["order-desk"],
)


def test_a_kind_that_says_nothing_holds_and_guards_as_usual_whoever_makes_it(mara):
    keeping.make_kind("refund", FULL, admin=mara)
    with connection.cursor() as cursor:  # as the release before, which does not know of it
        cursor.execute(
            "INSERT INTO approvals_requestkind (slug, label, presentation, required_approvals, "
            "on_reject, on_timeout, reject_reasons) "
            "VALUES ('old', 'Old', '{}', 1, 'failure', 'fail', '{}')"
        )
    made = RequestKind.objects.filter(slug__in=["refund", "old"])
    assert set(made.values_list("slug", "undo_seconds", "bulk")) == {
        ("refund", 10, "low-risk"),
        ("old", 10, "low-risk"),
    }


def test_how_long_a_decision_is_held_stands_in_the_history_of_its_kind(mara):
    keeping.make_kind("refund", FULL, admin=mara)
    assert keeping.change_kind("refund", replace(FULL, undo_seconds=0), admin=mara) == [
        "undo_seconds"
    ]
    assert ChangeEvent.objects.latest("seq").facts["changed"] == {"undo_seconds": [10, 0]}


def test_what_is_decided_together_stands_in_the_history_of_its_kind(mara):
    keeping.make_kind("refund", FULL, admin=mara)
    assert keeping.change_kind("refund", replace(FULL, bulk="never"), admin=mara) == ["bulk"]
    assert ChangeEvent.objects.latest("seq").facts["changed"] == {"bulk": ["low-risk", "never"]}


@pytest.fixture(autouse=True)
def _teams(transactional_db: None) -> None:
    make_team("finance")
    make_team("order-desk")


def test_a_kind_is_made_as_it_is_said(mara):
    keeping.make_kind("refund", FULL, admin=mara)
    kind = RequestKind.objects.get(slug="refund")
    assert (kind.label, kind.reject_reasons) == ("Refund", ["Too much", "Not ours"])
    assert [str(row) for row in kind.requirements.all()] == ["2 of finance"]
    assert [group.name for group in kind.default_groups.all()] == ["order-desk"]
    event = ChangeEvent.objects.get()
    assert (event.tag, event.subject) == (ChangeTag.KIND_MADE, "kind:refund")


def test_a_change_says_what_was_and_what_is(mara):
    keeping.make_kind("refund", FULL, admin=mara)
    changed = keeping.change_kind(
        "refund", replace(FULL, label="Refunds", requirements=[("order-desk", 1)]), admin=mara
    )
    assert set(changed) == {"label", "requirements"}
    facts = ChangeEvent.objects.latest("seq").facts["changed"]
    assert facts == {
        "label": ["Refund", "Refunds"],
        "requirements": [["2 of finance"], ["1 of order-desk"]],
    }
    assert keeping.change_kind(
        "refund", replace(FULL, label="Refunds", requirements=[("order-desk", 1)]), admin=mara
    ) == []  # fmt: skip
    assert ChangeEvent.objects.broken_at("kind:refund") is None


def test_who_looked_at_an_older_state_overwrites_nothing(mara):
    keeping.make_kind("refund", FULL, admin=mara)
    seen = desk.version_of("kind:refund")
    keeping.change_kind("refund", replace(FULL, label="Mine"), admin=mara, seen=seen)
    with pytest.raises(StalePage):
        keeping.change_kind("refund", replace(FULL, label="Theirs"), admin=mara, seen=seen)
    assert RequestKind.objects.get(slug="refund").label == "Mine"


def test_a_request_that_is_open_stays_as_it_was_received(mara):
    make_kind("refund", required_approvals=1)
    row = make_request(make_user("anna"), kind="refund")
    keeping.change_kind(
        "refund", replace(FULL, requirements=[("finance", 2)], timeout_seconds=60,
                          due_in_seconds=None), admin=mara
    )  # fmt: skip
    before = (row.required_approvals, row.on_reject, row.on_timeout, row.answer_by)
    row.refresh_from_db()
    assert (row.required_approvals, row.on_reject, row.on_timeout, row.answer_by) == before
    assert not row.requirements.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"label": ""}, "label"),
        ({"presentation": {"lables": {}}}, "presentation"),
        ({"required_approvals": 0}, "required_approvals"),
        ({"required_approvals": 101}, "required_approvals"),
        ({"required_approvals": 1}, "required_approvals"),
        ({"requirements": [("finance", 0)]}, "requirements"),
        ({"requirements": [("finance", 1), ("finance", 1)]}, "requirements"),
        ({"requirements": [("reviewer", 1)]}, "requirements"),
        ({"requirements": [("nobodies", 1)]}, "requirements"),
        ({"reject_reasons": ["x" * 121]}, "reject_reasons"),
        ({"reject_reasons": ["Too much", "Too much"]}, "reject_reasons"),
        ({"reject_reasons": [str(n) for n in range(21)]}, "reject_reasons"),
        ({"on_reject": "maybe"}, "on_reject"),
        ({"on_timeout": "maybe"}, "on_timeout"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": 367 * 86_400}, "timeout_seconds"),
        ({"due_in_seconds": 86_400}, "due_in_seconds"),
        ({"undo_seconds": -1}, "undo_seconds"),
        ({"undo_seconds": 31}, "undo_seconds"),
        ({"bulk": "all"}, "bulk"),
        ({"default_users": ["nobody"]}, "default_users"),
        ({"default_groups": ["operator"]}, "default_groups"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field_and_nothing_is_written(mara, wrong, field):
    make_user("olu", role="operator")
    keeping.make_kind("refund", FULL, admin=mara)
    with pytest.raises(InvalidFields) as refused:
        keeping.change_kind("refund", replace(FULL, **wrong), admin=mara)
    assert set(refused.value.fields) == {field}
    assert keeping.change_kind("refund", FULL, admin=mara) == []


@pytest.mark.parametrize("slug", ["new", "Refund", ""])
def test_a_kind_needs_a_name_that_makes_an_address(mara, slug):
    with pytest.raises(InvalidFields, match="slug"):
        keeping.make_kind(slug, FULL, admin=mara)


def test_a_name_is_taken_once(mara):
    keeping.make_kind("refund", FULL, admin=mara)
    with pytest.raises(InvalidFields, match="slug"):
        keeping.make_kind("refund", FULL, admin=mara)


def test_who_takes_a_name_in_the_same_moment_is_told_so(mara, monkeypatch):
    keeping.make_kind("refund", FULL, admin=mara)
    monkeypatch.setattr(desk, "check_row", lambda row: None)  # it had looked a moment earlier
    with pytest.raises(InvalidFields) as refused:
        keeping.make_kind("refund", FULL, admin=mara)
    assert refused.value.fields == {"slug": "There is a kind of this name already."}


@pytest.mark.parametrize("presentation", [{}, *KINDS.values()])
def test_what_ships_has_the_right_shape(presentation):
    assert list(presentation_shape.complaints(presentation)) == []


def test_the_formats_named_here_are_those_that_pages_know():
    assert {*presentation_shape.FORMATS} - {"tags", "address"} == set(_STYLES)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ([], "object"),
        ("x", "object"),
        ({"colours": {}}, "'colours' is no part"),
        ({"labels": []}, "labels:"),
        ({"labels": {"amount": "Sum"}}, "labels:"),
        ({"labels": {"/amount": 1}}, "labels:"),
        ({"labels": {"/amount": "x" * 201}}, "labels:"),
        ({"labels": {f"/{n}": "x" for n in range(201)}}, "labels:"),
        ({"formats": {"/amount": "dollars"}}, "formats:"),
        ({"formats": {"/amount": "money:euro"}}, "formats:"),
        ({"formats": []}, "formats:"),
        ({"titles": {"/a": None}}, "titles:"),
        ({"sums": {"/lines": "totals"}}, "sums:"),
        ({"order": {}}, "order:"),
        ({"order": ["/a~2"]}, "order:"),
        ({"highlights": [1]}, "highlights:"),
        ({"hide": ["x"]}, "hide:"),
        ({"hide": ["/" + "x" * 200]}, "hide:"),
        ({"hide": [f"/{n}" for n in range(201)]}, "hide:"),
    ],
)
def test_a_presentation_is_complained_about_by_its_part(value, part):
    said = list(presentation_shape.complaints(value))
    assert said
    assert part in said[0]
    assert all(sentence.endswith(".") for sentence in said)
