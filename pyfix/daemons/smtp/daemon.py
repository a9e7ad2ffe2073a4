"""smtp(8) and lmtp(8): deliver to other hosts, many messages at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import ClassVar

from pyfix.config.own_networks import address_families
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtp.attempts import Agent, Attempts
from pyfix.daemons.smtp.courier import Courier
from pyfix.daemons.smtp.destination import BadDestination
from pyfix.daemons.smtp.failure import Failure, Misconfigured
from pyfix.daemons.smtp.lookup import Lookup
from pyfix.daemons.smtp.setup import Setup
from pyfix.delivery.agent import DeliveryAgent, NoAnswer
from pyfix.delivery.commandlimit import deliveries_at_a_time
from pyfix.delivery.report import Delivery, Reporter
from pyfix.protocols.internal.delivery import DeliveryReply, Recipient
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.log import log
from pyfix.tables.table import TableError


class Smtp(DeliveryAgent):
    """The SMTP delivery agent."""

    program = "smtp"
    lmtp: ClassVar[bool] = False
    settings_class: ClassVar[type[SmtpClientSettings]] = SmtpClientSettings

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError."""
        self.capacity, self.is_whole_service = deliveries_at_a_time(
            snapshot, invocation.service, self.program, self.capacity
        )
        super().__init__(invocation, snapshot)
        settings = self.settings = self.settings_class(snapshot)
        settings.check()
        ipv4, ipv6 = address_families(snapshot)
        self._setup = Setup(settings, lmtp=self.lmtp, service=invocation.service, ipv4=ipv4, ipv6=ipv6)
        if invocation.arguments:
            from pyfix.daemons.smtp.flags import read_flags  # few sites use them

            self._setup.flags = read_flags(invocation.arguments, invocation.service)

    def before_jail(self) -> None:
        """Open the tables, which only root may be able to read."""
        self._setup.see_through = self.see_through
        self._agent = Agent(self._setup, Lookup(self._setup))
        self._setup.open_tables()
        self.reporter = Reporter(self.mail, self._setup.status_filter)
        self.watch_tables(self._setup.maps)

    def stopping(self) -> None:
        """Close the sessions that wait for more messages."""
        self._agent.kept.close()
        self._agent.shared.close()

    async def deliver_all(self, delivery: Delivery) -> DeliveryReply | None:
        """Deliver to all recipients of a request, and report each outcome."""
        forwarded = self._setup.forwarded
        if forwarded is None:
            return await self._deliver_to(delivery, None, None)
        from pyfix.daemons.smtp.forwarding import by_sender, joined

        try:
            parts = await by_sender(delivery, forwarded)
        except TableError:
            courier = self._courier(delivery, None, None)
            courier.final_server = True
            await courier.fail_all(Failure("4.3.0", "domain lookup failure"), throttle=False)
            return courier.reply()
        return joined([await self._deliver_to(delivery, sender, recipients) for sender, recipients in parts])

    def _courier(self, delivery: Delivery, sender: str | None, recipients: Sequence[Recipient] | None) -> Courier:
        return Courier(
            delivery,
            self.reporter,
            soft_bounce=self.mail.soft_bounce,
            shows_tls=self.settings.smtp_log_tls_feature_status,
            sender=sender,
            recipients=recipients,
        )

    async def _deliver_to(
        self, delivery: Delivery, sender: str | None, recipients: Sequence[Recipient] | None
    ) -> DeliveryReply | None:
        """Deliver to some recipients with a sender of their own, or to all with the request's."""
        courier = self._courier(delivery, sender, recipients)
        if self._setup.flags is not None and not await self._setup.flags.admits(courier):
            return courier.reply()
        try:
            await Attempts(courier, self._agent).deliver()
        except (BadDestination, Misconfigured) as error:
            log.fatal(str(error))
            raise NoAnswer from error
        return courier.reply()


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's, as the program whose name this process has; return the exit status."""
    if os.path.basename(sys.argv[0]) != "lmtp":
        return run(Smtp, argv)
    from pyfix.daemons.smtp.lmtp import Lmtp  # it is made of this module

    return run(Lmtp, argv)
