"""The checker checked: each thing that can be wrong is planted once, and named."""

from __future__ import annotations

import hashlib

import pytest

from approvals import keyring
from approvals.ledger import CHECKS
from approvals.models import AuditEvent
from approvals.models.chain import seal_line
from approvals.models.delivery import body_place
from tests.ledger.conftest import Plant, objections
from tests.ledger.faults import FAULTS, Fault
from tests.ledger.house import House

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("ledger")]


def test_a_whole_house_has_nothing_to_object_to(house: House) -> None:
    assert list(map(str, objections())) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_what_is_planted_is_named(house: House, plant: Plant, fault: Fault) -> None:
    request = house.requests[fault.of]
    decision = request.decisions.order_by("pk").values_list("public_id", flat=True).first()
    ids = {"id": request.pk, "other": house.requests[fault.other].pk, "decision": decision}
    found = plant(fault.sql.format(**ids))

    where = fault.where.format(**ids) or str(request.public_id)
    assert (fault.found_by, where) in {(each.check, each.where) for each in found}


def test_an_answer_sealed_anew_with_the_right_key_is_named(house: House, plant: Plant) -> None:
    owed = house.requests["owed"].delivery
    body = owed.body.replace(b"approved", b"rejected")
    sealed = keyring.seal(body, place=body_place(owed.request_id)).hex()
    found = plant(
        f"UPDATE approvals_callbackdelivery SET sealed_body = '\\x{sealed}' WHERE id = {owed.pk}"
    )
    (told,) = map(str, found)
    assert told.startswith(f"{house.requests['owed'].public_id}: its answer is not the one its")


def test_a_line_sealed_anew_with_the_right_key_is_named(house: House, plant: Plant) -> None:
    """Whoever holds AUDIT_KEY can forge one history, and is told by the checkpoint over it."""
    request = house.requests["voted"]
    last, before = AuditEvent.objects.filter(request=request).order_by("-seq")[:2]
    last.actor_name = "somebody"
    mac = seal_line(bytes(before.mac), last.line()).hex()
    found = plant(
        f"UPDATE approvals_auditevent SET actor_name = 'somebody', mac = '\\x{mac}' "
        f"WHERE id = {last.pk}"
    )
    assert [(each.check, each.where) for each in found] == [
        ("sealed_lines_are_there", "checkpoint 1")
    ]


def test_every_check_finds_what_it_is_there_for() -> None:
    assert {fault.found_by for fault in FAULTS} == {each.name for each in CHECKS} | {"sums"}


def test_every_check_says_what_it_proves() -> None:
    assert all(each.proves.endswith(".") for each in CHECKS)


def test_no_violation_names_a_callback_or_what_is_in_a_payload(house: House, plant: Plant) -> None:
    callbacks = {request.callback_id for request in house.requests.values()}
    found = plant(
        'UPDATE approvals_approvalrequest SET payload_text = \'{"total": "SECRET"}\', '
        "callback_sealed = ''; UPDATE approvals_callbackdelivery SET sealed_body = ''"
    )
    told = " ".join(map(str, found))
    assert len(found) > 3 * 20
    assert "SECRET" not in told
    assert not any(callback in told for callback in callbacks)
    assert not any(hashlib.sha256(c.encode()).hexdigest() in told for c in callbacks)
