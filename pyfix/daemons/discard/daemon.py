"""discard(8): say that mail was delivered, and deliver it nowhere.

The nexthop is the reason to log: ``discard:silently`` or ``discard:2.1.7 silently``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pyfix.delivery.agent import DeliveryAgent
from pyfix.delivery.outcome import Outcome, Sent
from pyfix.delivery.report import Delivery
from pyfix.formats.status import split_status
from pyfix.protocols.internal.delivery import Recipient
from pyfix.runtime.daemon import run


class Discard(DeliveryAgent):
    """The discard delivery agent."""

    program = "discard"

    async def deliver(self, delivery: Delivery, recipient: Recipient) -> Outcome:
        """Say ``sent``, for the reason that the nexthop gives."""
        return _outcome(delivery.request.nexthop)

    def outcome_now(self, delivery: Delivery, recipient: Recipient) -> Outcome:
        """Say the same."""
        return _outcome(delivery.request.nexthop)


@lru_cache(maxsize=256)
def _outcome(nexthop: str) -> Outcome:
    code, text = split_status(nexthop, "2.0.0")
    return Sent(text, code)


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Discard, argv)
