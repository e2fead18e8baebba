"""The largest and strangest payloads cost a bounded multiple of a plain page, no more."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any

import pytest

from tests.browser.hostile import HOSTILE
from tests.browser.papers import order
from tests.factories import make_kind, make_request, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db

#: Of an order with risk, lines and addresses. The dearest came to 3.4: thousands of members.
TIMES_A_PLAIN_PAGE = 6
HEAVY = [name for name in HOSTILE if not name.startswith("script")]


@pytest.fixture
def cpu_of() -> Callable[[dict[str, Any]], float]:
    """Seconds of CPU that the page of a request made of PAPER takes in this process."""
    for slug in ("order", "agent-action"):
        make_kind(slug, label=slug)
    anna = make_user("anna")
    client = signed_in(anna)

    def measure(paper: dict[str, Any]) -> float:
        address = make_request(anna, **paper).get_absolute_url()
        taken = []
        for _ in range(4):  # the first of all compiles the templates
            start = process_time()
            assert client.get(address).status_code == 200
            taken.append(process_time() - start)
        return min(taken)

    return measure


def test_no_payload_costs_more_than_a_few_plain_pages(
    cpu_of: Callable[[dict[str, Any]], float],
) -> None:
    plain = cpu_of(order())
    cost = {name: round(cpu_of(HOSTILE[name]) / plain, 1) for name in HEAVY}
    assert {name: times for name, times in cost.items() if times > TIMES_A_PLAIN_PAGE} == {}
