"""Pages and answers of the operations door."""

from approvals.operations.views.callbacks import callbacks
from approvals.operations.views.deliveries import deliveries, redrive
from approvals.operations.views.health import alive, ready

__all__ = ["alive", "callbacks", "deliveries", "ready", "redrive"]
