"""Giving the machine back: Postfix's programs are where they were, and nothing of ours is left beside them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace as replaced
from pathlib import Path

from pyfix.install.replacement.existing import Program, is_ours
from pyfix.install.replacement.keeping import Keeping, kept_name, put_back
from pyfix.install.replacement.record import Record
from pyfix.install.replacement.service import MailService

__all__ = ["restore"]


def restore(record: Record, keeping: Keeping, service: MailService, place: Path, tell: Callable[[str], None]) -> None:
    """Undo what *record*, which is at *place*, says, also a half of it.

    A mail system that runs is stopped, and started again when Postfix is back.  Raises OSError and ServiceFailed; the
    record then stays, and another try goes on.
    """
    running = service.is_running()
    replaced(record, complete=False).write(place)  # nothing is to be taken again
    if running:
        tell("stopping the mail system")
        service.stop()
    for program in record.programs:
        if program.present:
            _bring_back(program, tell)
            keeping.undivert(program.path)
        elif program.taken:
            program.path.unlink()
    for unit in record.units:
        with suppress(FileNotFoundError):
            unit.unlink()
        with suppress(OSError):  # there are other additions
            unit.parent.rmdir()
    place.unlink()
    tell("Postfix's programs are back")
    service.reread_units()
    if running:
        service.start()
        tell("the mail system runs again")


def _bring_back(program: Program, tell: Callable[[str], None]) -> None:
    path, kept = program.path, kept_name(program.path)
    if path.exists() and not is_ours(path):
        with suppress(FileNotFoundError):  # an upgrade of the package brought a newer one back
            kept.unlink()
    elif not put_back(path):
        tell(f"{kept} is gone: {path} has nothing to come back")
        with suppress(FileNotFoundError):
            path.unlink()
