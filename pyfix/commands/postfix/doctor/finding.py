"""What a check has found: how bad it is, where it stands, why it matters, what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Finding", "Place", "Severity"]


class Severity(IntEnum):
    """How bad a finding is; a higher one is worse."""

    NOTE = 0
    """Worth to be known; the exit status does not tell of it."""
    WARNING = 1
    """Most likely not what was meant, or soon a problem."""
    ERROR = 2
    """Dangerous, or it can't work."""

    @property
    def word(self) -> str:
        """The severity as people and JSON have it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and a line in it; line 0 is the file as a whole."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or may be."""

    severity: Severity
    place: Place
    what: str
    """One line: what is the matter."""
    why: str
    """Why it matters."""
    instead: tuple[str, ...] = ()
    """The exact lines to write in *place*, or commands to run."""
