"""Twenty people press at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from approvals.models import CallbackDelivery, Decision, User
from tests.factories import make_request, make_user
from tests.review.people import signed_in


@pytest.mark.django_db(transaction=True)
def test_of_twenty_who_decide_at_once_one_wins_and_nineteen_read_who() -> None:
    people = [make_user() for _ in range(20)]
    row = make_request(*people)
    clients = {person.pk: signed_in(person) for person in people}
    start = Barrier(len(people))

    def press(number: int, person: User) -> tuple[int, str]:
        verdict = ("approved", "rejected")[number % 2]
        start.wait(timeout=60)
        try:
            answer = clients[person.pk].post(
                f"/requests/{row.public_id}/decide/", {"verdict": verdict, "comment": "mine"}
            )
            return answer.status_code, answer.content.decode()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(press, range(20), people))

    assert sorted(status for status, _ in answers) == [303] + [409] * 19
    winner = Decision.objects.get()
    assert CallbackDelivery.objects.count() == 1
    for status, text in answers:
        if status == 409:
            assert f"{winner.who} {winner.verdict} this at" in text
