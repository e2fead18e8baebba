"""The heartbeat as a reviewer sees it: never livelier than it is, and looked at again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from approvals.models import ApprovalRequest, Heartbeat, User
from approvals.templatetags.beats import MOST, trace
from tests.factories import make_request, make_user
from tests.review.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna")


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    return make_request(anna, timeout_seconds=3_600, heartbeat_timeout_seconds=300)


def beaten(**fields: Any) -> None:
    """18 s ago, and due again in 82 s, unless FIELDS say otherwise."""
    now = timezone.now()
    told = {"last_beat_at": now - timedelta(seconds=18), "beats": 40}
    told |= {"next_beat_at": now + timedelta(seconds=82)}
    Heartbeat.objects.update(**told | fields)


def run_block(client: Client, order: ApprovalRequest) -> str:
    text = client.get(order.get_absolute_url()).content.decode()
    found = re.search(r'<section class="block block--run".*?</section>', text, re.DOTALL)
    assert found
    return found.group()


def test_a_beat_that_aws_took_is_alive_and_drawn(anna: User, order: ApprovalRequest) -> None:
    beaten()
    text = run_block(signed_in(anna), order)
    assert "<b>Alive</b>" in text
    assert "beats--ok" in text
    assert "AWS took 40 beats; each peak is one of the last." in text


def test_nothing_sent_in_time_is_late_and_not_alive(anna: User, order: ApprovalRequest) -> None:
    beaten(next_beat_at=timezone.now() - timedelta(seconds=90))
    text = run_block(signed_in(anna), order)
    assert "Heartbeat late" in text
    assert "beats--late" in text
    assert "pulse-dot" not in text


def test_sent_and_not_taken_is_not_alive_either(anna: User, order: ApprovalRequest) -> None:
    beaten(misses=2, trouble="ThrottlingException")
    text = run_block(signed_in(anna), order)
    assert "AWS has not heard it since the heartbeat" in text
    assert "2 tries in a row did not reach it." in text
    assert "pulse-dot" not in text
    assert "Alive" not in text


def test_before_the_first_beat_no_peak_is_drawn(anna: User, order: ApprovalRequest) -> None:
    Heartbeat.objects.update(next_beat_at=timezone.now() + timedelta(seconds=100))
    text = run_block(signed_in(anna), order)
    assert "First heartbeat" in text
    assert "AWS has taken no beat yet." in text
    assert "1.5.8" not in text  # a peak's path


def test_a_callback_without_heartbeat_has_no_pulse(anna: User) -> None:
    row = make_request(anna, timeout_seconds=3_600)
    text = run_block(signed_in(anna), row)
    assert "This callback asks for no heartbeat." in text
    assert '<svg class="beats' not in text


@pytest.mark.parametrize(
    ("beats", "misses", "late", "peaks", "flat"),
    [(40, 0, False, MOST, 0), (3, 0, False, 3, 0), (40, 2, False, MOST - 2, 2),
     (0, 0, True, 0, 1), (40, 99, True, MOST - 8, 8)],
)  # fmt: skip
def test_each_peak_is_a_beat_and_the_end_is_flat_where_none_came(
    beats: int, misses: int, late: bool, peaks: int, flat: int
) -> None:
    drawn = str(trace(Heartbeat(beats=beats, misses=misses), late=late))
    assert drawn.count("l1-1.5") == peaks
    assert drawn.endswith(
        f'<path class="beat-miss" d="M{(MOST - flat) * 10} 12h{flat * 10}"/></svg>'
    )


def look(client: Client, order: ApprovalRequest, version: str = "") -> Any:
    return client.get(f"/requests/{order.public_id}/panel/", headers={"HX-PTag": version})


def test_a_beat_brings_the_pulse_alone_and_touches_nothing_else(
    anna: User, order: ApprovalRequest, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(anna)
    beaten()
    before = look(client, order)["HX-PTag"]
    beaten(beats=41, last_beat_at=timezone.now())
    with django_assert_max_num_queries(3):
        answer = look(client, order, before)
    text = answer.content.decode()
    assert "AWS took 41 beats" in text
    assert text.count("hx-partial hx-target") == 1
    assert 'id="panel"' not in text
    assert look(client, order, answer["HX-PTag"]).status_code == 304


def test_a_beat_that_does_not_come_is_told_without_a_reload(
    anna: User, order: ApprovalRequest
) -> None:
    client = signed_in(anna)
    beaten()
    before = look(client, order)["HX-PTag"]
    beaten(next_beat_at=timezone.now() - timedelta(seconds=90))
    assert "Heartbeat late" in look(client, order, before).content.decode()


def test_more_than_a_beat_brings_the_whole_panel(anna: User, order: ApprovalRequest) -> None:
    client = signed_in(anna)
    beaten()
    before = look(client, order)["HX-PTag"]
    beaten(beats=41)
    ApprovalRequest.objects.filter(pk=order.pk).update(
        claimed_by=anna, claimed_until=timezone.now() + timedelta(minutes=5)
    )
    assert 'id="panel"' in look(client, order, before).content.decode()
