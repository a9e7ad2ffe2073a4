"""unix: the system's accounts and groups, as the lines of passwd(5) and group(5).

Where nsswitch.conf(5) names a source that may be asked over a network, lookups run in threads.
"""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from typing import Final

from pyfix.tables.table import Opening, Table, TableError
from pyfix.tables.threaded import ThreadedTable

_SWITCH: Final = Path("/etc/nsswitch.conf")
_AT_HAND: Final = frozenset(("files", "compat", "systemd", "db", "altfiles", "extrausers"))
"""Sources of accounts that are on this machine."""


def answers_at_once(database: str) -> bool:
    """Say whether all sources of *database* (``passwd``, ``group``) are files of this machine, or the like."""
    try:
        lines = _SWITCH.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return True  # the C library asks files then
    for line in lines:
        name, colon, rest = line.partition("#")[0].partition(":")
        if colon and name.strip() == database:
            return _AT_HAND.issuperset(word for word in rest.split() if not word.startswith("["))
    return True


def _passwd_line(name: str) -> str:
    entry = pwd.getpwnam(name)
    return ":".join(map(str, entry))


def _group_line(name: str) -> str:
    entry = grp.getgrnam(name)
    return f"{entry.gr_name}:{entry.gr_passwd}:{entry.gr_gid}:{','.join(entry.gr_mem)}"


_SOURCES: Final = {"passwd.byname": _passwd_line, "group.byname": _group_line}


class UnixTable(ThreadedTable):
    """``unix:passwd.byname`` and ``unix:group.byname``."""

    kind = "unix"

    __slots__ = ("_line", "local")

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        try:
            self._line: Final = _SOURCES[name]
        except KeyError:
            raise TableError(f"unknown table: {self.name}") from None
        self.local = answers_at_once(name.partition(".")[0])

    def find_now(self, key: str) -> str | None:
        """Ask and wait for the answer.  Raises TableError."""
        return Table.find_now(self, key)

    async def find(self, key: str) -> str | None:
        """Ask, in a thread if the answer may come from elsewhere.  Raises TableError."""
        return self.find_now(key) if self.local else await super().find(key)

    def query(self, key: str) -> str | None:
        """Do as lookup()."""
        return self.lookup(key)

    def owner(self) -> int | None:
        """Return the administrator."""
        return 0

    def lookup(self, key: str) -> str | None:
        """Return the account's or group's line.  Raises TableError when the system can't say."""
        try:
            return self._line(key)
        except KeyError:
            return None
        except ValueError:  # a NUL in the name
            return None
        except OSError as error:
            raise TableError(f"table {self.name}: query error: {error.strerror}") from error
