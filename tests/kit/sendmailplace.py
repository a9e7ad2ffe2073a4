"""The place where programs look for sendmail: /usr/sbin as they see it has one, which is that of the instance at hand.

    with Instance("pyfix", mounts=sendmail_place()) as mta:
        run_client(mta, ["mutt", "-s", "hello", "user@ours.example"], input=b"hi\n")

The machine's own /usr/sbin stays as it is: only the mail system and the programs that ``run_client`` runs see the other,
in mount namespaces.  Which sendmail it is, is said by the main.cf that MAIL_CONFIG names.
"""

from __future__ import annotations

import atexit
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from grp import getgrnam
from pathlib import Path

from . import guardian, programs, requirements
from .instance import Instance

_PLACE = Path("/usr/sbin")
_NAMES = ("sendmail", "mailq", "newaliases")
_LAUNCHER = """#!/bin/sh
program=$(sed -n "s/^{name}_path = //p" "$MAIL_CONFIG/main.cf")
exec "$program" "$@"
"""


@cache
def sendmail_place() -> dict[str, str]:
    """Return the *mounts* of an instance whose programs find sendmail in /usr/sbin."""
    requirements.need_root()
    folder = Path(tempfile.mkdtemp(prefix="pyfix-sbin-"))
    guardian.watch(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    before, after = folder / "before", folder / "after"
    before.mkdir()
    after.mkdir()
    for program in _PLACE.iterdir():
        if program.name not in _NAMES:
            target = program.resolve()
            (after / program.name).symlink_to(before / target.name if target.parent == _PLACE else target)
    for name in _NAMES:
        (after / name).write_text(_LAUNCHER.format(name=name))
        (after / name).chmod(0o755)
    return {str(before): str(_PLACE), str(_PLACE): str(after)}


def let_users_submit(mta: Instance) -> None:
    """Make postdrop's group that of the accounts, too: what its set-gid bit gives elsewhere.

    As set-gid programs do, a postdrop that has this bit looks at MAIL_CONFIG only for those who have the group anyway.
    """
    group = getgrnam("postdrop").gr_gid
    passwd = mta.directory / "passwd"
    # In place: what is mounted is this very file.
    passwd.write_text(re.sub(r"(?m)^(\w+:x:42\d\d\d):\d+:", rf"\1:{group}:", passwd.read_text()))


def run_client(
    mta: Instance,
    argv: Sequence[str | Path],
    *,
    input: bytes = b"",
    user: int | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program of the machine, which sees what the mail system sees, as *user* (an id; default: root)
    in postdrop's group.

    Skips the test (in CI: fails it) when there is no such program.
    """
    if Path(argv[0]).parent != _PLACE and shutil.which(argv[0]) is None:
        requirements.missing(f"the program {argv[0]} is not installed")
    identity = [] if user is None else ["setpriv", f"--reuid={user}", "--regid=postdrop", "--clear-groups"]
    return subprocess.run(
        [*mta.namespace(), *identity, *argv],
        input=input,
        env={**mta.environment, **programs.hasty(mta.kind), **(environment or {})},
        cwd=directory or "/",
        capture_output=True,
        timeout=60,
        check=False,
    )
