"""The figures of one storm, in words."""

from __future__ import annotations

from collections import Counter

from bench.figures import percentile
from tests.chaos import faults
from tests.chaos.invariants import effects, silences
from tests.chaos.run import Aftermath

#: What makes the broker's absence felt.
BROKER = frozenset({"no_broker", "freeze_broker", "kill_broker", "flush_broker"})
#: A trouble without a length is felt for so many seconds.
FELT = 2.0
#: Of each kind of violation, so many are told.
EXAMPLES = 3


def figures(after: Aftermath) -> dict[str, str]:
    """Name to figure, in the order in which they are read."""
    rows, record = after.evidence.rows, after.evidence.record
    states = Counter(row["delivery"]["state"] for row in rows if row["delivery"])
    answers = [call for calls in record.answers.values() for call in calls]
    told = Counter(call.fault for call in record.calls if call.fault)
    return {
        "seed": after.seed,
        "storm": f"{after.stormed:.0f} s, quiet {_seconds(after.quiet_after)} later",
        "requests": str(len(rows)),
        "decided": str(sum(1 for row in rows if row["delivery"])),
        "votes heard": _counts(Counter(str(vote.heard.status) for vote in after.evidence.votes)),
        "deliveries": _counts(states),
        "answers sent": f"{len(answers)}, taken {len(effects(record))}",
        "beats sent": str(sum(call.verb == "heartbeat" for call in record.calls)),
        "longest silence": _silence(after),
        "faults": f"{sum(told.values())}: {_counts(told)}",
        "least frequent fault": _least(told) if after.storm.mood == "faults" else "no decks dealt",
        "done to it": _counts(after.deeds),
        "programs started again": str(after.restarts),
        "from SIGTERM to the end": _slowest(after.endings),
        "decision to effect": _latency(after),
        "intake and decide": _spread(_seconds_of(after)),
        "the same, without broker": _spread(_seconds_of(after, during=BROKER)),
        "attempts": _attempts(after),
        "failed requests": _counts(_failed(after)),
        "violations": str(len(after.violations)),
    }


def text(after: Aftermath) -> str:
    """All figures, and the first violations of each kind."""
    lines = [f"{name:<28} {figure}" for name, figure in figures(after).items()]
    for check, told in by_check(after).items():
        lines.append(f"  {check}: {len(told)}")
        lines += [f"    {each}" for each in told[:EXAMPLES]]
    return "\n".join(lines)


def by_check(after: Aftermath) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for told in after.violations:
        check, _, sentence = told.partition(": ")
        found.setdefault(check, []).append(sentence)
    return found


def _latency(after: Aftermath) -> str:
    """From the decision's commit to its effect at AWS."""
    taken = effects(after.evidence.record)
    waits = [
        taken[row["callback"]].at - row["delivery"]["owed_at"]
        for row in after.evidence.rows
        if row["delivery"] and row["callback"] in taken
    ]
    return _spread(waits)


def _silence(after: Aftermath) -> str:
    """The longest that AWS heard nothing of an open callback, beside its heartbeat timeout."""
    if not after.storm.aws_hears:
        return "not judged: AWS was not always there to hear"
    longest = max(silences(after.evidence.rows, after.evidence.record).values(), default=0)
    return f"{longest:.1f} s of {after.storm.heartbeat} s"


def _attempts(after: Aftermath) -> str:
    made = [row["delivery"]["attempts"] for row in after.evidence.rows if row["delivery"]]
    return f"{sum(made) / len(made):.2f} on average, at most {max(made)}" if made else "none"


def _seconds_of(after: Aftermath, during: frozenset[str] | None = None) -> list[float]:
    """How long intakes and decisions took; DURING: only those begun while these lasted."""
    spans = [
        (begin, max(end, begin + FELT))
        for name, begin, end in after.spans
        if during is None or name in during
    ]
    return [
        heard.seconds
        for heard in after.evidence.heard
        if heard.what in {"open", "decide"} and heard.is_final
        if during is None or any(begin <= heard.at <= end for begin, end in spans)
    ]


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    shares = ((f"p{percent}", percentile(seconds, percent)) for percent in (50, 99))
    spread = ", ".join(f"{name} {value:.3f} s" for name, value in shares)
    return f"{spread}, slowest {max(seconds):.2f} s, of {len(seconds)}"


def _slowest(seconds: list[float]) -> str:
    return f"{max(seconds):.1f} s at most, of {len(seconds)}" if seconds else "none ended so"


def _failed(after: Aftermath) -> Counter[str]:
    """Requests without a final answer; one that nobody listened to is no failure."""
    failed = (each for each in after.evidence.heard if not each.is_final and not each.unsent)
    return Counter(f"{each.what} {each.status or 'broken'}" for each in failed)


def _least(told: Counter[str]) -> str:
    return min(f"{told[kind]:>5} {kind}" for kind in faults.ANSWERS).strip()


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counted.items())) or "none"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f} s"
