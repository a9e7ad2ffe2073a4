"""Files that have lists of addresses: :include: files, and the .forward files of users.

What a file says is done with the rights of whoever could have written it, so it is opened with a user's rights, and
what was opened is looked at once more: between the first look and the opening somebody may have put another in its
place.  Source: local(8), ALIASES, USER FORWARDING, SECURITY.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from pyfix.daemons.local.users import User
from pyfix.delivery.rights import rights
from pyfix.runtime.identity import Owner, is_rootless

__all__ = [
    "Include",
    "Lines",
    "Refused",
    "Unreadable",
    "look_at_include",
    "open_forward",
    "open_include",
    "status_of_forward",
]

_ROOT: Final = Owner(0, 0)
_NO_GROUP: Final = 65534
"""A group that owns nothing."""
_MOST_LINKS: Final = 40
"""Links that the kernel follows on one way."""
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_LONGEST_LINE: Final = 2048
"""Bytes; the rest of a longer line is taken for the next one.  Source: postconf(5) line_length_limit."""


class Refused(Exception):
    """A file that must not be used; the text is the warning, without the path."""


class Unreadable(Exception):
    """The rest of a file cannot be read; the text says why."""


class Lines:
    """The lines of an open file, read as they are asked for.  close() it."""

    def __init__(self, fd: int) -> None:
        self._stream = open(fd, "rb")  # noqa: SIM115  # closed by close()

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line.  Raises Unreadable."""
        while True:
            try:
                line = self._stream.readline(_LONGEST_LINE)
            except OSError as error:
                raise Unreadable(error.strerror) from error
            if not line:
                return
            yield line

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class Include(NamedTuple):
    """What is known of an :include: file before it is opened."""

    path: str
    uid: int
    """Whose file it is: with whose rights files and commands in it are used, where nobody else's are."""
    reader: Owner | None
    """Who owns the way to it, and with whose rights it is therefore read; None where that is root."""


def look_at_include(path: str, actor: User | None) -> Include:
    """Look at an :include: file that *actor* names, or the administrator if that is None.

    Where the way to it leads through a folder or link of a user, that user decides where it ends, from one moment to
    the next.  So it is his, whoever owns the file that is there, and he must be able to read it.  Raises Refused.
    """
    way = 0
    reader = _ROOT if actor is None else actor.owner
    try:
        if actor is None and not is_rootless():
            with rights(_ROOT):
                way = _owner_of_way(path)
            if way:
                reader = Owner(way, _NO_GROUP)
        with rights(reader):
            status = os.stat(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Refused(f"unable to lookup :include: file {path}: {reason}") from error
    _check_include(path, status)
    return Include(path, way or status.st_uid, reader if way else None)


def open_include(include: Include, actor: User | None) -> Lines:
    """Open an :include: file that was looked at, as *actor*, or as root if that is None.  Raises Refused."""
    path = include.path
    try:
        with rights(include.reader or (_ROOT if actor is None else actor.owner)):
            fd = os.open(path, _FLAGS)
    except OSError as error:
        raise Refused(f"cannot open include file {path}: {error.strerror}") from error
    try:
        status = os.fstat(fd)
        _check_include(path, status)
        if include.reader is None and status.st_uid != include.uid:
            raise Refused(f":include: file {path} has changed its owner")
    except BaseException:
        os.close(fd)
        raise
    return Lines(fd)


def _owner_of_way(path: str) -> int:
    """Return the first user but root who owns a folder or link on the way to a file, 0 if there is none."""
    left = path.split("/")[::-1]
    place = ""
    links = 0
    while left:
        name = left.pop()
        if name in ("", "."):
            continue
        if name == "..":
            place = os.path.dirname(place)
            continue
        found = f"{place}/{name}"
        status = os.lstat(found)
        is_link = stat.S_ISLNK(status.st_mode)
        if status.st_uid and (left or is_link):
            return status.st_uid
        if is_link:
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = os.readlink(found)
            if target.startswith("/"):
                place = ""
            left += target.split("/")[::-1]
        else:
            place = found
    return 0


def _check_include(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f":include: file {path} is not a regular file")
    if status.st_mode & stat.S_IWOTH:
        raise Refused(f":include: file {path} is world writable")


def status_of_forward(path: str, user: User) -> os.stat_result:
    """Look for a .forward file, with its user's rights.  Raises OSError."""
    # Where anybody may look there mostly is none, and to take the rights costs more than to look.
    with suppress(PermissionError):
        os.lstat(path)
    with rights(user.owner):
        return os.lstat(path)


def open_forward(path: str, user: User, status: os.stat_result) -> Lines:
    """Open a .forward file that is there, and has *status*, with its user's rights.  Raises Refused."""
    _check_forward(path, status, user)
    try:
        with rights(user.owner):
            fd = os.open(path, _FLAGS | os.O_NOFOLLOW)
    except OSError as error:
        raise Refused(f"cannot open file {path}: {error.strerror}") from error
    try:
        _check_forward(path, os.fstat(fd), user)
    except BaseException:
        os.close(fd)
        raise
    return Lines(fd)


def _check_forward(path: str, status: os.stat_result, user: User) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"file {path} is not a regular file")
    if status.st_uid not in (0, user.owner.uid):
        raise Refused(f"file {path} has bad owner uid {status.st_uid}")
    if status.st_mode & stat.S_IWOTH:
        raise Refused(f"file {path} is world writable")
