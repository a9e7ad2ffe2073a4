"""error(8): every recipient fails for the reason that the nexthop gives.

As the service ``error`` recipients bounce, as ``retry`` they are deferred.  A reason may begin with an enhanced
status code: ``error:5.1.6 has moved``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.delivery.agent import DeliveryAgent
from pyfix.delivery.outcome import Bounced, Deferred, Outcome
from pyfix.delivery.report import Delivery
from pyfix.formats.status import split_status
from pyfix.protocols.internal.delivery import Recipient
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run

RETRY: Final = "retry"
"""The name of the service that defers."""


class Error(DeliveryAgent):
    """The error delivery agent."""

    program = "error"

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        self._retry = invocation.service == RETRY
        if not self._retry and invocation.service != self.mail.error_service_name:
            raise ConfigError(f"bad error service name: {invocation.service}")

    async def deliver(self, delivery: Delivery, recipient: Recipient) -> Outcome:
        """Bounce, or defer, for the reason that the nexthop gives."""
        return _outcome(delivery.request.nexthop, self._retry)


@lru_cache(maxsize=256)
def _outcome(nexthop: str, retry: bool) -> Outcome:
    if retry:
        return Deferred(*split_status(nexthop, "4.0.0"))
    return Bounced(*split_status(nexthop, "5.0.0"))


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Error, argv)
