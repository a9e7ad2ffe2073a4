"""A file system for the bench alone: ext4 with a journal, as mail servers have it, made anew for each run.

What else is on the machine's disk, and what was deleted there a moment ago, changes the cost of a new file by more than
what is measured; and the disk of a container or of a small virtual machine may have no journal at all.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.instance import FOLDER_VARIABLE

_SIZE = 2 << 30
_PIECE = bytes(1 << 20)


@contextmanager
def own_file_system() -> Iterator[str]:
    """Let all instances of the block live on a file system of their own; give a line that says where they do.

    Where none can be made they live where they always do.
    """
    with tempfile.TemporaryDirectory(prefix="pyfix-bench-") as folder:
        image, mounted = Path(folder, "image"), Path(folder, "fs")
        mounted.mkdir()
        with image.open("wb") as stream:
            # Without holes: the file system below would have to fill them amid the measurement, some rounds more than others.
            for _ in range(_SIZE // len(_PIECE)):
                stream.write(_PIECE)
            os.fsync(stream.fileno())
        problem = _done("mkfs.ext4", "-q", "-F", "-E", "nodiscard", image) or _done("mount", "-o", "loop", image, mounted)
        if problem:
            yield f"file system: {tempfile.gettempdir()}, shared with everything else ({problem})"
            return
        Path(folder).chmod(0o755)
        mounted.chmod(0o1777)
        before = os.environ.get(FOLDER_VARIABLE)
        os.environ[FOLDER_VARIABLE] = str(mounted)
        try:
            yield "file system: ext4 with a journal, of its own, on a loop device"
        finally:
            if before is None:
                del os.environ[FOLDER_VARIABLE]
            else:
                os.environ[FOLDER_VARIABLE] = before
            subprocess.run(["umount", mounted], check=True)


def _done(*command: str | Path) -> str:
    """Run a command; return what went wrong, "" if nothing did."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    return "" if done.returncode == 0 else f"{command[0]}: {done.stderr.strip()[:200]}"
