"""``python -m pyfix.install``: what the Makefile calls.

run SOURCE FOLDER PORT       run a private instance in FOLDER, in the foreground
system SOURCE PREFIX         install a mail system below PREFIX
manual SOURCE FOLDER         write the finished manual pages below FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyfix.install import manual, system, trial


def main(argv: list[str]) -> int:
    """Return the exit status; 2 for a wrong usage."""
    match argv:
        case ["run", source, folder, port] if port.isdecimal():
            return trial.run_in_foreground(Path(source).resolve(), Path(folder).resolve(), int(port))
        case ["system", source, prefix] if Path(prefix).is_absolute():
            return system.main(Path(source).resolve(), Path(prefix))
        case ["manual", source, folder]:
            manual.write_pages(Path(source).resolve(), Path(folder))
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
