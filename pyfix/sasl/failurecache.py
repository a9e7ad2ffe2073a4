"""Logins that a server has refused, so that they are not tried again and again.

Source: postconf(5) smtp_sasl_auth_cache_name, smtp_sasl_auth_cache_time.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Final, NamedTuple

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.protocols.sasl.base64text import encoded
from pyfix.runtime.log import log
from pyfix.runtime.threads import in_thread
from pyfix.tables.proxy import ProxyTable
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError

__all__ = ["FailureCache", "Refusal"]

_SHOWN: Final = 100


class Refusal(NamedTuple):
    """What the server said."""

    status: str
    """Enhanced status code."""
    text: str


class FailureCache:
    """The table, which other processes share."""

    def __init__(self, table: ProxyTable, seconds: int) -> None:
        self._table: Final = table
        self._seconds: Final = seconds
        self._made = False

    @classmethod
    def open(cls, name: str, seconds: int, snapshot: Snapshot) -> FailureCache | None:
        """Open the table, None when there is to be none.  Raises ConfigError."""
        if not name:
            return None
        if len(name.replace(",", " ").split()) != 1:
            raise ConfigError(f'SASL authentication cache name "{name}" contains multiple values')
        table = open_table(name, snapshot) if name.startswith("proxy:") else None
        if not isinstance(table, ProxyTable):
            raise ConfigError(f'SASL authentication cache name "{name}" must start with "proxy:')
        table.ask_writer()
        return cls(table, seconds)

    async def find(self, host: str, username: str, password: str) -> Refusal | None:
        """Return what the server said to this login, None when it may be tried."""
        key = f"{host};{username}"
        try:
            if not self._made:
                await in_thread(self._table.make)
                self._made = True
            value = await self._table.find(key)
        except TableError:
            log.warning(f"SASL auth failure map {self._table.name}: lookup failed for {key}")
            return None
        if value is None:
            return None
        parts = value.split(";", 3)
        if len(parts) != 4 or not parts[0].isdigit():
            log.warning(f"bad smtp_sasl_auth_cache entry: {value[:_SHOWN]}")
            return None
        if int(parts[0]) + self._seconds < time.time() or not hmac.compare_digest(parts[1], _digest(password)):
            await self._forget(key)
            return None
        return Refusal(parts[2], parts[3])

    async def _forget(self, key: str) -> None:
        try:
            await in_thread(self._table.remove, key)
        except TableError as error:
            log.warning(f"SASL auth failure map {self._table.name}: entry not deleted: {error}")

    async def keep(self, host: str, username: str, password: str, refusal: Refusal) -> None:
        """Remember what the server said."""
        value = ";".join((str(int(time.time())), _digest(password), refusal.status, refusal.text))
        try:
            await in_thread(self._table.store, f"{host};{username}", value)
        except TableError as error:
            log.warning(f"SASL auth failure map {self._table.name}: {error}")


def _digest(password: str) -> str:
    """Return what stands in the table for the password."""
    data = password.encode("utf-8", "surrogateescape")
    return encoded(hashlib.sha1(data, usedforsecurity=False).digest())
