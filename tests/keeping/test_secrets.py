"""Secrets and keys are rotated with an overlap, ended at once, never more than two live."""

from __future__ import annotations

import base64
import json
import random
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from django.db import connection

from approvals import keeping
from approvals.clock import database_now
from approvals.errors import InvalidFields
from approvals.keeping import Overlap
from approvals.models import ChangeEvent, SourceKey, SourceSecret
from approvals.models.source import digest, secret_bytes
from approvals.states import ChangeTag
from tests.factories import make_source

pytestmark = pytest.mark.django_db(transaction=True)


def live() -> list[SourceSecret]:
    return list(SourceSecret.objects.live(database_now()).order_by("pk"))


def make(mara, overlap: Overlap = Overlap.DAY, given: str = "") -> str:
    return keeping.make_secret("orders", admin=mara, overlap=overlap, given=given)


def whsec(length: int = 32) -> str:
    # The same in every process, so that xdist's workers collect the same tests.
    return "whsec_" + base64.b64encode(random.Random(length).randbytes(length)).decode()


@pytest.mark.parametrize(
    ("overlap", "length"),
    [
        (Overlap.HOUR, timedelta(hours=1)),
        (Overlap.DAY, timedelta(days=1)),
        (Overlap.WEEK, timedelta(days=7)),
    ],
)
def test_the_former_secret_ends_after_the_overlap_and_the_new_one_does_not(
    mara, orders, overlap, length
):
    make(mara)
    began = database_now()
    text = make(mara, overlap)
    former, new = live()
    assert began + length <= former.expires_at <= database_now() + length
    assert new.expires_at is None
    assert new.reveal() == secret_bytes(text)


def test_at_once_leaves_the_new_one_alone(mara, orders):
    make(mara)
    make(mara, Overlap.HOUR)
    text = make(mara, Overlap.AT_ONCE)
    assert [row.reveal() for row in live()] == [secret_bytes(text)]


def test_a_third_live_secret_is_refused_and_says_what_to_do(mara, orders):
    make(mara)
    make(mara)
    with pytest.raises(InvalidFields) as refused:
        make(mara, Overlap.HOUR)
    assert "End one of them first" in refused.value.fields["overlap"]
    assert len(live()) == SourceSecret.objects.count() == 2


def test_a_secret_that_ends_sooner_is_not_kept_longer_by_a_rotation(mara, orders):
    make(mara)
    soon = database_now() + timedelta(minutes=5)
    SourceSecret.objects.update(expires_at=soon)
    make(mara, Overlap.WEEK)
    assert live()[0].expires_at == soon


def test_ended_is_ended_and_ending_twice_changes_nothing(mara, orders):
    make(mara)
    row = live()[0]
    assert keeping.end_secret("orders", row.pk, admin=mara)
    assert not keeping.end_secret("orders", row.pk, admin=mara)
    assert live() == []
    assert ChangeEvent.objects.filter(tag=ChangeTag.SECRET_ENDED).count() == 1


def test_what_belongs_to_another_source_is_out_of_reach(mara, orders):
    make(mara)
    make_source("other")
    assert not keeping.end_secret("other", live()[0].pk, admin=mara)
    keeping.make_key("orders", purpose="events", admin=mara, overlap=Overlap.HOUR)
    assert not keeping.end_key("other", SourceKey.objects.get().pk, admin=mara)
    assert len(live()) == 1


def test_a_secret_of_ones_own_is_taken_and_not_said_again(mara, orders):
    given = whsec()
    assert make(mara, given=given) == ""
    assert live()[0].reveal() == secret_bytes(given)
    event = ChangeEvent.objects.get()
    assert event.facts["brought"] is True
    assert given not in json.dumps(event.facts)


@pytest.mark.parametrize(
    "given",
    [
        "secret",
        "whsec_",
        "whsec_???",
        "whsec_\u00e9",
        whsec(23),
        whsec(65),
        "whsec_" + base64.b64encode(b"\0" * 32).decode(),
        "whsec_" + base64.b64encode(b"password" * 4).decode(),
    ],
)
def test_a_secret_that_is_malformed_or_no_secret_is_refused_without_repeating_it(
    mara, orders, given
):
    with pytest.raises(InvalidFields) as refused:
        make(mara, given=given)
    assert set(refused.value.fields) == {"given"}
    assert len(given) < 8 or given not in refused.value.fields["given"]
    assert not SourceSecret.objects.exists()


def test_a_secret_that_ended_does_not_come_back(mara, orders):
    given = whsec()
    make(mara, given=given)
    keeping.end_secret("orders", live()[0].pk, admin=mara)
    with pytest.raises(InvalidFields, match="before"):
        make(mara, given=given)


def test_two_admins_at_once_never_make_three_secrets(mara, orders, monkeypatch):
    make(mara)
    met, refused = Barrier(2), []
    check = keeping.secrets._check_room

    def meet(*args) -> None:
        # Without the lock both have counted before either writes; with it, nobody comes.
        with suppress(BrokenBarrierError):
            met.wait(timeout=0.5)
        check(*args)

    def rotate() -> None:
        try:
            make(mara)
        except InvalidFields as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    monkeypatch.setattr(keeping.secrets, "_check_room", meet)
    threads = [Thread(target=rotate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(live()) == 2
    assert len(refused) == 1


def test_keys_rotate_by_purpose_and_only_their_hash_is_kept(mara, orders):
    for_events = keeping.make_key("orders", purpose="events", admin=mara, overlap=Overlap.HOUR)
    first = keeping.make_key("orders", purpose="requests", admin=mara, overlap=Overlap.HOUR)
    keeping.make_key("orders", purpose="requests", admin=mara, overlap=Overlap.AT_ONCE)
    keys = SourceKey.objects.live(database_now())
    assert keys.filter(sha256=digest(for_events), purpose="events", expires_at=None).exists()
    assert not keys.filter(sha256=digest(first)).exists()
    assert keys.filter(purpose="requests").count() == 1
    assert for_events not in json.dumps([event.facts for event in ChangeEvent.objects.all()])


def test_a_third_live_key_of_a_purpose_is_refused(mara, orders):
    for _ in range(2):
        keeping.make_key("orders", purpose="requests", admin=mara, overlap=Overlap.HOUR)
    with pytest.raises(InvalidFields, match="End one of them first"):
        keeping.make_key("orders", purpose="requests", admin=mara, overlap=Overlap.HOUR)
    keeping.make_key("orders", purpose="events", admin=mara, overlap=Overlap.HOUR)


def test_a_key_is_for_something(mara, orders):
    with pytest.raises(InvalidFields, match="purpose"):
        keeping.make_key("orders", purpose="all", admin=mara, overlap=Overlap.HOUR)


def test_a_key_is_ended_at_once(mara, orders):
    keeping.make_key("orders", purpose="requests", admin=mara, overlap=Overlap.HOUR)
    row = SourceKey.objects.get()
    assert keeping.end_key("orders", row.pk, admin=mara)
    assert not keeping.end_key("orders", row.pk, admin=mara)
    assert not SourceKey.objects.live(database_now()).exists()
    assert ChangeEvent.objects.broken_at("source:orders") is None
