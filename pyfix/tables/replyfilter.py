"""Tables that take records out of the answers of the DNS.

Source: postconf(5) smtp_dns_reply_filter, smtpd_dns_reply_filter: the key is a record as text, the value IGNORE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyfix.formats.dnsrecord import Record
from pyfix.runtime.log import log
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyfix.tables.table import Values

__all__ = ["ReplyFilterTables", "reply_filter"]


class ReplyFilterTables:
    """The tables of one parameter, as a ``ReplyFilter`` of ``runtime/dns.py``."""

    def __init__(self, maps: Maps) -> None:
        self._maps: Final = maps

    async def keep(self, records: Sequence[Record]) -> tuple[Record, ...] | None:
        """Return the records that no table ignores; None when a table fails or says something else."""
        kept: list[Record] = []
        for record in records:
            try:
                action = await self._maps.find(record.text)
            except TableError:
                return None
            if action is None:
                kept.append(record)
            elif action.upper() == "IGNORE":
                log.info(f"ignoring DNS RR: {record.text}")
            else:
                log.warning(f'{self._maps.parameter_name}: unknown DNS filter action: "{action}"')
                return None
        return tuple(kept)


def reply_filter(parameter_name: str, words: Sequence[str], snapshot: Values) -> ReplyFilterTables | None:
    """Return the filter of a parameter, None when it names no table."""
    return ReplyFilterTables(Maps(parameter_name, words, snapshot)) if words else None
