"""What a source asks for, once every field of it is valid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from approvals.canonical import with_tokens
from approvals.lifecycle.edits import value_at
from approvals.models import RequestKind
from approvals.policy import Wanting
from approvals.states import OnReject, OnTimeout

#: Seconds. Beats are swept every second, three to a timeout.
SHORTEST_HEARTBEAT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """What a source asks for, valid field by field (intake.schemas).

    None and empty mean "as the kind, then the source, says". Durations are seconds.
    """

    callback_id: str
    title: str
    content_sha256: str  # over the canonical JSON of all fields
    payload_text: str  # canonical JSON, the sender's number tokens kept
    payload_sha256: str
    kind: str = "generic"
    summary: str = ""
    links: Sequence[Mapping[str, Any]] = ()
    risk: Mapping[str, Any] | None = None
    checks: Sequence[Mapping[str, Any]] = ()
    effects: Sequence[Mapping[str, Any]] = ()
    users: Sequence[str] = ()
    groups: Sequence[str] = ()
    wanting: Wanting = field(default_factory=Wanting)
    required_approvals: int | None = None
    requirements: Sequence[Mapping[str, Any]] = ()  # {"group": name, "approvals": n}
    timeout_seconds: int = 0
    heartbeat_timeout_seconds: int = 0
    due_in_seconds: int | None = None
    escalate_in_seconds: int | None = None
    execution_arn: str = ""
    response_schema: Mapping[str, Any] | None = None
    editable: Sequence[str] = ()
    if_approved: str = ""
    if_rejected: str = ""
    if_nobody: str = ""
    on_reject: OnReject | None = None
    on_timeout: OnTimeout | None = None
    approve_with: str | None = None
    reject_with: str | None = None
    subject: str = ""

    def warnings(self, kind: RequestKind) -> list[str]:
        """What is accepted and yet not what its sender may expect, in sentences."""
        timeout, silence = self.timeout_seconds, self.heartbeat_timeout_seconds
        said = {
            "No timeout_seconds: this request waits until somebody decides. Set the same "
            "timeout as in CallbackConfig.": not (timeout or kind.timeout_seconds),
            "heartbeat_timeout_seconds is longer than timeout_seconds: it never acts.": (
                0 < timeout < silence
            ),
            f"heartbeat_timeout_seconds below {SHORTEST_HEARTBEAT} leaves no room for a late "
            "beat.": 0 < silence < SHORTEST_HEARTBEAT,
            "escalate_in_seconds is written down; nobody else is asked yet.": (
                self.escalate_in_seconds
            ),
            "approve_with is sent word for word: the function would not hear of edits, so "
            "nothing is editable.": self.editable and self.approve_with is not None,
            "editable names a value that is null: it has no type, and cannot be edited.": (
                self._editable_nulls
            ),
        }
        return [sentence for sentence, applies in said.items() if applies]

    @property
    def _editable_nulls(self) -> list[str]:
        payload = with_tokens(self.payload_text) if self.editable else {}
        return [pointer for pointer in self.editable if value_at(payload, pointer) is None]
