"""Countersign: callback IDs of durable functions, put before people."""

__version__ = "0.1.0"
