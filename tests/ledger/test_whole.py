"""A house in which nothing is wrong, and the sums that come out."""

from __future__ import annotations

from tests.ledger.conftest import Ask
from tests.ledger.house import House


def test_a_whole_house_has_nothing_to_object_to(house: House, ask: Ask) -> None:
    assert list(map(str, ask())) == []
