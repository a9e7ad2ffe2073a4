"""Where the mail of a virtual mailbox address goes, and whose file it is.

Source: postconf(5) virtual_mailbox_maps, virtual_mailbox_base, virtual_uid_maps, virtual_gid_maps, virtual_minimum_uid.
"""

from __future__ import annotations

import os
import re
from typing import Final

from pyfix.config.parameters.virtual import VirtualSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.identity import Owner, is_rootless
from pyfix.tables import flags as bits
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError

_NUMBER: Final = re.compile(r"\+?[0-9]+")
_LARGEST_ID: Final = 2**32 - 2
_FLAGS: Final = bits.ORDINARY | bits.PARANOID
"""No part of an address goes into a path or an id.  Source: virtual(8), SECURITY."""


class BadEntry(Exception):
    """A table has something for the recipient that cannot be used; the text is for the log."""


class Mailboxes:
    """The three tables."""

    def __init__(self, settings: VirtualSettings, snapshot: Snapshot) -> None:
        """Open the tables."""
        self._base = settings.virtual_mailbox_base
        self._delimiter = settings.recipient_delimiter
        self._minimum_uid = settings.virtual_minimum_uid
        self._paths = Maps("virtual_mailbox_maps", settings.virtual_mailbox_maps, snapshot, flags=_FLAGS, fold=False)
        self._uids = Maps("virtual_uid_maps", settings.virtual_uid_maps, snapshot, flags=_FLAGS, fold=False)
        self._gids = Maps("virtual_gid_maps", settings.virtual_gid_maps, snapshot, flags=_FLAGS, fold=False)
        self.maps: Final = (self._paths, self._uids, self._gids)

    async def find(self, address: str) -> tuple[Owner, str] | None:
        """Return whose file the mailbox of *address* (in lower case) is, and its path; None for an unknown user.

        A path that ends with a slash is a Maildir.  Raises BadEntry.
        """
        try:
            path = await self._find(self._paths, address)
        except TableError as error:
            raise BadEntry(f"table {self._paths.parameter_name}: lookup {address}: {error}") from error
        if path is None:
            return None
        if "/../" in f"/{path}":
            raise BadEntry(f"recipient {address}: bad mailbox path {path} in virtual_mailbox_maps")
        uid = await self._number(self._uids, "uid", address, self._minimum_uid)
        gid = await self._number(self._gids, "gid", address, 1)
        owner = Owner(os.getuid(), os.getgid()) if is_rootless() else Owner(uid, gid)
        return owner, f"{self._base}/{path}"

    async def _number(self, maps: Maps, what: str, address: str, minimum: int) -> int:
        try:
            value = await self._find(maps, address)
        except TableError:
            value = None  # the table has said what is wrong; without an id nothing is delivered
        if value is None:
            raise BadEntry(f"recipient {address}: not found in {maps.parameter_name}")
        if _NUMBER.fullmatch(value) is None or not minimum <= int(value) <= _LARGEST_ID:
            raise BadEntry(f"recipient {address}: bad {what} {value} in {maps.parameter_name}")
        return int(value)

    async def _find(self, maps: Maps, address: str) -> str | None:
        if maps.local:
            match = maps.find_address_now(address, self._delimiter)
        else:
            match = await maps.find_address(address, self._delimiter)
        return None if match is None else match.value
