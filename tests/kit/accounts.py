"""Users whom only one instance knows, with homes below its folder: its passwd file stands in the place of /etc/passwd."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

FIRST_ID = 42001
"""User and group id of the first account; the others follow."""


def lay_out(folder: Path, names: Sequence[str]) -> Path:
    """Make homes of *names* in *folder*/home, and a passwd file with them behind the machine's; return its path."""
    homes = folder / "home"
    homes.mkdir()
    lines = Path("/etc/passwd").read_text()
    for number, name in enumerate(names, FIRST_ID):
        home = homes / name
        home.mkdir(mode=0o755)
        os.chown(home, number, number)
        lines += f"{name}:x:{number}:{number}:{name.title()}:{home}:/bin/sh\n"
    passwd = folder / "passwd"
    passwd.write_text(lines)
    passwd.chmod(0o644)
    return passwd
