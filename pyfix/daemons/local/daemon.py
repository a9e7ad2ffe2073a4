"""local(8): delivery to users of this system, and to what aliases and .forward files name."""

from __future__ import annotations

from collections.abc import Sequence

from pyfix.clients.resolve import Resolver, rewrite_service
from pyfix.clients.rewrite import Rewriter
from pyfix.config.parameters.local import LocalSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.local.aliases import Aliases
from pyfix.daemons.local.commands import Commands
from pyfix.daemons.local.expansion import Expansion, Means
from pyfix.daemons.local.files import Files
from pyfix.daemons.local.setup import check_origins, delivered_headers
from pyfix.daemons.local.step import Step
from pyfix.daemons.local.userdelivery import UserDelivery
from pyfix.daemons.local.users import Users, default_user
from pyfix.delivery.agent import DeliveryAgent
from pyfix.delivery.passing import protocol_of
from pyfix.delivery.report import Delivery, mark_done
from pyfix.protocols.internal.delivery import SUCCESS, Recipient
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run


class Local(DeliveryAgent):
    """The local delivery agent."""

    program = "local"
    privileged = True
    relay = "local"

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        settings = self.settings = LocalSettings(snapshot)
        settings.check()
        self._files = Files(settings)
        self._delivered_headers = delivered_headers(settings)
        check_origins(settings)
        self._commands = Commands(settings)
        self._users = Users()
        self._default_user = default_user(settings.default_privs)

    def before_jail(self) -> None:
        """Open the tables, which only root may be able to read."""
        settings = self.settings
        self._aliases = Aliases(settings)
        protocol = protocol_of(self.snapshot)
        self._user_delivery = UserDelivery(settings, self._users, self._files, self._commands, protocol)
        status_filter = self.filter_outcomes("local_delivery_status_filter", settings.local_delivery_status_filter)
        self.watch_tables([self._aliases.maps, *self._user_delivery.maps, status_filter])

    def started(self) -> None:
        """The loop runs: connections can be made."""
        settings = self.settings
        service = rewrite_service(
            settings.rewrite_service_name, timeout=settings.ipc_timeout, idle=settings.ipc_idle, ttl=settings.ipc_ttl
        )
        self._means = Means(
            settings=settings,
            service=self.invocation.service,
            reporter=self.reporter,
            aliases=self._aliases,
            users=self._users,
            default_user=self._default_user,
            rewriter=Rewriter(service),
            resolver=Resolver(service),
            files=self._files,
            commands=self._commands,
            user_delivery=self._user_delivery,
            delivered_headers=self._delivered_headers,
        )

    async def deliver_and_report(self, delivery: Delivery, recipient: Recipient) -> bool:
        """Deliver to a user, or to what an alias stands for; say whether the recipient is finished."""
        expansion = Expansion(self._means, delivery)
        step = Step.first(recipient, delivery.request.sender, self.settings)
        finished = await expansion.to_recipient(step)
        # What could not all be done is tried again as a whole: nothing is sent on until the rest is delivered.
        finished = finished and await expansion.send(step)
        # Who was expanded is not marked yet: that waits for all of the members.
        marked = delivery.message.last_done == recipient.offset
        if finished and not marked and delivery.request.flags & SUCCESS:
            mark_done(delivery.message, recipient)
        return finished


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Local, argv)
