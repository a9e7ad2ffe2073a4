"""The programs of each side, and folders in which the two sides are mixed."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pyfix.install.launchers import COMMANDS, DAEMONS, LaunchTarget, write_launchers

from .measured import measure_launchers
from .reference import reference

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPTS = ("postfix-script", "post-install", "postfix-wrapper", "postfix-tls-script", "postmulti-script")
"""What the reference's own ``postfix`` command runs from daemon_directory."""


class ProgramsMissing(Exception):
    """One side's programs can't run on this machine; the text says why."""


def daemon_directory(kind: str) -> Path:
    """Return the folder with the daemons of one side."""
    return _pyfix_programs() / "libexec" if kind == "pyfix" else reference(kind).daemon_directory


def command_directory(kind: str) -> Path:
    """Return the folder with the commands of one side."""
    return _pyfix_programs() / "bin" if kind == "pyfix" else reference(kind).command_directory


def settings(kind: str) -> dict[str, str]:
    """Return the main.cf parameters that name the programs of one side."""
    if kind != "pyfix":
        return reference(kind).settings()
    commands = command_directory(kind)
    return {
        "daemon_directory": str(daemon_directory(kind)),
        "command_directory": str(commands),
        "sendmail_path": str(commands / "sendmail"),
        "mailq_path": str(commands / "mailq"),
        "newaliases_path": str(commands / "newaliases"),
    }


def hasty(kind: str) -> dict[str, str]:
    """Return what to add to the environment of a command of one side, so that it ends at once when it ends fatally."""
    return {} if kind == "pyfix" else {"LD_PRELOAD": str(_nosleep())}


@cache
def _nosleep() -> Path:
    """Compile and return the library that does it.  Raises ProgramsMissing where there is no compiler."""
    folder = Path(tempfile.mkdtemp(prefix="pyfix-programs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    library = folder / "nosleep.so"
    source = Path(__file__).with_name("nosleep.c")
    argv: list[str | Path] = ["gcc", "-shared", "-fPIC", "-nostdlib", "-o", library, source]
    try:
        subprocess.run(argv, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        raise ProgramsMissing(f"gcc can't compile nosleep.c: {problem}") from None
    return library


def mix(folder: Path, kind: str, replace: Mapping[str, str]) -> dict[str, str]:
    """Lay out ``daemons`` and ``commands`` below *folder*: those of *kind*, but those of *replace* from another side.

    Returns the main.cf parameters that name them.  Raises KeyError for a program that the other side does not have.
    """
    made = settings(kind)
    for name, known in (("daemon", daemon_directory), ("command", command_directory)):
        target = folder / f"{name}s"
        target.mkdir()
        own = known(kind)
        for program in own.iterdir():
            if program.is_file():
                (target / program.name).symlink_to(program)
        for program_name, side in replace.items():
            other = known(side) / program_name
            if other.exists():
                (target / program_name).unlink(missing_ok=True)
                (target / program_name).symlink_to(other)
        made[f"{name}_directory"] = str(target)
    if replace.get("postfix", kind) != "pyfix":
        scripts = daemon_directory(replace.get("postfix", kind))
        for script in SCRIPTS:
            if not (folder / "daemons" / script).exists() and (scripts / script).exists():
                (folder / "daemons" / script).symlink_to(scripts / script)
    for name, side in replace.items():
        if not any((known(side) / name).exists() for known in (daemon_directory, command_directory)):
            raise KeyError(f"{side} has no program {name}")
    return made


@cache
def _pyfix_programs() -> Path:
    """Write launchers of the checkout's daemons and commands, for this interpreter, and return the folder.

    The daemons give up root's rights, so the interpreter and the packages must be readable by everyone.
    """
    python = everyones_interpreter()
    folders = (CHECKOUT, Path(sysconfig.get_paths()["purelib"]))
    for path in folders:
        if not readable_by_everyone(path):
            raise ProgramsMissing(f"{path} can't be read by the users that daemons run as")
    folder = Path(tempfile.mkdtemp(prefix="pyfix-programs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    target = LaunchTarget(python, folders)
    write_launchers("daemon", folder / "libexec", DAEMONS, target)
    write_launchers("command", folder / "bin", COMMANDS, target)
    for name in ("libexec", "bin"):
        measure_launchers(folder / name)
    return folder


@cache
def everyones_interpreter() -> Path:
    """Return an interpreter of this version that users other than root can run: this one, else the system's.

    Raises ProgramsMissing when there is none.
    """
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/local/bin/{name}", f"/usr/bin/{name}"):
        path = Path(candidate)
        if not path.exists() or not readable_by_everyone(path.resolve()):
            continue
        probe = [candidate, "-ISc", "import os, sys; print(os.__file__, sys.version_info[:2])"]
        done = subprocess.run(probe, capture_output=True, text=True, check=False)
        library, _, version = done.stdout.strip().partition(" ")
        if done.returncode == 0 and version == str(sys.version_info[:2]) and readable_by_everyone(Path(library)):
            return path
    raise ProgramsMissing(f"no {name} that users other than root can run (this one is {sys.executable})")


def readable_by_everyone(path: Path) -> bool:
    """Tell whether each folder on the way to *path* and itself may be read by everyone."""
    path = path.absolute()
    walkable = all(parent.stat().st_mode & 0o001 for parent in path.parents)
    mode = path.stat().st_mode
    return walkable and bool(mode & 0o004) and (not path.is_dir() or bool(mode & 0o001))
