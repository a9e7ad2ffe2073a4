"""unix: the system's accounts and groups, as the lines of passwd(5) and group(5)."""

from __future__ import annotations

import grp
import pwd
from typing import Final

from pyfix.tables.table import Opening, Table, TableError


def _passwd_line(name: str) -> str:
    entry = pwd.getpwnam(name)
    return ":".join(map(str, entry))


def _group_line(name: str) -> str:
    entry = grp.getgrnam(name)
    return f"{entry.gr_name}:{entry.gr_passwd}:{entry.gr_gid}:{','.join(entry.gr_mem)}"


_SOURCES: Final = {"passwd.byname": _passwd_line, "group.byname": _group_line}


class UnixTable(Table):
    """``unix:passwd.byname`` and ``unix:group.byname``."""

    kind = "unix"

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        try:
            self._line: Final = _SOURCES[name]
        except KeyError:
            raise TableError(f"unknown table: {self.name}") from None

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
