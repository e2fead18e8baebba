"""Rows and the questions asked of them. One file per row kind."""

from approvals.models.assignment import Assignment
from approvals.models.audit import AuditEvent
from approvals.models.change import ChangeEvent
from approvals.models.checkpoint import AuditCheckpoint
from approvals.models.circuit import Circuit
from approvals.models.comment import Comment, QuestionDelivery
from approvals.models.decision import Decision
from approvals.models.delivery import CallbackDelivery
from approvals.models.execution import Execution
from approvals.models.heartbeat import Heartbeat
from approvals.models.held import HeldAnswer
from approvals.models.history import CallbackCheck, ExecutionHistory
from approvals.models.kind import RequestKind
from approvals.models.notice import Notice
from approvals.models.opening import Opening
from approvals.models.request import ApprovalRequest
from approvals.models.requirement import KindRequirement, Requirement
from approvals.models.saved_view import SavedView
from approvals.models.search_text import SearchText
from approvals.models.session import Session
from approvals.models.source import CallbackSource, SourceKey, SourceSecret
from approvals.models.source_role import SourceRole
from approvals.models.sweep import SweepMark
from approvals.models.tally import Tally
from approvals.models.token import PersonalToken
from approvals.models.user import User

__all__ = [
    "ApprovalRequest",
    "Assignment",
    "AuditCheckpoint",
    "AuditEvent",
    "CallbackCheck",
    "CallbackDelivery",
    "CallbackSource",
    "ChangeEvent",
    "Circuit",
    "Comment",
    "Decision",
    "Execution",
    "ExecutionHistory",
    "Heartbeat",
    "HeldAnswer",
    "KindRequirement",
    "Notice",
    "Opening",
    "PersonalToken",
    "QuestionDelivery",
    "RequestKind",
    "Requirement",
    "SavedView",
    "SearchText",
    "Session",
    "SourceKey",
    "SourceRole",
    "SourceSecret",
    "SweepMark",
    "Tally",
    "User",
]
