"""All that a folder contains, in the order of find(1), so that warnings come in the order of Postfix's."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["below"]


def below(folder: str) -> Iterator[str]:
    """Yield the paths of all that is in a folder, what a folder contains right behind it; links are not followed."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return
    for entry in entries:
        yield entry.path
        if entry.is_dir(follow_symlinks=False):
            yield from below(entry.path)
