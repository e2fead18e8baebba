"""PostgreSQL refuses to run as root. These prefixes make it somebody else.

For a folder of root's: a user namespace in which root is user 1000. Nothing changes
owner, and folders above that only root may enter stay as they are. Where namespaces
are not allowed, as in many containers, the folder is given to an unprivileged user, who
keeps one capability, to pass folders (DAC_OVERRIDE), and loses all others.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from portal.embedded.ground import EngineError

NOBODY = 65534
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")


def unprivileged(folder: Path, program: Path) -> tuple[str, ...]:
    """The words to put before PROGRAM so that it runs in FOLDER and not as root."""
    if os.geteuid() != 0:
        return ()
    owner = folder.stat().st_uid
    if owner == 0 and _works(NAMESPACE, folder, program):
        return NAMESPACE
    prefix = _as_user(owner or NOBODY)
    if not _works(prefix, folder, program):
        raise EngineError(
            "PostgreSQL does not run as root, and this system allows neither user"
            " namespaces nor changing the user. Run this as an ordinary user,"
            " or set DATABASE_URL to a PostgreSQL server."
        )
    _give(folder, owner or NOBODY)
    return prefix


def _as_user(uid: int) -> tuple[str, ...]:
    # Changing user forgets the parent-death signal, so setpriv asks for it again.
    return (
        "setpriv",
        f"--reuid={uid}",
        f"--regid={uid}",
        "--clear-groups",
        "--inh-caps=-all,+dac_override",
        "--ambient-caps=+dac_override",
        "--bounding-set=-all,+dac_override",
        "--pdeathsig=INT",
        "--",
    )


def _works(prefix: tuple[str, ...], folder: Path, program: Path) -> bool:
    """Whether PREFIX can enter FOLDER and run PROGRAM."""
    try:
        done = subprocess.run(
            [*prefix, "sh", "-c", 'cd "$1" && "$2" --version', "sh", str(folder), str(program)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:  # no such prefix here
        return False
    return done.returncode == 0


def _give(folder: Path, uid: int) -> None:
    if folder.stat().st_uid == uid:
        return
    for parent, _, files in os.walk(folder):
        os.chown(parent, uid, uid)
        for name in files:
            os.lchown(Path(parent, name), uid, uid)
