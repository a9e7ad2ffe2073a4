"""The users of this system, asked of the name service in a thread and remembered for some seconds."""

from __future__ import annotations

import os
import pwd
from typing import Final, NamedTuple

from pyfix.config.errors import ConfigError
from pyfix.runtime.identity import Owner, is_rootless
from pyfix.runtime.loop import current
from pyfix.runtime.threads import in_thread

__all__ = ["User", "Users", "default_user"]

_REMEMBERED_FOR: Final = 10.0
_MOST_REMEMBERED: Final = 10000


class User(NamedTuple):
    """One user who has mail, or with whose rights files and commands are used."""

    name: str
    owner: Owner
    home: str
    """Empty where there is none to speak of: that of default_privs."""
    shell: str = ""


class Users:
    """Looks users up by name and by number."""

    def __init__(self) -> None:
        self._known: dict[str | int, tuple[User | None, float]] = {}

    async def find(self, name: str) -> User | None:
        """Return a user, None when there is none of that name.  Raises OSError when the name service fails."""
        return await self._find(name)

    async def find_owner(self, uid: int) -> User | None:
        """Return the user to whom files of *uid* belong, None when there is none.  Raises OSError."""
        return await self._find(uid)

    async def _find(self, key: str | int) -> User | None:
        entry = self._known.get(key)
        now = current().now
        if entry is not None and entry[1] > now:
            return entry[0]
        user = await in_thread(_look_up, key)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = (user, now + _REMEMBERED_FOR)
        return user


def _look_up(key: str | int) -> User | None:
    if key == "" or (isinstance(key, str) and "\0" in key):
        return None
    try:
        entry = pwd.getpwuid(key) if isinstance(key, int) else pwd.getpwnam(key)
    except KeyError:
        return None
    if is_rootless() and entry.pw_uid != os.getuid():
        # Nobody else's mailbox can be written: mail for others stays where somebody can still read it.
        return None
    return User(entry.pw_name, Owner(entry.pw_uid, entry.pw_gid), entry.pw_dir, entry.pw_shell)


def default_user(name: str) -> User:
    """Return with whose rights files and commands are used that no user has asked for.  Raises ConfigError.

    Source: postconf(5) default_privs.
    """
    if is_rootless():
        return User("", Owner(os.getuid(), os.getgid()), "")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise ConfigError(f"unknown user name: default_privs = {name}") from None
    if entry.pw_uid == 0:
        raise ConfigError(f"default_privs: user {name} has privileged user ID")
    if entry.pw_gid == 0:
        raise ConfigError(f"default_privs: user {name} has privileged group ID")
    return User("", Owner(entry.pw_uid, entry.pw_gid), "")
