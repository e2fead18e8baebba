"""One signed POST goes to a public place, to no other, and says whether it was taken."""

from __future__ import annotations

import base64
import hmac
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import standardwebhooks
from urllib3 import HTTPSConnectionPool

from approvals.notices import webhook
from approvals.notices.webhook import NotTaken, is_public, post, signed

SECRET = b"s" * 32


class Listener:
    """An HTTP server on this machine; answers STATUS after DELAY, keeps what came."""

    def __init__(self) -> None:
        self.status, self.delay = 204, timedelta(0)
        self.came: list[tuple[str, bytes, dict[str, str]]] = []
        self.url = ""


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listening.came.append((self.path, body, dict(self.headers)))
            time.sleep(listening.delay.total_seconds())
            self.send_response(listening.status)
            self.send_header("Location", f"{listening.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    listening.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield listening
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_posted_arrives_whole_and_verifies_by_the_standard_library(listener) -> None:
    body, now = '{"text":"grün?"}'.encode(), datetime.now(UTC)
    headers = signed(body, message_id="question_1", secrets=[b"n" * 32, SECRET], now=now)
    post(f"{listener.url}/q", body, headers, private=True)
    ((path, came, said),) = listener.came
    assert (path, came) == ("/q", body)
    for secret in (SECRET, b"n" * 32):  # either side of a rotation
        checker = standardwebhooks.Webhook(base64.b64encode(secret).decode())
        lower = {name.lower(): value for name, value in said.items()}
        assert checker.verify(came, lower) == {"text": "grün?"}


def test_the_signature_covers_the_id_and_the_time() -> None:
    now = datetime(2026, 11, 28, 20, 0, 0, 900_000, tzinfo=UTC)
    headers = signed(b"{}", message_id="m", secrets=[SECRET], now=now)
    digest = hmac.digest(SECRET, b"m.1795896000.{}", "sha256")
    assert headers["webhook-timestamp"] == "1795896000"
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("status", "words", "for_good"),
    [
        (302, "It redirects (302), and a redirect is not followed.", False),
        (307, "It redirects (307), and a redirect is not followed.", False),
        (404, "It answered 404.", False),
        (410, "It answered 410.", True),
        (500, "It answered 500.", False),
    ],
)
def test_any_answer_but_yes_is_not_taken(listener, status: int, words: str, for_good) -> None:
    listener.status = status
    with pytest.raises(NotTaken) as refused:
        post(listener.url, b"{}", {}, private=True)
    assert (refused.value.detail, refused.value.for_good) == (words, for_good)
    assert len(listener.came) == 1


def test_an_answer_that_does_not_come_is_given_up(listener, monkeypatch) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", timedelta(seconds=0.2))
    listener.delay = timedelta(seconds=1)
    with pytest.raises(NotTaken, match="did not answer"):
        post(listener.url, b"{}", {}, private=True)


def test_nobody_there_is_not_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(NotTaken, match="did not answer"):
            post(f"http://127.0.0.1:{port}/", b"{}", {}, private=True)


# --- Where it goes --------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1",
        "64:ff9b:1::a9fe:a9fe", "fec0::1", "::a00:1",
        "2002:a00:1::1", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_a_place_inside_is_not_public(place: str) -> None:
    assert not is_public(place)


@pytest.mark.parametrize(
    "place", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
def test_a_place_outside_is_public(place: str) -> None:
    assert is_public(place)


@contextmanager
def names(monkeypatch: pytest.MonkeyPatch, *places: str) -> Iterator[list[str]]:
    """Every name leads to PLACES; gives the places that a connection was made for."""
    made: list[str] = []

    def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port)) for place in places]

    def urlopen(pool: HTTPSConnectionPool, *_: object, **__: object) -> None:
        made.append(f"{pool.host} as {pool.conn_kw['server_hostname']}, {pool.assert_hostname}")
        raise OSError("No further.")

    with monkeypatch.context() as patch:
        patch.setattr(webhook.socket, "getaddrinfo", lookup)
        patch.setattr(HTTPSConnectionPool, "urlopen", urlopen)
        yield made


@pytest.mark.parametrize("places", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"]])
def test_a_name_that_leads_inside_is_refused_before_anything_is_connected(
    monkeypatch, places: list[str]
) -> None:
    refused = pytest.raises(NotTaken, match="leads to a place that is not public")
    with names(monkeypatch, *places) as made, refused:
        post("https://questions.example.com/", b"{}", {}, private=False)
    assert made == []


def test_the_connection_goes_to_the_place_that_was_looked_at_and_proves_the_name(
    monkeypatch,
) -> None:
    refused = pytest.raises(NotTaken, match="did not answer")
    with names(monkeypatch, "93.184.216.34") as made, refused:
        post("https://questions.example.com/q", b"{}", {}, private=False)
    assert made == ["93.184.216.34 as questions.example.com, questions.example.com"]


def test_plain_http_leaves_only_in_the_demo(listener) -> None:
    with pytest.raises(NotTaken, match="not https"):
        post(listener.url, b"{}", {}, private=False)
    assert listener.came == []
