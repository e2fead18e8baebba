"""What must hold after any storm, asked of the database, the record, and the crowd.

Each check returns a sentence for each case in which it does not hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.chaos.crowd import Heard, Vote
from tests.chaos.record import Call, Record

#: A beat claimed just before the answer was settled may be on its way for this long:
#: a sweep's budget and one exchange (callbacks/lanes.py), or a worker that was frozen.
LAST_BEAT_WITHIN = timedelta(seconds=30)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known after a storm.

    POSTED, OPENED: callbacks by what their functions did, and by public id what they were
    told. LEASE: how long one attempt owns a delivery. PATIENCE: how long it waits for AWS.
    SILENCE: the heartbeat timeout of all, where AWS hears each beat that is sent.
    """

    rows: list[Row]
    record: Record
    posted: set[str]
    opened: dict[str, str]
    votes: list[Vote]
    heard: list[Heard]
    lease: timedelta
    patience: timedelta
    silence: timedelta | None = None


def violations(facts: Evidence) -> list[str]:
    checks = (
        _answers_are_equal,
        _nothing_waits,
        _no_verdict_is_contradicted,
        _delivered_is_final,
        _one_attempt_at_a_time,
        _attempts_were_written_down,
        _beats_end,
        _hearts_are_heard,
        _posts_are_kept,
        _votes_are_kept,
        _states_follow_decisions,
        _failures_are_honest,
    )
    return [f"{check.__name__[1:]}: {told}" for check in checks for told in check(facts)]


def _answers_are_equal(facts: Evidence) -> Iterator[str]:
    """Every effect at AWS is that of one decided request, in verb and bytes, once."""
    rows = {row["callback"]: row for row in facts.rows}
    for callback, calls in facts.record.answers.items():
        delivery = (rows.get(callback) or {}).get("delivery")
        if delivery is None:
            yield f"callback {callback[:8]} was answered though nobody decided"
            continue
        if {(call.verb, call.body) for call in calls} != {(delivery["verb"], delivery["body"])}:
            yield f"callback {callback[:8]} was sent other words than the portal owed"
        if sum(call.effect for call in calls) > 1:
            yield f"callback {callback[:8]} was answered with effect twice"


def _nothing_waits(facts: Evidence) -> Iterator[str]:
    for row in facts.rows:
        if row["state"] == "pending":
            yield f"request {row['id']} is still pending"
        delivery = row["delivery"]
        if delivery and delivery["state"] == "pending":
            yield f"request {row['id']}: its answer is still owed, after {delivery['attempts']}"
        if row["state"] in {"approved", "rejected"} and not delivery:
            yield f"request {row['id']} is {row['state']} and owes no answer"


def _no_verdict_is_contradicted(facts: Evidence) -> Iterator[str]:
    """Delivered means that our call took effect; undeliverable, that none did."""
    answers = facts.record.answers
    for row in _delivered_rows(facts):
        state = row["delivery"]["state"]
        ours = any(call.effect for call in answers.get(row["callback"], ()))
        if state == "delivered" and not ours:
            yield f"request {row['id']} counts as delivered and AWS never took it"
        if state == "undeliverable" and ours:
            yield f"request {row['id']} counts as undeliverable and AWS took it"
        if state == "undeliverable" and row["callback"] not in facts.record.closed_elsewhere:
            yield f"request {row['id']} counts as undeliverable and AWS waited"
        if state == "unconfirmed":  # the history could be read
            yield f"request {row['id']} stayed unconfirmed, ours={ours}"


def _delivered_is_final(facts: Evidence) -> Iterator[str]:
    for row in facts.rows:
        tags = [tag for tag in row["lines"] if tag.startswith("delivery.")]
        if "delivery.delivered" in tags[:-1]:
            yield f"request {row['id']} was delivered, and its history went on: {tags[-1]}"


def _one_attempt_at_a_time(facts: Evidence) -> Iterator[str]:
    """While an attempt is under way and its lease lasts, there is no second."""
    lease = facts.lease.total_seconds() * 0.95  # claimed a moment before it arrived
    for callback, calls in facts.record.answers.items():
        for earlier, later in pairwise(calls):
            # On a busy machine a call is taken down late, and noticed late to be given up.
            over = min(earlier.done, earlier.at + facts.patience.total_seconds() / 2)
            if later.at < over and later.at < earlier.at + lease:
                yield f"callback {callback[:8]} had two attempts under way at once"


def _attempts_were_written_down(facts: Evidence) -> Iterator[str]:
    answers = facts.record.answers
    for row in _delivered_rows(facts):
        sent, written = len(answers.get(row["callback"], ())), row["delivery"]["attempts"]
        if sent > written:
            yield f"request {row['id']}: {sent} attempts reached AWS, {written} were written"


def _beats_end(facts: Evidence) -> Iterator[str]:
    """Counted from when the portal knew: an answer that was lost on the way is known late."""
    beats = facts.record.beats
    for row in _delivered_rows(facts):
        if row["delivery"]["state"] != "delivered":
            continue
        if row["beats_on"]:
            yield f"request {row['id']} is delivered and its heart still beats"
        last = row["delivery"]["told_at"] + LAST_BEAT_WITHIN.total_seconds()
        if any(call.at > last for call in beats.get(row["callback"], ())):
            yield f"request {row['id']} beat long after its answer was known to be taken"


def _hearts_are_heard(facts: Evidence) -> Iterator[str]:
    """AWS lets a callback time out once it has heard no beat for so long."""
    if facts.silence is None:
        return
    for public_id, longest in silences(facts.rows, facts.record).items():
        if longest > facts.silence.total_seconds():
            yield f"request {public_id} was silent for {longest:.0f} s"


def silences(rows: list[Row], record: Record) -> dict[str, float]:
    """By public id: the longest, in seconds, that AWS heard nothing of it while it was open."""
    answers, beats = record.answers, record.beats
    found = {}
    for row in rows:
        callback = row["callback"]
        closed = [call.at for call in answers.get(callback, ()) if call.effect]
        closed += [at for _, at in filter(None, [record.closed_elsewhere.get(callback)])]
        end = min(closed, default=row["received_at"])  # not closed is another check's affair
        taken = (call.at for call in beats.get(callback, ()) if call.status == 200)
        heard = [row["received_at"], *(at for at in taken if at < end), end]
        found[row["id"]] = max(after - before for before, after in pairwise(heard))
    return found


def _posts_are_kept(facts: Evidence) -> Iterator[str]:
    """Whatever got a 2xx is there, once; whatever is there was posted; none is half there."""
    by_id = {row["id"]: row for row in facts.rows}
    for public_id, callback in facts.opened.items():
        if (by_id.get(public_id) or {}).get("callback") != callback:
            yield f"request {public_id} was told to be open and is not there"
    for row in facts.rows:
        if row["callback"] not in facts.posted:
            yield f"request {row['id']} was never posted"
        if row["lines"][:1] != ["request.received"]:
            yield f"request {row['id']} has no first line of history"
    for callback, number in Counter(row["callback"] for row in facts.rows).items():
        if number > 1:
            yield f"callback {callback[:8]} has {number} requests"


def _votes_are_kept(facts: Evidence) -> Iterator[str]:
    """Every 200 is a decision in the database, and every decision was somebody's word."""
    written = {row["id"]: {(who, word) for who, word, _ in row["decisions"]} for row in facts.rows}
    said: dict[str, set[tuple[str, str]]] = {}
    for vote in facts.votes:
        said.setdefault(vote.request, set()).add((vote.person, vote.verdict))
        taken = (vote.person, vote.verdict) in written.get(vote.request, set())
        if vote.heard.status == 200 and not taken:
            yield f"request {vote.request}: {vote.person} was told 200 and has no decision"
    for row in facts.rows:
        for who, word, cause in row["decisions"]:
            if cause == "person" and (who, word) not in said.get(row["id"], set()):
                yield f"request {row['id']}: {who} never said {word}"


def _states_follow_decisions(facts: Evidence) -> Iterator[str]:
    for row in facts.rows:
        words = [word for _, word, cause in row["decisions"] if cause == "person"]
        no, yes = words.count("rejected"), words.count("approved")
        due = "rejected" if no else "approved" if yes >= row["required"] else "open"
        if row["state"] in {"approved", "rejected"} and (row["state"] != due or no > 1):
            yield f"request {row['id']} is {row['state']} by {yes} for and {no} against"
        if row["state"] == "pending" and due != "open":
            yield f"request {row['id']} waits, though {yes} for and {no} against decide it"
        for tag in ("request.approved", "request.rejected"):
            if (tag in row["lines"]) != (tag == f"request.{row['state']}"):
                yield f"request {row['id']} is {row['state']}; its history says otherwise"


def _failures_are_honest(facts: Evidence) -> Iterator[str]:
    """A server may be gone, or say 503; what it must not be is surprised."""
    surprised = Counter((h.what, h.status) for h in facts.heard if _is_surprise(h))
    for (what, status), number in surprised.items():
        yield f"{what} was answered {status}, {number} times"


def _is_surprise(heard: Heard) -> bool:
    return heard.status not in {0, 200, 201, 409, 503}


def _delivered_rows(facts: Evidence) -> Iterable[Row]:
    return (row for row in facts.rows if row["delivery"])


def effects(record: Record) -> dict[str, Call]:
    """The call that closed each callback."""
    return {name: call for name, calls in record.answers.items() for call in calls if call.effect}
