"""Tests of the client; it is imported by the name under which a function bundles it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "client"))
