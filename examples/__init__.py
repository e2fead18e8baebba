"""Durable functions that ask people through Countersign, and what runs them locally."""
