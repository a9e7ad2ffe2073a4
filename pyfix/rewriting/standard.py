"""Addresses in their standard form, user@fully-qualified-domain, as trivial-rewrite(8) has them.

Most addresses are in it already, and what trivial-rewrite(8) answers depends on main.cf alone: answers are kept for the
life of the process, which ends when master(8) is told to reload.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from pyfix.formats.address import external_to_internal, internal_to_external, is_standard

LOCAL: Final = "local"
"""Rewriting context of mail from here: incomplete addresses get myorigin and mydomain."""
REMOTE: Final = "remote"
"""Rewriting context of mail from elsewhere: incomplete addresses get remote_header_rewrite_domain."""

_MOST_ANSWERS: Final = 20000

Ask = Callable[[str, str], Awaitable[str]]
"""Asks trivial-rewrite(8): (rewriting context, address in external form) -> address in external form."""


class StandardForm:
    """Gives addresses their standard form; ``..._now`` answers without waiting where it can."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._external: dict[tuple[str, str], str] = {}
        self._internal: dict[tuple[str, str], str] = {}

    def external_now(self, context: str, address: str) -> str | None:
        """Return *address*, external form, in standard form; None when trivial-rewrite(8) must be asked."""
        if is_standard(address):
            return address
        return self._external.get((context, address))

    async def external(self, context: str, address: str) -> str:
        """Return *address*, external form, in standard form.  Raises ServiceError."""
        found = self.external_now(context, address)
        if found is None:
            if len(self._external) >= _MOST_ANSWERS:
                self._external.clear()
            found = self._external[context, address] = await self._ask(context, address)
        return found

    def internal_now(self, context: str, address: str) -> str | None:
        """Return *address*, internal form, in standard form; None when trivial-rewrite(8) must be asked."""
        if is_standard(address):
            return address
        return self._internal.get((context, address))

    async def internal(self, context: str, address: str) -> str:
        """Return *address*, internal form, in standard form.  Raises ServiceError."""
        found = self.internal_now(context, address)
        if found is None:
            if len(self._internal) >= _MOST_ANSWERS:
                self._internal.clear()
            answer = await self.external(context, internal_to_external(address))
            found = self._internal[context, address] = external_to_internal(answer)
        return found
