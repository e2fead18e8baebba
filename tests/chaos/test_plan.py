"""What a seed decides: the same storm again, and every kind of fault equally often."""

from __future__ import annotations

import random
from collections import Counter

from tests.chaos import callback_ids, faults
from tests.chaos.deeds import plan
from tests.chaos.faults import Deck
from tests.chaos.record import digest_of, parse
from tests.chaos.storms import EVERYTHING, Trouble


def test_a_seed_makes_the_same_plan_again_and_another_makes_another() -> None:
    def made(seed: str) -> object:
        return plan(EVERYTHING.troubles, seconds=EVERYTHING.seconds, seed=seed)

    assert made("one") == made("one")
    assert made("one") != made("two")


def test_a_trouble_keeps_to_its_share_of_the_storm() -> None:
    deeds = plan({"kill_web": Trouble(40, 1.0, 0.25, 0.5)}, seconds=400, seed="any")

    assert len(deeds) == 40
    assert all(100 <= deed.at <= 200 for deed in deeds)
    assert all(b.at - a.at >= 1.0 for a, b in zip(deeds[::2], deeds[2::2], strict=False))


def test_every_kind_of_fault_is_dealt_equally_often() -> None:
    deck = Deck(faults.ANSWERS, blanks=18, chance=random.Random("any"))

    dealt = Counter(deck.draw() for _ in range(100 * (len(faults.ANSWERS) + 18)))

    assert {dealt[kind] for kind in faults.ANSWERS} == {100}


def test_a_shorter_storm_is_as_dense() -> None:
    shorter = EVERYTHING.of(EVERYTHING.seconds / 4)

    assert shorter.rate == EVERYTHING.rate
    assert shorter.troubles["kill_child"].times == EVERYTHING.troubles["kill_child"].times / 4
    assert all(trouble.times >= 1 for trouble in shorter.troubles.values())


def test_a_callback_id_tells_its_execution_and_its_deadline() -> None:
    arn = callback_ids.execution_arn("storm-1", expires_at=1_800_000_000)

    assert callback_ids.arn_of(callback_ids.callback_id(arn)) == arn
    assert callback_ids.expires_at(arn) == 1_800_000_000


def test_a_failure_is_the_same_in_whatever_order_its_fields_travel() -> None:
    one, other = b'{"ErrorType": "A", "ErrorData": "B"}', b'{"ErrorData":"B","ErrorType":"A"}'

    assert digest_of("fail", one) == digest_of("fail", other)
    assert digest_of("succeed", one) != digest_of("succeed", other)


def test_a_record_knows_when_each_call_was_over() -> None:
    call = {
        "n": 7, "at": 1.0, "verb": "succeed", "callback": "c", "body": "b", "fault": "",
        "effect": True, "status": 200,
    }  # fmt: skip
    record = parse([call, {"n": 7, "done": 1.5}, {"closed": "expired", "at": 9, "callback": "d"}])

    assert record.answers["c"][0].done == 1.5
    assert record.closed_elsewhere == {"d": ("expired", 9)}
