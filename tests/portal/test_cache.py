"""Without Redis people still sign in, and guessing is still stopped."""

from __future__ import annotations

import logging
import pickle
import socket
import time
from threading import Thread

import pytest
from django.conf import settings as configured
from django.core.cache import caches
from redis import ConnectionError as Away
from redis import ResponseError
from redis import TimeoutError as Late

from portal import cache
from portal.cache import Breaker, RedisOrMemoryCache
from tests.factories import make_user

PASSWORD = "a long enough password"
METHODS = {
    "add": ("k", 1), "get": ("k",), "set": ("k", 1), "touch": ("k",), "has_key": ("k",),
    "get_many": (["k"],), "set_many": ({"k": 1},), "delete": ("k",), "delete_many": (["k"],),
    "clear": (), "get_or_set": ("k", 1),
}  # fmt: skip


@pytest.fixture
def refused_port():
    """A port nobody listens at, and nobody else can take."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def mute_port():
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def cache_at(port: int) -> RedisOrMemoryCache:
    options = configured.CACHES["default"]["OPTIONS"]
    return RedisOrMemoryCache(f"redis://127.0.0.1:{port}/0", {"OPTIONS": options})


@pytest.fixture
def away(refused_port):
    return cache_at(refused_port)


@pytest.fixture
def redis():
    """The cache as it is configured, with a breaker and a memory of its own."""
    cache._breakers.pop(configured.REDIS_URL, None)
    found = RedisOrMemoryCache(configured.REDIS_URL, {"KEY_PREFIX": "test-cache"})
    found.clear()
    yield found
    found.clear()
    cache._breakers.pop(configured.REDIS_URL, None)


@pytest.fixture
def portal_at(settings):
    """The portal's own cache at another port, with its settings otherwise."""

    def at(port: int) -> None:
        default = configured.CACHES["default"] | {"LOCATION": f"redis://127.0.0.1:{port}/0"}
        settings.CACHES = {"default": default}

    return at


def sign_in(client, password: str = PASSWORD):
    return client.post("/accounts/login/", {"login": "anna", "password": password})


@pytest.mark.django_db
def test_people_sign_in_while_redis_is_down(client, portal_at, refused_port):
    make_user("anna")
    portal_at(refused_port)
    answer = sign_in(client)
    assert (answer.status_code, answer["Location"]) == (302, "/requests/")


@pytest.mark.django_db
def test_a_redis_that_hangs_costs_a_sign_in_a_second_at_most(client, portal_at, mute_port):
    make_user("anna")
    portal_at(mute_port)
    began = time.monotonic()
    assert sign_in(client).status_code == 302
    assert time.monotonic() - began < 2  # one wait of half a second, and a slow machine


@pytest.mark.django_db
def test_guessing_is_stopped_while_redis_is_down(client, portal_at, refused_port):
    make_user("anna")
    portal_at(refused_port)
    for _ in range(5):
        assert b"Too many" not in sign_in(client, "wrong").content
    assert b"Too many" in sign_in(client, "wrong").content
    assert sign_in(client).status_code != 302  # not with the right one either


@pytest.mark.parametrize("method", METHODS)
def test_no_method_fails_while_redis_is_down(away, method):
    getattr(away, method)(*METHODS[method])


@pytest.mark.parametrize("error", [Away(), Late(), ResponseError("OOM command not allowed")])
def test_whatever_redis_says_no_with_memory_answers(away, monkeypatch, error):
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(cache.RedisCache, "set", fail)
    monkeypatch.setattr(cache.RedisCache, "get", fail)
    away.set("k", [1.5])
    assert away.get("k") == [1.5]


def test_memory_counts_for_all_threads_of_a_process(away, refused_port):
    other = Thread(target=lambda: cache_at(refused_port).set("k", 7))
    other.start()
    other.join()
    assert (away.get("k"), away.incr("k"), away.has_key("k")) == (7, 8, True)


def test_two_callers_cannot_hold_one_lock_while_redis_is_down(away):
    assert away.add("lock", True, timeout=10)
    assert not away.add("lock", True, timeout=10)
    away.delete("lock")
    assert away.add("lock", True, timeout=10)


def test_while_redis_answers_nothing_is_written_to_memory(redis):
    redis.set("k", [1, 2], timeout=60)
    assert redis.get("k") == pickle.loads(pickle.dumps([1, 2]))
    assert not redis.memory.has_key("k")


def test_what_is_deleted_does_not_come_back_with_the_next_outage(redis):
    redis.memory.add("lock", True)
    redis.delete("lock")
    assert not redis.memory.has_key("lock")


def test_a_missing_key_is_still_a_value_error(redis):
    with pytest.raises(ValueError, match="not found"):
        redis.incr("nobody")


def test_redis_is_the_default_cache_with_memory_behind_it():
    assert isinstance(caches["default"], RedisOrMemoryCache)


def test_after_a_failure_redis_is_left_alone_for_five_seconds():
    breaker = Breaker()
    assert breaker.may_ask(100)
    breaker.failed(100, Away())
    assert not breaker.may_ask(104.9)
    assert breaker.may_ask(105)


def test_only_one_caller_waits_for_a_redis_that_is_tried_again():
    breaker = Breaker()
    breaker.failed(100, Away())
    assert [breaker.may_ask(106) for _ in range(3)] == [True, False, False]


def test_a_redis_that_answers_again_is_asked_by_all():
    breaker = Breaker()
    breaker.failed(100, Away())
    assert breaker.may_ask(106)
    breaker.answered()
    assert [breaker.may_ask(106) for _ in range(3)] == [True, True, True]


def test_an_outage_is_logged_once_in_thirty_seconds(caplog):
    breaker = Breaker()
    with caplog.at_level(logging.WARNING, logger="portal.cache"):
        for second in range(0, 61, 5):
            breaker.failed(float(second), Away())
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert "REDIS_URL" in caplog.records[0].getMessage()
