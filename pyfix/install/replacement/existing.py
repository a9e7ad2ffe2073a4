"""What the Postfix of this machine is: where its programs are, and what it was built with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyfix.config.catalogue import all_parameters
from pyfix.config.snapshot import Snapshot
from pyfix.install.launchers import COMMANDS, DAEMONS, SET_GID_COMMANDS

__all__ = ["Existing", "NoPostfix", "Program", "is_ours"]

_BUILT_IN = (
    "command_directory",
    "config_directory",
    "daemon_directory",
    "data_directory",
    "default_database_type",
    "html_directory",
    "mail_owner",
    "mailq_path",
    "manpage_directory",
    "meta_directory",
    "newaliases_path",
    "openssl_path",
    "queue_directory",
    "readme_directory",
    "sample_directory",
    "sendmail_path",
    "setgid_group",
    "shlib_directory",
)
"""Parameters whose defaults a distribution chooses when it builds Postfix."""

_OF_SENDMAIL = {"sendmail": "sendmail_path", "mailq": "mailq_path", "newaliases": "newaliases_path"}
_LARGEST_LAUNCHER = 1 << 16
_OTHER_DAEMONS = ("nqmgr",)
"""Further names of daemons, replaced where they are."""


class NoPostfix(Exception):
    """There is no Postfix to take the place of; the text says why."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program to be replaced: *name* of ``command`` or ``daemon`` (*kind*), at *path*."""

    path: Path
    kind: str
    name: str
    present: bool
    """Whether the Postfix of this machine has it; its older versions lack some."""

    @property
    def taken(self) -> bool:
        """Whether ours is there."""
        return self.path.exists() and is_ours(self.path)

    @property
    def set_gid(self) -> bool:
        """Whether ordinary users run it with the rights of setgid_group."""
        return self.kind == "command" and self.name in SET_GID_COMMANDS


@dataclass(frozen=True, slots=True)
class Existing:
    """The Postfix of this machine."""

    values: Mapping[str, str]
    """What its main.cf makes of the parameters that say where things are."""
    defaults: Mapping[str, str]
    """Its built-in defaults, where they are not ours."""

    @classmethod
    def find(cls, postconf: Path) -> Existing:
        """Ask *postconf*, the real one.  Raises NoPostfix."""
        if not postconf.exists():
            raise NoPostfix(f"there is no {postconf}: is Postfix installed?")
        if is_ours(postconf):
            raise NoPostfix(f"{postconf} is pyfix's already, and nothing is known of how it came there")
        ours = all_parameters()
        built_in = _ask(postconf, "-d", *_BUILT_IN)
        snapshot = Snapshot({})
        defaults = {name: text for name, text in built_in.items() if text != ours[name].default_text(snapshot)}
        return cls(_ask(postconf, "-x", *_BUILT_IN), defaults)

    def programs(self) -> list[Program]:
        """Return what is to be replaced, each real file once; links to it may stay."""
        return list(self._programs())

    def _programs(self) -> Iterator[Program]:
        seen: set[Path] = set()
        commands = Path(self.values["command_directory"])
        for name in sorted(COMMANDS, key=lambda name: name != "sendmail"):  # which the other two may be links to
            place = Path(self.values[_OF_SENDMAIL[name]]) if name in _OF_SENDMAIL else commands / name
            path = place.resolve()
            if path not in seen:
                seen.add(path)
                yield Program(path, "command", name, path.exists())
        daemons = Path(self.values["daemon_directory"])
        for name in (*DAEMONS, *(name for name in _OTHER_DAEMONS if (daemons / name).exists())):
            yield Program(daemons / name, "daemon", name, (daemons / name).exists())


def is_ours(program: Path) -> bool:
    """Tell whether *program* is a launcher of pyfix, or the small compiled one that runs such a launcher."""
    with program.open("rb") as stream:
        return b"pyfix" in stream.read(_LARGEST_LAUNCHER)


def _ask(postconf: Path, option: str, *names: str) -> dict[str, str]:
    done = subprocess.run([postconf, option, *names], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoPostfix(f"{postconf} {option} failed: {done.stderr.strip()}")
    found = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition(" =")
        found[name] = value.strip()
    missing = [name for name in names if name not in found]
    if option == "-x" and missing:
        raise NoPostfix(f"{postconf} does not know {', '.join(missing)}: {done.stderr.strip()}")
    return found
