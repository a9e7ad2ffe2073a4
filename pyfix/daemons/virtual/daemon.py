"""virtual(8): append mail to the mailbox that virtual_mailbox_maps names, as the user that other tables name."""

from __future__ import annotations

from collections.abc import Sequence

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.virtual import VirtualSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.virtual.mailboxes import BadEntry, Mailboxes
from pyfix.delivery.agent import DeliveryAgent
from pyfix.delivery.filebatch import FileBatch
from pyfix.delivery.locks import parse_methods
from pyfix.delivery.mailbox import MailboxRules, MailboxStore, check_size_limit
from pyfix.delivery.maildir import MaildirTarget
from pyfix.delivery.outcome import Bounced, Deferred, Outcome, Sent
from pyfix.delivery.output import Output
from pyfix.delivery.report import Delivery, is_probe
from pyfix.protocols.internal.delivery import Recipient
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.log import log


class Virtual(DeliveryAgent):
    """The virtual delivery agent."""

    program = "virtual"
    privileged = True
    relay = "virtual"

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        settings = self.settings = VirtualSettings(snapshot)
        settings.check()
        if not settings.virtual_mailbox_base.startswith("/"):
            value = settings.virtual_mailbox_base
            raise ConfigError(f"do not specify relative pathname: virtual_mailbox_base = {value}")
        check_size_limit("virtual_mailbox_limit", settings.virtual_mailbox_limit, settings.message_size_limit)
        self._limit = settings.virtual_mailbox_limit
        self._store = MailboxStore(
            MailboxRules(
                locks=parse_methods(
                    "virtual_mailbox_lock", settings.virtual_mailbox_lock, snapshot.value("virtual_mailbox_lock")
                ),
                limit=self._limit,
                stale_lock_time=settings.stale_lock_time,
                lock_attempts=settings.deliver_lock_attempts,
                strict_ownership=settings.strict_mailbox_ownership,
                by_table=True,
            )
        )
        self._files = FileBatch(settings.deliver_lock_delay)

    def before_jail(self) -> None:
        """Open the tables, which only root may be able to read."""
        self._mailboxes = Mailboxes(self.settings, self.snapshot)
        value = self.settings.virtual_delivery_status_filter
        self.watch_tables([*self._mailboxes.maps, self.filter_outcomes("virtual_delivery_status_filter", value)])

    async def deliver(self, delivery: Delivery, recipient: Recipient) -> Outcome:
        """Deliver to the recipient's mailbox or Maildir."""
        try:
            entry = await self._mailboxes.find(recipient.recipient.lower())
        except BadEntry as error:
            log.warning(str(error))
            return Deferred("4.3.5", "mail system configuration error")
        if entry is None:
            return Bounced("5.1.1", f'unknown user: "{recipient.recipient.lower()}"')
        owner, path = entry
        if is_probe(delivery.request):
            return Sent("delivers to maildir" if path.endswith("/") else "delivers to mailbox")
        original = recipient.original_recipient if self.settings.enable_original_recipient else ""
        output = Output(delivery, delivery.request.sender, original, recipient.recipient)
        if path.endswith("/"):
            return await self._files.deliver(MaildirTarget(owner, path, output, limit=self._limit))
        return await self._files.deliver(self._store.target(owner, path, output))


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Virtual, argv)
