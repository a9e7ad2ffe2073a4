"""What was done to this machine, written down before it is done, so that it can be undone from any point."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pyfix.install.replacement.existing import Existing, Program

__all__ = ["PLACE", "Record"]

PLACE = Path("/var/lib/pyfix/replacement.json")


@dataclass(frozen=True, slots=True)
class Record:
    """A replacement: of what, how the package system was told (``Keeping.name``), and the files that are only ours."""

    existing: Existing
    programs: tuple[Program, ...]
    keeping: str
    units: tuple[Path, ...]
    complete: bool

    @classmethod
    def read(cls, place: Path) -> Record | None:
        """Return what was done; None if nothing was.  Raises OSError, ValueError for a damaged record."""
        try:
            text = place.read_text()
        except FileNotFoundError:
            return None
        try:
            found = json.loads(text)
            programs = tuple(Program(**{**entry, "path": Path(entry["path"])}) for entry in found["programs"])
            units = tuple(map(Path, found["units"]))
            return cls(Existing(**found["existing"]), programs, found["keeping"], units, found["complete"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{place}: {error}") from None

    def write(self, place: Path) -> None:
        """Write it down so that it survives a power cut.  Raises OSError."""
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = place.with_name(f".{place.name}.new")
        with new.open("w") as stream:
            json.dump(asdict(self), stream, indent=1, default=str)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
