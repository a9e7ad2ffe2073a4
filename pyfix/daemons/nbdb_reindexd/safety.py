"""Whether a table may be made anew with its owner's rights.

Who asks may have lost control over itself.  So nothing is made where somebody other than root and the table's owner
could exchange a file or a folder in the meantime.  Source: nbdb_reindexd(8), SECURITY.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import Final

from pyfix.runtime.log import log

__all__ = ["Refused", "owner_of_table"]

_SHARED_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class Refused(Exception):
    """A table is not made; the text is the reason that the client and the log get."""


def owner_of_table(path: str, root_prefixes: Sequence[str], user_prefixes: Sequence[str]) -> tuple[int, int]:
    """Return user and group of the Berkeley DB file of the table with this source file.

    *root_prefixes* and *user_prefixes* are the folders below which tables of root, and of others, may be made.
    Raises Refused where that is not safe.
    """
    legacy = _status(f"{path}.db", "legacy indexed file")
    source = _status(path, "source file")
    who, prefixes, parameter = (
        ("non-root", user_prefixes, "non_bdb_migration_allow_user_prefixes")
        if legacy.st_uid
        else ("root", root_prefixes, "non_bdb_migration_allow_root_prefixes")
    )
    if not _is_below(path, prefixes):
        raise Refused(
            f"table {path} has an unexpected pathname; to allow automatic indexing as {who}, append its parent "
            f"directory to the '{parameter}' setting (current setting is: \"{' '.join(prefixes)}\")"
        )
    owned = f"legacy indexed file '{path}.db' is owned by uid '{legacy.st_uid}'"
    remedy = "is owned or writable by other user; to allow automatic indexing, correct the ownership or"
    if not _is_safe(source, legacy.st_uid):
        raise Refused(f"{owned}, but source file '{path}' {remedy} permissions")
    if not _folders_are_safe(os.path.dirname(path), legacy.st_uid):
        raise Refused(f"{owned}, but parent directory '{os.path.dirname(path)}' {remedy}permissions")
    return legacy.st_uid, legacy.st_gid


def _status(path: str, kind: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise Refused(f"look up status for {kind} '{path}': {error.strerror}") from None


def _is_below(path: str, prefixes: Sequence[str]) -> bool:
    if "/../" in path:
        log.warning(f"request to allowlist prefix with '/../': '{path}'")
        return False
    return any(path.startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes)


def _is_safe(status: os.stat_result, uid: int) -> bool:
    """Tell whether nobody but root and one user can change something."""
    return status.st_uid in (0, uid) and not status.st_mode & _SHARED_WRITE


def _folders_are_safe(folder: str, uid: int) -> bool:
    """Tell whether nobody else can exchange a folder or one that it is in."""
    while True:
        try:
            if not _is_safe(os.stat(folder or "."), uid):
                return False
        except OSError:
            return False
        above = os.path.dirname(folder)
        if above == folder:
            return True
        folder = above
