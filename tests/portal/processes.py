"""Looking at processes that are not our children."""

from __future__ import annotations

import subprocess
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether PID runs; a zombie, at which nobody has looked yet, does not."""
    if Path("/proc/self/stat").exists():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    ps = ["ps", "-p", str(pid), "-o", "stat="]
    shown = subprocess.run(ps, capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] not in ("", "Z")
