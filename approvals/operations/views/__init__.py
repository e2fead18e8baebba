"""Pages and answers of the operations door."""

from approvals.operations.views.callbacks import callbacks
from approvals.operations.views.deliveries import deliveries, redrive
from approvals.operations.views.health import alive, ready
from approvals.operations.views.metrics import metrics
from approvals.operations.views.redrives import redrive_many
from approvals.operations.views.requests import force, operate, reassign, take_back

__all__ = [
    "alive",
    "callbacks",
    "deliveries",
    "force",
    "metrics",
    "operate",
    "ready",
    "reassign",
    "redrive",
    "redrive_many",
    "take_back",
]
