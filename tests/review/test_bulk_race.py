"""Two people decide the same requests together at the same moment, each in their own order."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from approvals.models import AuditEvent, CallbackDelivery, Decision, User
from tests.factories import make_kind, make_request, make_user
from tests.ladders.together import at_once
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS = 12


def press(client: Client, items: list[str], verdict: str) -> str:
    data = {"verdict": verdict, "comment": "mine", "item": items}
    answer = client.post("/requests/bulk/decide/?view=needs-me", data)
    assert answer.status_code == 303
    return client.get(answer["Location"]).content.decode()


def of(told: str) -> int:
    found = re.search(r"(\d+) of \d+ requests decided by you", told)
    assert found
    return int(found.group(1))


@pytest.mark.parametrize("undo_seconds", [0, 10])
def test_each_is_decided_once_and_each_person_reads_which(undo_seconds: int) -> None:
    anna, bert = make_user("anna"), make_user("bert")
    make_kind(undo_seconds=undo_seconds)
    rows = [make_request(anna, bert, risk={"score": 1}) for _ in range(REQUESTS)]
    items = [f"{row.pk}:{row.payload_sha256}:0" for row in rows]
    hers, his = signed_in(anna), signed_in(bert)

    by_anna, by_bert = at_once(
        [
            lambda: press(hers, items, "approved"),
            lambda: press(his, items[::-1], "rejected"),
        ]
    )

    assert Decision.objects.count() == REQUESTS
    assert CallbackDelivery.objects.count() == (0 if undo_seconds else REQUESTS)
    made = {person: Decision.objects.filter(reviewer=person).count() for person in (anna, bert)}
    assert (of(by_anna), of(by_bert)) == (made[anna], made[bert])
    assert by_anna.count("Not decided. Bert rejected this at") == made[bert]
    assert by_bert.count("Not decided. Anna approved this at") == made[anna]
    for row in rows:
        assert AuditEvent.objects.broken_at(row) is None


def test_of_two_equal_presses_each_request_takes_one() -> None:
    anna: User = make_user("anna")
    rows = [make_request(anna, risk={"score": 1}) for _ in range(REQUESTS)]
    items = [f"{row.pk}:{row.payload_sha256}:0" for row in rows]
    client = signed_in(anna)
    pages = at_once([lambda: press(client, items, "approved") for _ in range(3)])
    assert Decision.objects.count() == CallbackDelivery.objects.count() == REQUESTS
    for told in pages:
        assert of(told) == REQUESTS
        assert "Not decided" not in told
