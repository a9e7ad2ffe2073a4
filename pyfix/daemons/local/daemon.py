"""local(8): delivery to users of this system, to their mailbox files or Maildirs."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyfix.clients.resolve import Resolver, rewrite_service
from pyfix.clients.rewrite import Rewriter
from pyfix.config.parameters.local import LocalSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.local.aliases import Alias, Aliases, SpecialTarget
from pyfix.daemons.local.biff import Biff
from pyfix.daemons.local.forward import forward
from pyfix.daemons.local.loops import delivered_before
from pyfix.daemons.local.setup import check_origins, delivered_headers, mailbox_locks
from pyfix.daemons.local.users import User, Users
from pyfix.delivery.agent import DeliveryAgent
from pyfix.delivery.filebatch import FileBatch
from pyfix.delivery.mailbox import MailboxRules, MailboxStore, check_size_limit
from pyfix.delivery.maildir import MaildirTarget
from pyfix.delivery.outcome import SENT, Bounced, Deferred, Outcome, Sent
from pyfix.delivery.output import Output
from pyfix.delivery.report import Delivery, is_probe, mark_done
from pyfix.delivery.rights import rights
from pyfix.formats.attributes import Long
from pyfix.formats.extension import split_extension
from pyfix.formats.queuefile import NOTIFY_NEVER, NOTIFY_SUCCESS
from pyfix.protocols.internal.delivery import SUCCESS, Recipient
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.identity import Owner, is_rootless
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

_MOST_NESTED = 100
_CONFIGURATION = "mail system configuration error"
_NOT_YET = (
    "mailbox_transport_maps",
    "mailbox_transport",
    "mailbox_command_maps",
    "mailbox_command",
    "fallback_transport_maps",
    "fallback_transport",
    "luser_relay",
)
_REQUIRED = ("postmaster", "mailer-daemon")
_CODE = "5.2.0"
_ROOT = Owner(0, 0)


_UNABLE = Deferred("4.3.0", "unable to forward message")


@dataclass(slots=True)
class _Onward:
    """Addresses of other systems that get the message in one piece."""

    notify: int
    recipients: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Expansion:
    """What the aliases of one recipient have led to so far."""

    original: Recipient
    began: bool = False
    """The recipient is an alias."""
    users: set[str] = field(default_factory=set)
    """Users who have had the message: each gets it once, however many aliases lead to him."""
    addresses: set[str] = field(default_factory=set)
    """The same of addresses elsewhere, in lower case."""
    onward: dict[str, _Onward] = field(default_factory=dict)
    """What is sent on, by the owner who gets its failures."""


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
                locks=mailbox_locks(settings),
                limit=self._limit,
                stale_lock_time=settings.stale_lock_time,
                lock_attempts=settings.deliver_lock_attempts,
                strict_ownership=settings.strict_mailbox_ownership,
                default_code=_CODE,
            )
        )
        self._tells = settings.biff
        self._biff: Biff | None = None
        self._delivered_headers = delivered_headers(settings)
        check_origins(settings)
        self._files = FileBatch(settings.deliver_lock_delay)
        self._users = Users()
        self._aliases: Aliases | None = None
        self._unsupported = [name for name in _NOT_YET if snapshot.value(name)]
        if self._unsupported:
            log.warning(f"not supported yet, mail is deferred: {', '.join(self._unsupported)}")

    def before_jail(self) -> None:
        """Open the tables, which only root may be able to read."""
        self._aliases = Aliases(self.settings) if self.settings.alias_maps else None
        if self._aliases is not None:
            self.watch_tables([self._aliases.maps])

    def started(self) -> None:
        """The loop runs: connections can be made."""
        settings = self.settings
        service = rewrite_service(
            settings.rewrite_service_name, timeout=settings.ipc_timeout, idle=settings.ipc_idle, ttl=settings.ipc_ttl
        )
        self._rewriter = Rewriter(service)
        self._resolver = Resolver(service)

    async def deliver_and_report(self, delivery: Delivery, recipient: Recipient) -> bool:
        """Deliver to a user, or to what an alias stands for; say whether the recipient is finished."""
        expansion = _Expansion(recipient)
        finished = await self._expand(delivery, recipient, expansion, ())
        if expansion.began:
            # What could not all be done is tried again as a whole: nothing is sent on until the rest is delivered.
            finished = finished and await self._forward(delivery, expansion)
            if finished and delivery.request.flags & SUCCESS:
                mark_done(delivery.message, recipient)
        return finished

    async def deliver(self, delivery: Delivery, recipient: Recipient) -> Outcome:
        """Deliver to a user's mailbox or Maildir."""
        return await self._to_user(delivery, recipient, recipient.recipient)

    # Aliases

    async def _expand(
        self, delivery: Delivery, recipient: Recipient, expansion: _Expansion, expanded: tuple[str, ...]
    ) -> bool:
        """Deliver to *recipient*, to which the aliases *expanded* led."""
        report = self.reporter.report
        address = recipient.recipient
        if not expanded and (failure := self._looped(delivery, address)) is not None:
            return await report(delivery, recipient, failure, self.relay)
        if len(expanded) > _MOST_NESTED:
            log.warning(f"recipient nesting limit exceeded for {address}")
            failure = Bounced("5.4.6", "recipient nesting limit exceeded")
            return await report(delivery, recipient, failure, self.relay)
        if self._unsupported:
            return await report(delivery, recipient, Deferred("4.3.5", _CONFIGURATION), self.relay)
        name, base = self._names(address)
        try:
            alias = await self._aliases.find(name, base) if self._aliases is not None else None
        except TableError:
            return await report(delivery, recipient, Deferred("4.3.0", "alias database unavailable"), self.relay)
        except SpecialTarget as special:
            log.warning(f"alias {name}: unsupported target: {special}")
            return await report(delivery, recipient, Deferred("4.3.5", _CONFIGURATION), self.relay)
        # A name that stands for itself is the user of that name.
        if alias is None or alias.name in expanded[-1:] or is_probe(delivery.request):
            if is_probe(delivery.request) and alias is not None:
                return await report(delivery, recipient, Sent(f"aliased to {', '.join(alias.addresses)}"), self.relay)
            if base in expansion.users:
                return True
            expansion.users.add(base)
            outcome = await self._to_user(delivery, recipient, expansion.original.recipient)
            return await report(delivery, recipient, outcome, self.relay)
        expansion.began = True
        return await self._to_addresses(delivery, recipient, expansion, alias, (*expanded, alias.name))

    async def _to_addresses(
        self, delivery: Delivery, recipient: Recipient, expansion: _Expansion, alias: Alias, expanded: tuple[str, ...]
    ) -> bool:
        original = expansion.original
        finished = True
        notify = recipient.notify_flags
        if notify & NOTIFY_SUCCESS:
            # A mailing list is the end of the way, and an alias a turn in it: beyond either nobody tells of success.
            outcome = Sent("alias expanded", action="delivered" if alias.owner else "expanded")
            await self.reporter.trace(delivery, recipient, outcome, self.relay)
            notify = notify & ~NOTIFY_SUCCESS or NOTIFY_NEVER
        try:
            owner = await self._rewriter.rewrite_internal(alias.owner, "local") if alias.owner else ""
            for address in alias.addresses:
                full = await self._rewriter.rewrite_internal(address, "local")
                reply = await self._resolver.resolve(delivery.request.sender, full)
                if owner or reply.transport != self.invocation.service or reply.nexthop != delivery.request.nexthop:
                    if full.lower() not in expansion.addresses:
                        expansion.addresses.add(full.lower())
                        expansion.onward.setdefault(owner, _Onward(notify)).recipients.append(full)
                    continue
                # The record in the queue file is the original's; only when all is done it is marked.
                child = Recipient(
                    original.original_recipient or original.recipient,
                    full,
                    Long(0),
                    original.dsn_orig_rcpt,
                    notify,
                )
                finished &= await self._expand(delivery, child, expansion, expanded)
        except ServiceError as error:
            log.warning(f"{delivery.request.queue_id}: {error}")
            return await self.reporter.report(delivery, recipient, _UNABLE, self.relay)
        return finished

    async def _forward(self, delivery: Delivery, expansion: _Expansion) -> bool:
        """Send the message on to what is not of this system, once for each owner."""
        original = expansion.original
        for owner, onward in expansion.onward.items():
            try:
                sent_on = await forward(
                    self.settings,
                    delivery,
                    sender=owner or delivery.request.sender,
                    delivered_to=original.recipient if "forward" in self._delivered_headers else "",
                    original_recipient="" if owner else original.original_recipient or original.recipient,
                    recipients=onward.recipients,
                    dsn_original_recipient="" if owner else original.dsn_orig_rcpt,
                    notify_flags=onward.notify,
                )
            except (ServiceError, OSError) as error:
                log.warning(f"{delivery.request.queue_id}: {error}")
                return await self.reporter.report(delivery, original, _UNABLE, self.relay)
            if isinstance(sent_on, Outcome):
                return await self.reporter.report(delivery, original, sent_on, self.relay)
            # The record in the queue file is marked when all is done.
            told = Recipient(
                original.original_recipient, original.recipient, Long(0), original.dsn_orig_rcpt, onward.notify
            )
            if not await self.reporter.report(delivery, told, Sent(f"forwarded as {sent_on}"), self.relay):
                return False
        return True

    # Users

    def _looped(self, delivery: Delivery, address: str) -> Outcome | None:
        if delivered_before(delivery, address):
            return Bounced("5.4.6", f"mail forwarding loop for {address}")
        return None

    def _names(self, address: str) -> tuple[str, str]:
        """Return the name that *address* is for, in lower case, and that name without its extension."""
        localpart, at, _ = address.rpartition("@")
        name = (localpart if at else address).lower()
        base, _ = split_extension(
            name,
            self.settings.recipient_delimiter,
            double_bounce=self.settings.double_bounce_sender,
            owner_request=self.settings.owner_request_special,
        )
        return name, base

    async def _to_user(self, delivery: Delivery, recipient: Recipient, delivered_to: str) -> Outcome:
        _, name = self._names(recipient.recipient)
        try:
            user = await self._users.find(name)
        except OSError as error:
            log.warning(f"error looking up passwd info for {name}: {error.strerror}")
            return Deferred("4.0.0", "user lookup error")
        if user is None:
            return _unknown(name)
        return await self._deliver_to(delivery, recipient, user, delivered_to)

    async def _deliver_to(
        self, delivery: Delivery, recipient: Recipient, user: User, delivered_to: str
    ) -> Outcome:
        home_mailbox, spool = self.settings.home_mailbox, self.settings.mail_spool_directory
        if self.settings.require_home_directory and (failure := _home_is_missing(user)) is not None:
            return failure
        if "file" not in self._delivered_headers:
            delivered_to = ""
        output = Output(delivery, delivery.request.sender, recipient.original_recipient, delivered_to)
        # A Maildir, at home or in the spool, goes before a file.
        if spool.endswith("/") and not home_mailbox.endswith("/"):
            path = f"{spool}{user.name}/"
            owner = user.owner
        elif home_mailbox:
            path = f"{user.home}/{home_mailbox}"
            owner = user.owner
        else:
            path = f"{spool}/{user.name}"
            owner = self._spool_owner(user)
        if is_probe(delivery.request):
            return Sent("delivers to maildir" if path.endswith("/") else "delivers to mailbox")
        if path.endswith("/"):
            return await self._files.deliver(
                MaildirTarget(owner, path, output, limit=self._limit, default_code=_CODE)
            )
        prefix = f"cannot update mailbox {path} for user {user.name}. "
        target = self._store.target(owner, path, output, file_owner=user.owner, prefix=prefix)
        outcome = await self._files.deliver(target)
        if self._tells and outcome.kind == SENT:
            if self._biff is None:
                self._biff = Biff()
            self._biff.notify(user.name, target.start)
        return outcome

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


def _home_is_missing(user: User) -> Outcome | None:
    try:
        with rights(user.owner):
            os.stat(user.home)
    except OSError as error:
        return Deferred("4.3.0", f"cannot access home directory {user.home}: {error.strerror}")
    return None


def _unknown(name: str) -> Outcome:
    if name in _REQUIRED:
        log.warning(f"required alias not found: {name}")
        return Sent("discarded")
    return Bounced("5.1.1", f'unknown user: "{name}"')


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Local, argv)
