"""Keeping a program beside the one that takes its place, so that upgrades of its package leave ours alone."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from pyfix.install.replacement.existing import is_ours

__all__ = ["DpkgDiversions", "Keeping", "PlainFiles", "keep", "keeping_of_this_machine", "kept_name", "put_back"]

_SUFFIX = ".distrib"  # what dpkg-divert(1) takes by default
_NOT_DIVERTED = ("postconf",)
"""What an upgrade of Debian's package brings back: its scripts take an ancient diversion of this program away, and fail
where another one is there."""


def kept_name(program: Path) -> Path:
    """Return where the original of *program* is while ours has its place."""
    return program.with_name(program.name + _SUFFIX)


class Keeping(Protocol):
    """How the package system of a distribution learns that a file has another name."""

    name: str
    """What the record of a replacement calls it."""
    lasts: bool
    """Whether upgrades of the package leave ours alone."""

    def divert(self, program: Path) -> None:
        """Let its package have *program* under its kept name from now on.  Raises OSError."""

    def undivert(self, program: Path) -> None:
        """Let its package have *program* again; nothing happens where it has it.  Raises OSError."""


class DpkgDiversions:
    """Debian and its kin: dpkg-divert(1)."""

    name = "dpkg-divert"
    lasts = True

    def divert(self, program: Path) -> None:
        """Register a diversion of this machine's administrator."""
        if program.name in _NOT_DIVERTED:
            return
        self._call("--divert", str(kept_name(program)), "--add", str(program))

    def undivert(self, program: Path) -> None:
        """Take the diversion back."""
        if program.name in _NOT_DIVERTED:
            return
        self._call("--divert", str(kept_name(program)), "--remove", str(program))

    def _call(self, *words: str) -> None:
        # Files are renamed by us: there is to be no moment without the program.
        command = ["dpkg-divert", "--quiet", "--local", "--no-rename", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(errno.EIO, f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


class PlainFiles:
    """Where no package system can be told of it (rpm): an upgrade of the package brings Postfix's programs back."""

    name = "plain"
    lasts = False

    def divert(self, program: Path) -> None:
        """Do nothing."""

    def undivert(self, program: Path) -> None:
        """Do nothing."""


def keeping_of_this_machine() -> Keeping:
    """Return Debian's way where this machine has it."""
    return DpkgDiversions() if shutil.which("dpkg-divert") else PlainFiles()


def keep(program: Path) -> None:
    """Give *program* its second, kept name, unless it is ours already; both are there afterwards.  Raises OSError.

    What was kept earlier goes: the package has brought another one since.
    """
    kept = kept_name(program)
    if is_ours(program) or (kept.exists() and kept.samefile(program)):
        return  # an earlier try came to this point
    new = kept.with_name(f".{kept.name}.new")
    new.unlink(missing_ok=True)
    try:
        os.link(program, new)
    except OSError:  # a file system without links
        shutil.copy2(program, new)
        status = program.stat()
        os.chown(new, status.st_uid, status.st_gid)
        new.chmod(status.st_mode & 0o7777)  # chown may have taken set-gid away
    new.replace(kept)


def put_back(program: Path) -> bool:
    """Let *program* be the kept one again, in one step; return False where nothing was kept.  Raises OSError."""
    kept = kept_name(program)
    if not kept.exists():
        return False
    if program.exists() and kept.samefile(program):
        kept.unlink()  # a rename of two names of one file would leave both
    else:
        kept.replace(program)
    return True
