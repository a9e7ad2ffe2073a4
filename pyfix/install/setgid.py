"""Building the small compiled programs that run ``postdrop`` and ``postqueue`` with the rights of setgid_group."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

from pyfix.install.launchers import SET_GID_COMMANDS, LaunchTarget, write_launchers

SOURCE = Path(__file__).with_name("setgid_launcher.c")
_FLAGS = ("-O2", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-fPIE", "-pie", "-Wl,-z,relro,-z,now")


class SetGidUnavailable(Exception):
    """No set-gid launcher can be had; the text says why.  Ordinary users then need a sticky maildrop."""


def build(program: Path, python: Path, script: Path) -> None:
    """Compile the launcher of *script* (run by *python*) into *program*, replacing it in one step; mode 755.

    Raises SetGidUnavailable without a compiler, or when somebody other than root could change what it runs.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SetGidUnavailable("no C compiler (cc or gcc) on this machine")
    for path in (python, python.resolve(), script, script.resolve()):
        if (loose := changeable_part(path)) is not None:
            raise SetGidUnavailable(f"{loose} may be changed by users other than its owner or root")
    new = program.with_name(f".{program.name}.new")
    definitions = (f'-DPYTHON="{python}"', f'-DSCRIPT="{script}"')
    done = subprocess.run(
        [compiler, *_FLAGS, *definitions, "-o", str(new), str(SOURCE)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SetGidUnavailable(f"{compiler} failed: {done.stderr.strip()[:500]}")
    new.chmod(0o755)
    new.replace(program)


def changeable_part(path: Path) -> Path | None:
    """Return the first part of *path*, from its end, that others than its owner may change; None if there is none.

    A folder with the sticky bit does not let others replace what is in it.
    """
    user = os.getuid()
    for part in (path, *path.parents):
        status = part.lstat()
        if stat.S_ISLNK(status.st_mode):
            continue
        shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if (shared and not sticky) or status.st_uid not in {0, user}:
            return part
    return None


def install_commands(commands: Path, scripts: Path, group: int, target: LaunchTarget) -> None:
    """Install the commands of SET_GID_COMMANDS in *commands*, set-gid with *group*; their launchers go to *scripts*.

    Needs root.  Raises SetGidUnavailable; the folder *commands* then is as it was.
    """
    write_launchers("command", scripts, SET_GID_COMMANDS, target)
    for name in SET_GID_COMMANDS:
        build(scripts / f"{name}.program", target.python, scripts / name)
    for name in SET_GID_COMMANDS:
        program = scripts / f"{name}.program"
        give_group(program, group)
        program.replace(commands / name)


def give_group(program: Path, group: int) -> None:
    """Make a built launcher set-gid: group *group*, mode 2755.  Needs root."""
    os.chown(program, -1, group)
    program.chmod(0o2755)
