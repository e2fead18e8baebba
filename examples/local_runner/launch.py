"""What both launchers share: dummy AWS settings, and an end that never hangs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from threading import Timer
from types import FrameType
from typing import NoReturn

DEFAULT_REGION = "us-east-1"
LISTEN_BACKLOG = 128  # connections; the default of 5 resets callers under load
STOP_GRACE_SECONDS = 3.0


def use_local_aws(region: str, *, lambda_endpoint: str | None = None) -> None:
    """Point every AWS client of this process at this machine, whatever the user has set up.

    The keys are dummies: the local runner checks no signature.
    """
    os.environ.update(
        AWS_REGION=region,
        AWS_DEFAULT_REGION=region,
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",  # nosec B106
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    )
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_LAMBDA"):
        os.environ.pop(name, None)
    if lambda_endpoint:
        os.environ["AWS_ENDPOINT_URL_LAMBDA"] = lambda_endpoint


def serve_until_signalled(serve: Callable[[], None], stop: Callable[[], None]) -> NoReturn:
    """Run SERVE until SIGINT or SIGTERM, then STOP, then leave with status 0.

    Leaves without joining threads: an invocation that hangs would keep the process for
    minutes. One cut short is invoked again by the runner, if that lives on.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # explicit: a shell's `&` starts with SIGINT ignored
    try:
        serve()
    except KeyboardInterrupt:
        _ignore_further_signals()
    guard = Timer(STOP_GRACE_SECONDS, os._exit, args=(0,))
    guard.daemon = True
    guard.start()
    stop()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _ignore_further_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
