"""Two hundred random edits, removals, swaps and tail cuts of history: two hundred found."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from approvals.ledger import Scope
from approvals.ledger.checks import HISTORY
from approvals.models import AuditEvent
from tests.ledger.house import House

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("ledger")]

ROUNDS = 200


def edit(dice: random.Random, line: int, other: int) -> str:
    column = dice.choice([
        "actor_name = actor_name || 'x'", "at = at + interval '1 microsecond'",
        "facts = '{\"verdict\": \"approved\"}'", "tag = 'request.claimed-not'",
        "actor_id = coalesce(actor_id, 0) + 1",
        "mac = set_byte(mac, 5, (get_byte(mac, 5) + 1) % 256)",
    ])  # fmt: skip
    return f"UPDATE approvals_auditevent SET {column} WHERE id = {line}"


def remove(dice: random.Random, line: int, other: int) -> str:
    return f"DELETE FROM approvals_auditevent WHERE id = {line}"


def swap(dice: random.Random, line: int, other: int) -> str:
    return f"""
        CREATE TEMP TABLE pair ON COMMIT DROP AS
        SELECT * FROM approvals_auditevent WHERE id IN ({line}, {other});
        UPDATE approvals_auditevent e
           SET tag = p.tag, at = p.at, actor_id = p.actor_id, actor_name = p.actor_name,
               facts = p.facts, mac = p.mac
          FROM pair p WHERE e.id IN ({line}, {other}) AND p.id IN ({line}, {other})
           AND p.id <> e.id;
        DROP TABLE pair"""


def cut_tail(dice: random.Random, line: int, other: int) -> str:
    return f"""
        DELETE FROM approvals_auditevent e USING approvals_auditevent chosen
         WHERE chosen.id = {line} AND e.request_id = chosen.request_id AND e.seq >= chosen.seq"""


WAYS: list[Callable[[random.Random, int, int], str]] = [edit, remove, swap, cut_tail]


def found(sql: str) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        told = any(next(check.run(Scope()), None) for check in HISTORY)
        transaction.set_rollback(True)
    return told


def test_two_hundred_random_tamperings_are_found_each_by_itself(house: House) -> None:
    dice = random.Random(38)
    lines = list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))
    missed = []
    for number in range(ROUNDS):
        way = WAYS[number % len(WAYS)]
        sql = way(dice, *dice.sample(lines, 2))
        if not found(sql):
            missed.append(sql)
    assert missed == []
