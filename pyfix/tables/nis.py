"""nis: maps of the Network Information Service, which alias_maps names by default.

Where no NIS domain is set, as nearly everywhere today, there is nothing to look up, and that
is no error.  Source: DATABASE_README.
"""

from __future__ import annotations

from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, Table, TableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_DOMAIN_FILE: Final = "/proc/sys/kernel/domainname"
_NO_SUCH_MAP: Final = 4
_NO_SUCH_KEY: Final = 5

_domain: list[str] = []


def domain() -> str:
    """Return the NIS domain of this machine, "" when it has none; warn of that once."""
    if not _domain:
        try:
            with open(_DOMAIN_FILE, encoding="ascii", errors="surrogateescape") as stream:
                name = stream.read().strip()
        except OSError:
            name = ""
        if name in ("", "(none)"):
            warn("dict_nis_init: NIS domain name not set - NIS lookups disabled")
            name = ""
        _domain.append(name)
    return _domain[0]


class NisTable(Table):
    """``nis:mapname``; keys and values may end with a NUL byte."""

    kind = "nis"

    __slots__ = ("_library", "_map", "_nuls")

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        self._map: Final = name.encode(errors="surrogateescape")
        self._nuls: tuple[bytes, ...] = (b"", b"\0")
        self._library: Any = None
        domain()

    def owner(self) -> int | None:
        """Return the administrator, as NIS says nothing else."""
        return 0

    def lookup(self, key: str) -> str | None:
        """Ask NIS.  Raises TableError."""
        if not domain():
            return None
        stored = key.encode(errors="surrogateescape")
        for nul in self._nuls:
            value = self._match(stored + nul)
            if value is not None:
                self._nuls = (nul,)
                return value.removesuffix(b"\0").decode(errors="surrogateescape")
        return None

    def _match(self, key: bytes) -> bytes | None:
        import ctypes

        if self._library is None:
            try:
                self._library = ctypes.CDLL("libnsl.so.2")
            except OSError:
                raise TableError(f"table {self.name}: query error: the library libnsl is not installed") from None
        library = self._library
        value, length = ctypes.c_void_p(), ctypes.c_int()
        status = library.yp_match(
            domain().encode(errors="surrogateescape"),
            self._map,
            key,
            len(key),
            ctypes.byref(value),
            ctypes.byref(length),
        )
        if status == 0:
            found = ctypes.string_at(value.value or 0, length.value)
            ctypes.CDLL(None).free(value)
            return found
        if status in (_NO_SUCH_MAP, _NO_SUCH_KEY):
            return None
        warn(f"lookup {key.decode(errors='replace')}, NIS domain {domain()}, map {self.name[4:]}: error {status}")
        raise TableError(f"table {self.name}: query error")
