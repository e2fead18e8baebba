"""Every sample order is one the workflow takes and the portal would take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from approvals.intake.schemas import RequestBody
from approvals.strict_json import parse_json, plain_numbers
from examples.order_workflow import function
from examples.order_workflow.orders import SHAPES
from tests.client.standin import SECRET, StandInPortal, serving

EXECUTION = "61c6982f-0248-4bad-8897-4ea5abb17687/d4e073fe-139f-41ac-939f-6fbe701bb102"


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInPortal]:
    server = StandInPortal()
    monkeypatch.setenv("COUNTERSIGN_URL", server.url)
    monkeypatch.setenv("COUNTERSIGN_SOURCE", "shop")
    monkeypatch.setenv("COUNTERSIGN_SECRET", SECRET)
    with serving(server):
        yield server


@pytest.mark.parametrize("shape", SHAPES)
def test_the_intake_takes_what_the_workflow_asks(portal: StandInPortal, shape: str) -> None:
    order = function.validated(SHAPES[shape]())
    function._ask(order, "Ab9hZXj+/==", EXECUTION)

    body = RequestBody.model_validate(plain_numbers(parse_json(portal.received[0].body)))
    assert body.kind == "order"
    assert order["customer"]["name"] in body.title
    assert body.execution_arn == EXECUTION


def test_an_order_whose_lines_do_not_add_up_asks_nobody() -> None:
    order = SHAPES["small"]()
    order["lines"].pop()

    with pytest.raises(ValueError, match="add up"):
        function.validated(order)


@pytest.mark.parametrize("lost", ["lines", "totals"])
def test_an_order_without_lines_or_totals_says_which(lost: str) -> None:
    order = SHAPES["small"]()
    del order[lost]

    with pytest.raises(ValueError, match=lost):
        function.validated(order)
