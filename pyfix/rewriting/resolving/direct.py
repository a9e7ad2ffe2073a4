"""The rules of trivial-rewrite(8), asked in the process that wants to know: nothing has to run."""

from __future__ import annotations

from time import monotonic
from typing import Final

from pyfix.clients.resolve import Resolver, rewrite_service
from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.config.snapshot import Snapshot
from pyfix.formats.address import external_to_internal, internal_to_external, is_standard
from pyfix.protocols.internal.rewrite import ResolveReply
from pyfix.rewriting.resolving.address_class import AddressClasses
from pyfix.rewriting.resolving.local_domain import LocalDomains
from pyfix.rewriting.resolving.resolve import Resolver as Rules
from pyfix.rewriting.resolving.rewrite import LOCAL, Rewriter

__all__ = ["DirectResolver"]


class DirectResolver(Resolver):
    """Answers as trivial-rewrite(8) does that has these values."""

    def __init__(self, snapshot: Snapshot, *, remembers: bool = False) -> None:
        """*remembers*: what was answered once is not worked out again.  Raises ConfigError."""
        super().__init__(rewrite_service("rewrite", timeout=1, idle=1, ttl=1))
        settings = RewriteSettings(snapshot)
        self.rewriter: Final = Rewriter(settings)
        self._rules: Final = Rules(settings, self.rewriter, LocalDomains(settings), AddressClasses(settings), monotonic)
        self._answers: Final[dict[tuple[str, str], ResolveReply] | None] = {} if remembers else None

    def remembered(self, sender: str, address: str) -> ResolveReply | None:
        """Return the answer if it was given before and is to be remembered."""
        return None if self._answers is None else self._answers.get((sender, address))

    async def resolve(self, sender: str, address: str) -> ResolveReply:
        """Return transport, nexthop, recipient and class of *address*; both addresses are in internal form.

        As smtpd(8) does, of its standard form.
        """
        standard = address
        if address and not is_standard(address):
            standard = external_to_internal(self.rewriter.rewrite(LOCAL, internal_to_external(address)))
        reply = self.remembered(sender, address) or await self._rules.resolve(sender, standard)
        if self._answers is not None:
            self._answers[sender, address] = reply
        return reply
