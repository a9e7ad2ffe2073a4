"""local(8): delivery to users of this system, to their mailbox files or Maildirs."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from pyfix.config.parameters.local import LocalSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.local.loops import delivered_before
from pyfix.daemons.local.users import User, Users
from pyfix.delivery.agent import DeliveryAgent
from pyfix.delivery.filebatch import FileBatch
from pyfix.delivery.locks import parse_methods
from pyfix.delivery.mailbox import MailboxRules, MailboxStore, check_size_limit
from pyfix.delivery.maildir import MaildirTarget
from pyfix.delivery.outcome import Bounced, Deferred, Outcome, Sent
from pyfix.delivery.output import Output
from pyfix.delivery.report import Delivery, is_probe
from pyfix.formats.extension import split_extension
from pyfix.protocols.internal.delivery import Recipient
from pyfix.queue.message import MessageDamaged
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.identity import Owner, is_rootless
from pyfix.runtime.log import log

_REQUIRED = ("postmaster", "mailer-daemon")
_CODE = "5.2.0"
_ROOT = Owner(0, 0)


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
        self._limit = settings.mailbox_size_limit
        check_size_limit("mailbox_size_limit", self._limit, settings.message_size_limit)
        self._store = MailboxStore(
            MailboxRules(
                locks=parse_methods("mailbox_delivery_lock", settings.mailbox_delivery_lock),
                limit=self._limit,
                stale_lock_time=settings.stale_lock_time,
                lock_attempts=settings.deliver_lock_attempts,
                strict_ownership=settings.strict_mailbox_ownership,
                default_code=_CODE,
            )
        )
        self._files = FileBatch(settings.deliver_lock_delay)
        self._users = Users()

    async def deliver(self, delivery: Delivery, recipient: Recipient) -> Outcome:
        """Deliver to a user's mailbox or Maildir."""
        address = recipient.recipient
        try:
            if delivered_before(delivery, address):
                return Bounced("5.4.6", f"mail forwarding loop for {address}")
        except (OSError, MessageDamaged) as error:
            log.warning(f"{delivery.request.queue_id}: {error}")
            return Deferred("4.3.0", "error reading message")
        localpart, at, _ = address.rpartition("@")
        name, _ = split_extension(
            (localpart if at else address).lower(),
            self.settings.recipient_delimiter,
            double_bounce=self.settings.double_bounce_sender,
            owner_request=self.settings.owner_request_special,
        )
        try:
            user = await self._users.find(name)
        except OSError as error:
            log.warning(f"error looking up passwd info for {name}: {error.strerror}")
            return Deferred("4.0.0", "user lookup error")
        if user is None:
            return _unknown(name)
        return await self._deliver_to(delivery, recipient, user)

    async def _deliver_to(self, delivery: Delivery, recipient: Recipient, user: User) -> Outcome:
        home_mailbox = self.settings.home_mailbox
        output = Output(delivery, delivery.request.sender, recipient.original_recipient, recipient.recipient)
        if home_mailbox:
            path = f"{user.home}/{home_mailbox}"
            owner = user.owner
        else:
            path = f"{self.settings.mail_spool_directory}/{user.name}"
            owner = self._spool_owner(user)
        if is_probe(delivery.request):
            return Sent("delivers to maildir" if path.endswith("/") else "delivers to mailbox")
        if path.endswith("/"):
            return await self._files.deliver(
                MaildirTarget(owner, path, output, limit=self._limit, default_code=_CODE)
            )
        prefix = f"cannot update mailbox {path} for user {user.name}. "
        target = self._store.target(owner, path, output, file_owner=user.owner, prefix=prefix)
        return await self._files.deliver(target)

    def _spool_owner(self, user: User) -> Owner:
        """Return whose rights are needed to make files in mail_spool_directory.

        The user's own where everybody may; with the folder's group where that may; else root's.
        """
        if is_rootless():
            return user.owner
        try:
            status = os.stat(self.settings.mail_spool_directory)
        except OSError:
            return user.owner
        if status.st_mode & stat.S_IWOTH:
            return user.owner
        if status.st_mode & stat.S_IWGRP:
            return Owner(user.owner.uid, status.st_gid)
        return _ROOT


def _unknown(name: str) -> Outcome:
    if name in _REQUIRED:
        log.warning(f"required alias not found: {name}")
        return Sent("discarded")
    return Bounced("5.1.1", f'unknown user: "{name}"')


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Local, argv)
