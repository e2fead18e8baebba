"""PostgreSQL refuses to run as root, and `initdb` as a user without a name.

The prefixes here make it somebody it accepts. First choice is a user namespace, in
which we are an unprivileged user with a name: nothing changes owner, and folders above
that only we may enter stay as they are. Where namespaces are not allowed, as in many
containers, root gives the folder to an unprivileged user, who keeps one capability, to
pass folders (DAC_OVERRIDE), and loses all others.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from portal.embedded.ground import EngineError

#: "nobody" on every Linux that has not changed it.
NOBODY = 65534


def unprivileged(folder: Path, program: Path) -> tuple[str, ...]:
    """The words to put before PROGRAM so that it runs in FOLDER as a user it accepts.

    Raises:
        EngineError: the system allows no way.
    """
    uid = os.geteuid()
    if uid != 0 and _has_name(uid):
        return ()
    owner = folder.stat().st_uid
    prefix = _in_namespace()
    if owner == uid and _works(prefix, folder, program):
        return prefix
    if uid != 0:
        raise EngineError(
            f"PostgreSQL needs a user with a name, and user {uid} has none in /etc/passwd."
            " Run this as another user, or set DATABASE_URL to a PostgreSQL server."
        )
    return _dropped(folder, program, owner or NOBODY)


def _dropped(folder: Path, program: Path, uid: int) -> tuple[str, ...]:
    prefix = _as_user(uid)
    if not _works(prefix, folder, program):
        raise EngineError(
            "PostgreSQL does not run as root, and this system allows neither user"
            " namespaces nor changing the user. Run this as an ordinary user,"
            " or set DATABASE_URL to a PostgreSQL server."
        )
    _give(folder, uid)
    return prefix


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _in_namespace() -> tuple[str, ...]:
    named = [NOBODY] if _has_name(NOBODY) else [user.pw_uid for user in pwd.getpwall()]
    inside = next((uid for uid in named if uid != 0), NOBODY)
    return ("unshare", "--user", f"--map-user={inside}", f"--map-group={inside}", "--")


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
