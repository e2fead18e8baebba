"""Wiring: settings, URLs, the web and worker entrances. No logic of approvals."""
