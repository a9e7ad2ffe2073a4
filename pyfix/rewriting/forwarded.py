"""With which sender mail goes on to another site: a rewritten one, if it was not addressed to that site.

Mail is forwarded if the address that it came for, before aliases and .forward files, is in another domain than the one
it goes to, and that is none of ours.  Who sends from a domain of ours keeps his address.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.snapshot import Snapshot
from pyfix.tables.matchlist import MatchList
from pyfix.tables.srs import RewrittenSenders

__all__ = ["Forwarded"]

_LOCAL: Final = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains")
_OTHERS_OF_OURS: Final = ("relay_domains",)


class Forwarded:
    """Decides for each recipient."""

    def __init__(self, snapshot: Snapshot, senders: RewrittenSenders) -> None:
        """Open the lists of domains.  Raises ConfigError."""
        self._senders: Final = senders

        def lists(names: tuple[str, ...]) -> list[MatchList]:
            return [MatchList(name, snapshot.value(name), snapshot) for name in names]

        local = lists(_LOCAL)
        self._own: Final = (*local, *lists(("pyfix_srs_exclude_domains",)))
        self._destinations: Final = (*local, *lists(_OTHERS_OF_OURS))

    async def sender(self, sender: str, recipient: str, original_recipient: str) -> str:
        """Return the sender for mail to *recipient*, which came for *original_recipient*; all in internal form.

        Raises TableError.
        """
        domain, first = _domain(sender), _domain(original_recipient)
        there = _domain(recipient)
        if not domain or not original_recipient or first == there:
            return sender
        if domain == self._senders.domain.lower() or await _has(self._own, domain):
            return sender
        return sender if await _has(self._destinations, there) else self._senders.pack(sender)


async def _has(lists: tuple[MatchList, ...], domain: str) -> bool:
    for one in lists:
        if await one.ask_string(domain):
            return True
    return False


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower() if "@" in address else ""
