"""The users of this system, asked of the name service in a thread and remembered for some seconds."""

from __future__ import annotations

import os
import pwd
from typing import Final, NamedTuple

from pyfix.runtime.identity import Owner, is_rootless
from pyfix.runtime.loop import current
from pyfix.runtime.threads import in_thread

_REMEMBERED_FOR: Final = 10.0
_MOST_REMEMBERED: Final = 10000


class User(NamedTuple):
    """One user who has mail."""

    name: str
    owner: Owner
    home: str


class Users:
    """Looks users up by name."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[User | None, float]] = {}

    async def find(self, name: str) -> User | None:
        """Return a user, None when there is none of that name.  Raises OSError when the name service fails."""
        entry = self._known.get(name)
        now = current().now
        if entry is not None and entry[1] > now:
            return entry[0]
        user = await in_thread(_find, name)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[name] = (user, now + _REMEMBERED_FOR)
        return user


def _find(name: str) -> User | None:
    if not name or "\0" in name:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    if is_rootless() and entry.pw_uid != os.getuid():
        # Nobody else's mailbox can be written: mail for others stays where somebody can still read it.
        return None
    return User(entry.pw_name, Owner(entry.pw_uid, entry.pw_gid), entry.pw_dir)
