"""What /metrics tells, read from the database at each scrape: any web process can answer."""

from approvals.operations.metrics.page import TookTooLong, exposition

__all__ = ["TookTooLong", "exposition"]
