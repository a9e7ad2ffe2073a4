"""To which address class a domain belongs.

Source: ADDRESS_CLASS_README; postconf(5) virtual_alias_domains, virtual_mailbox_domains, relay_domains.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.protocols.internal.rewrite import CLASS_ALIAS, CLASS_DEFAULT, CLASS_RELAY, CLASS_VIRTUAL
from pyfix.rewriting.resolving.complaint import complaints
from pyfix.tables import flags as bits
from pyfix.tables.matchlist import MatchList
from pyfix.tables.table import TableError

LIST_FLAGS: Final = bits.LOCK | bits.UTF8_REQUEST
"""How tables inside of match lists are opened."""


class ClassError(Exception):
    """The list of a class could not be asked; its parameter's name is the argument."""


class AddressClasses:
    """The lists of domains that are not local but ours in some other way."""

    def __init__(self, settings: RewriteSettings) -> None:
        snapshot = settings.snapshot
        self.alias: Final = MatchList(
            "virtual_alias_domains", settings.virtual_alias_domains, snapshot, match_parents=False, flags=LIST_FLAGS
        )
        self.mailbox: Final = MatchList(
            "virtual_mailbox_domains", settings.virtual_mailbox_domains, snapshot, match_parents=False, flags=LIST_FLAGS
        )
        self.relay: Final = MatchList("relay_domains", settings.relay_domains, snapshot, flags=LIST_FLAGS)
        self._helpful: Final = settings.helpful_warnings

    async def classify(self, domain: str) -> int:
        """Return the class of a domain that is not local, as a bit of RESOLVE_CLASS.  Raises ClassError."""
        if await self._has(self.alias, domain):
            await self._warn_if_both(domain, self.alias, (self.mailbox, self.relay))
            return CLASS_ALIAS
        if await self._has(self.mailbox, domain):
            await self._warn_if_both(domain, self.mailbox, (self.relay,))
            return CLASS_VIRTUAL
        if await self._has(self.relay, domain):
            return CLASS_RELAY
        return CLASS_DEFAULT

    async def is_listed(self, domain: str) -> bool:
        """Say whether any of the lists has *domain*.  Raises ClassError."""
        for patterns in (self.alias, self.mailbox, self.relay):
            if await self._has(patterns, domain):
                return True
        return False

    async def warn_if_listed(self, domain: str) -> None:
        """Tell when a local domain is in a list of virtual domains too (helpful_warnings)."""
        if self._helpful:
            for other in (self.alias, self.mailbox):
                await self._warn_of(domain, "mydestination", other)

    async def _warn_if_both(self, domain: str, found: MatchList, others: tuple[MatchList, ...]) -> None:
        if self._helpful:
            for other in others:
                await self._warn_of(domain, found.parameter_name, other)

    async def _warn_of(self, domain: str, parameter_name: str, other: MatchList) -> None:
        try:
            listed = await self._ask(other, domain)
        except TableError:
            complaints.count += 1  # the list has logged it
            return
        if listed:
            complaints.warn(f"do not list domain {domain} in BOTH {parameter_name} and {other.parameter_name}")

    async def _ask(self, patterns: MatchList, domain: str) -> bool:
        if not patterns:
            return False
        return await (patterns.ask_domain(domain) if patterns is self.relay else patterns.ask_string(domain))

    async def _has(self, patterns: MatchList, domain: str) -> bool:
        try:
            return await self._ask(patterns, domain)
        except TableError:
            complaints.warn(f"{patterns.parameter_name} lookup failure")
            raise ClassError(patterns.parameter_name) from None
