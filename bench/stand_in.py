"""A callback API that costs next to nothing: python -m bench.stand_in PORT

It takes every call, keeps connections, and notes when which callback was beaten for. Its
own process, so that its CPU counts with nobody. `POST /delay/30` makes it answer after
30 ms from then on; `GET /arrivals` tells what came since it was last asked.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict

from bench.messages import HOST

#: Digits at the start of a callback ID (bench/herd.py): which one it is.
NUMBER_DIGITS = 9
_BEAT = b"/durable-execution-callbacks/"


class Records:
    """What came: for each callback the times, in seconds since the epoch."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.arrivals: defaultdict[int, list[float]] = defaultdict(list)

    def answer(self, path: bytes) -> tuple[bytes, float]:
        """The body for a request of PATH, and after how many seconds it is sent."""
        at = path.find(_BEAT)
        if at >= 0:
            number = path[at + len(_BEAT) :][:NUMBER_DIGITS]
            self.arrivals[int(number) if number.isdigit() else -1].append(time.time())
            return b"{}", self.delay
        if path.startswith(b"/delay/"):
            self.delay = int(path.removeprefix(b"/delay/")) / 1000
        if path == b"/arrivals":
            told, self.arrivals = self.arrivals, defaultdict(list)
            return json.dumps(told).encode(), 0.0
        return b'{"Status": "RUNNING"}', 0.0  # of an execution that somebody looks at


class Line(asyncio.Protocol):
    """One kept-alive connection; requests come one after the other."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        length = _length(head)
        if not end or len(rest) < length:
            return
        self._buffer = rest[length:]
        body, delay = self._records.answer(head.split(b" ", 2)[1])
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._transport.write, whole)
        else:
            self._transport.write(whole)


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def serve(port: int) -> None:
    records = Records()
    server = await asyncio.get_running_loop().create_server(lambda: Line(records), HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
