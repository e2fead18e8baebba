"""A scripted mail server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from approvals.notices import mail


class Server:
    """Takes mails; before each it does what it is told in WHILE_SENDING."""

    def __init__(self) -> None:
        self.taken: list[EmailMultiAlternatives] = []
        self.opened = 0
        self.closed = 0
        self.on_open: Callable[[], None] = lambda: None
        self.while_sending: Callable[[EmailMultiAlternatives], None] = lambda message: None

    def open(self) -> None:
        self.on_open()
        self.opened += 1

    def close(self) -> None:
        self.closed += 1

    def send_messages(self, messages: list[EmailMultiAlternatives]) -> int:
        for message in messages:
            message.message()  # the bytes must be possible
            self.while_sending(message)
            self.taken.append(message)
        return len(messages)

    def recipients(self) -> list[str]:
        return sorted(message.to[0] for message in self.taken)


@pytest.fixture
def server(monkeypatch: Any) -> Server:
    server = Server()
    monkeypatch.setattr(mail, "get_connection", lambda: server)
    return server
