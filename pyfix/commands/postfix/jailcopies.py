"""The copies of system files that a chroot environment has below queue_directory."""

from __future__ import annotations

import os

from pyfix.commands.postfix.tree import below

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["complaints"]

_FOLDERS = ("bin", "etc", "lib", "sbin", "usr")
_PIECE = 1 << 16


def complaints(queue: str, root: int, root_name: str, system: str = "/") -> Iterator[str]:
    """Yield what is wrong: copies that do not belong to user *root*, and those that differ from the original.

    *system* is the folder with the originals.
    """
    for name in _FOLDERS:
        top = f"{queue}/{name}"
        if not os.path.isdir(top):
            continue
        paths = (top, *below(top))
        yield from (f"not owned by {root_name}: {path}" for path in paths if _owner(path) not in (root, None))
        for path in paths:
            original = os.path.join(system, path[len(queue) + 1 :])
            if os.path.islink(path) or not (os.path.isfile(path) and os.path.isfile(original)):
                continue
            if not _same(path, original):
                yield f"{path} and {original} differ"


def _owner(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None


def _same(one: str, other: str) -> bool:
    try:
        with open(one, "rb") as first, open(other, "rb") as second:
            while (piece := first.read(_PIECE)) == second.read(_PIECE):
                if not piece:
                    return True
            return False
    except OSError:
        return False
