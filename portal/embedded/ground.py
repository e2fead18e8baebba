"""What both engines stand on: a private folder, one owner at a time, a port, a password."""

from __future__ import annotations

import fcntl
import os
import random
import secrets
import socket
from datetime import timedelta
from pathlib import Path
from typing import IO

LOOPBACK = "127.0.0.1"
#: How long an engine may take to stop before it is killed.
GRACE = timedelta(seconds=4)
#: Below the range from which systems lend ports to outgoing connections (Linux: 32768,
#: macOS: 49152), so that nobody is lent ours while an engine restarts.
PORTS = range(20000, 32000)


class EngineError(Exception):
    """An embedded engine cannot run; the message says why and what to do."""


def private_folder(folder: Path) -> Path:
    """Return FOLDER resolved, made for our eyes only if it was not there.

    One that is there keeps its permissions: it may be a folder others use too.
    """
    folder = folder.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise EngineError(
            f"{folder} cannot be used ({error.strerror}). Set DATA_DIR to a folder of your own."
        ) from error
    return folder


def own(folder: Path) -> IO[bytes]:
    """Return the open lock file of FOLDER; closing it, or dying, gives the folder free."""
    lock = (folder / "engines.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise EngineError(
            f"{folder} is in use by another run. Stop that one, or set DATA_DIR to another folder."
        ) from None
    return lock


def free_port() -> int:
    """A loopback port nobody listens on now."""
    for port in random.sample(PORTS, 200):
        if port_is_free(port):
            return port
    raise EngineError(f"No free port was found between {PORTS.start} and {PORTS.stop}.")


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections of an earlier run that linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def kept_password(path: Path) -> str:
    """The password in PATH, made up and written there (0600) the first time."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text(encoding="ascii").strip()


def write_private(path: Path, text: str) -> None:
    """Put TEXT into PATH all at once, readable by nobody else."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    new.replace(path)
