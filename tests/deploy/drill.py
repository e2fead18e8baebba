"""What the restore drill asks of a portal, each in a process of its own.

    python -m tests.deploy.drill write NAME    # open and decide until it is killed
    python -m tests.deploy.drill decide        # decide whatever waits
    python -m tests.deploy.drill sweep         # deliver what is owed, beat what is due
    python -m tests.deploy.drill seal          # write a checkpoint over all histories

`write` decides two of three requests, and names each once it is committed.
"""

from __future__ import annotations

import base64
import itertools
import sys
import time
import uuid

import django

django.setup()

from approvals import ledger, lifecycle  # noqa: E402  models need the set-up above
from approvals.callbacks import delivery, heartbeats  # noqa: E402
from approvals.callbacks.aws import LambdaGateway  # noqa: E402
from approvals.clock import database_now  # noqa: E402
from approvals.models import ApprovalRequest, CallbackSource, User  # noqa: E402
from approvals.states import Channel, RequestState, Verdict  # noqa: E402
from tests.factories import make_request, make_source, make_user  # noqa: E402

REVIEWER = "rita"
#: Of each writer, so that a dump takes in some hundreds of rows and not thousands.
PAUSE_SECONDS = 0.05


def write(name: str) -> None:
    rita, source = _reviewer(), make_source(name)
    for number in itertools.count(1):
        request = _opened(rita, source)
        if number % 3:
            _decide(request, rita)
            sys.stdout.write(f"{request.public_id}\n")
            sys.stdout.flush()
        time.sleep(PAUSE_SECONDS)


def decide() -> None:
    rita = _reviewer()
    for request in ApprovalRequest.objects.filter(state=RequestState.PENDING):
        _decide(request, rita)


def sweep() -> None:
    while delivery.deliver_due(LambdaGateway()):
        pass
    heartbeats.beat_due(LambdaGateway())


def seal() -> None:
    while not ledger.seal_due(now=database_now()):
        pass


def _reviewer() -> User:
    return User.objects.filter(username=REVIEWER).first() or make_user(REVIEWER)


def _opened(rita: User, source: CallbackSource) -> ApprovalRequest:
    callback_id = base64.b64encode(uuid.uuid4().bytes).decode()
    return make_request(
        rita,
        source=source,
        callback_id=callback_id,
        timeout_seconds=3600,
        heartbeat_timeout_seconds=600,
    )


def _decide(request: ApprovalRequest, rita: User) -> None:
    lifecycle.decide(
        request.pk, verdict=Verdict.APPROVED, reviewer=rita, channel=Channel.API, comment="Checked."
    )


if __name__ == "__main__":
    {"write": write, "decide": decide, "sweep": sweep, "seal": seal}[sys.argv[1]](*sys.argv[2:])
