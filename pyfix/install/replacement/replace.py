"""Taking Postfix's place: its configuration, spool, users and chroot stay as they are, its programs become pyfix's.

The order is that of safety.  What can fail for outside reasons (a compiler for the set-gid commands, say) comes before
anything is changed; then the record is written, so that ``--restore`` can undo whatever was done; while programs
change their places the mail system is stopped, but each of them is there at every moment.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace as replaced
from pathlib import Path

from pyfix.install import setgid
from pyfix.install.accounts import Accounts
from pyfix.install.launchers import LaunchTarget, write_launcher
from pyfix.install.replacement.existing import Existing, Program
from pyfix.install.replacement.keeping import Keeping, keep
from pyfix.install.replacement.record import Record
from pyfix.install.replacement.service import MailService
from pyfix.install.units import added_to_units

__all__ = ["Impossible", "planned", "replace", "retake"]


class Impossible(Exception):
    """Postfix can't be replaced here; nothing was changed.  The text says why."""


def planned(existing: Existing, keeping: Keeping) -> Record:
    """Return the record of a replacement of *existing* of which nothing is done yet."""
    units = tuple(added_to_units(Path("/")))
    return Record(existing, tuple(existing.programs()), keeping.name, units, complete=False)


def replace(
    record: Record,
    target: LaunchTarget,
    keeping: Keeping,
    service: MailService,
    place: Path,
    tell: Callable[[str], None],
) -> None:
    """Let launchers of *target* take the places of the programs of *record*, which goes to *place*.

    What is done already, of a whole one or half of it, is done anew: pyfix may have another place, the package may have
    brought some of its programs back.  A mail system that ran is stopped, and started again.  *tell* is called with
    what is done.  Raises Impossible; OSError and ServiceFailed when it stopped half way.
    """
    writer = _Writer(record, target)
    running = service.is_running()
    record = _with_what_came(record)
    replaced(record, complete=False).write(place)
    if running:
        tell("stopping the mail system")
        service.stop()
    for program in record.programs:
        _take(program, keeping, writer)
    retaking = "" if keeping.lasts else f"{target.python.parent}/pyfix-install --retake"
    for path, text in added_to_units(Path("/"), retaking).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    replaced(record, complete=True).write(place)
    tell(f"{len(record.programs)} programs are pyfix's now")
    service.reread_units()
    if running:
        service.start()
        tell("the mail system runs again")


def retake(
    record: Record, target: LaunchTarget, keeping: Keeping, place: Path, tell: Callable[[str], None]
) -> None:
    """Let launchers of *target* take the places of those programs that the package has brought back since.

    For a mail system that is about to start.  *place* and *tell*: as for replace().  Raises Impossible and OSError.
    """
    record = _with_what_came(record)
    back = [program for program in record.programs if not program.taken]
    if not back:
        return
    writer = _Writer(record, target, compiled_before=True)
    record.write(place)
    for program in back:
        _take(program, keeping, writer)
    tell(f"{len(back)} programs that Postfix's package brought back are pyfix's again")


def _with_what_came(record: Record) -> Record:
    """Return *record* as it is true now: a newer Postfix may have programs that the one it tells of lacked."""
    programs = (
        replaced(program, present=program.present or (program.path.exists() and not program.taken))
        for program in record.programs
    )
    return replaced(record, programs=tuple(programs))


def _take(program: Program, keeping: Keeping, writer: _Writer) -> None:
    if program.present:
        keep(program.path)
        keeping.divert(program.path)
    writer.write(program)


class _Writer:
    """Puts our programs in their places; whatever can be missing for that is found out at once."""

    def __init__(self, record: Record, target: LaunchTarget, *, compiled_before: bool = False) -> None:
        """*compiled_before*: what was compiled earlier, and is there, is good."""
        self._target = target
        self._group = _setgid_group(record.existing)
        self._compiled = _compile(record.programs, target.python.parent.parent / "set-gid", target, compiled_before)

    def write(self, program: Program) -> None:
        """Let ours be there, in one step.  Raises OSError."""
        if program.set_gid:
            setgid.give_group(self._compiled[program.name], self._group)
            _install(self._compiled[program.name], program.path)
        else:
            write_launcher(program.kind, program.path, program.name, self._target)


def _setgid_group(existing: Existing) -> int:
    accounts = Accounts(existing.values["mail_owner"], existing.values["setgid_group"])
    ids = accounts.ids()
    if ids is None:
        raise Impossible(f"there is no user {accounts.mail_owner}, or no group {accounts.setgid_group}")
    return ids.setgid_group


def _compile(programs: tuple[Program, ...], scripts: Path, target: LaunchTarget, before: bool) -> dict[str, Path]:
    """Build the set-gid commands in *scripts*, by name; with *before*, those that are not there.  Raises Impossible."""
    scripts.mkdir(mode=0o755, exist_ok=True)
    compiled = {}
    for program in programs:
        if program.set_gid:
            script, binary = scripts / program.name, scripts / f"{program.name}.program"
            compiled[program.name] = binary
            if before and script.exists() and binary.exists():
                continue
            write_launcher("command", script, program.name, target)
            try:
                setgid.build(binary, target.python, script)
            except setgid.SetGidUnavailable as reason:
                raise Impossible(f"{program.name} has to be set-gid: {reason}") from None
    return compiled


def _install(program: Path, place: Path) -> None:
    """Put a copy of *program* at *place* in one step; they may be on different file systems."""
    status = program.stat()
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as new:
        new.write(program.read_bytes())
        os.fchown(new.fileno(), status.st_uid, status.st_gid)
        os.fchmod(new.fileno(), status.st_mode & 0o7777)
    os.replace(new.name, place)
