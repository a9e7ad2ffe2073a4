"""What becomes of one recipient: the way through aliases, :include: and .forward files to those who get the message.

Source: local(8); aliases(5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from pyfix.clients.resolve import AT_ONCE, Resolver
from pyfix.clients.rewrite import Rewriter
from pyfix.config.parameters.local import LocalSettings
from pyfix.daemons.local.aliases import Alias, Aliases
from pyfix.daemons.local.commands import Commands
from pyfix.daemons.local.files import Files
from pyfix.daemons.local.forward import forward
from pyfix.daemons.local.listfile import Lines, Refused, Unreadable, look_at_include, open_include
from pyfix.daemons.local.lookahead import addresses_among, next_of
from pyfix.daemons.local.members import include_path, members_of_file, members_of_text
from pyfix.daemons.local.seen import Seen
from pyfix.daemons.local.step import ALIAS, INCLUDE, LEVELS_OF_A_LIST, Step
from pyfix.daemons.local.userdelivery import UserDelivery
from pyfix.daemons.local.users import User, Users
from pyfix.delivery.loops import delivered_addresses
from pyfix.delivery.outcome import BOUNCED, Bounced, Deferred, Outcome, Sent
from pyfix.delivery.report import Delivery, Reporter, is_probe
from pyfix.formats.address import is_standard
from pyfix.formats.queuefile import NOTIFY_NEVER, NOTIFY_SUCCESS
from pyfix.protocols.internal.delivery import MTA_VERIFY, Recipient
from pyfix.protocols.internal.rewrite import ERROR, FAIL, ResolveReply
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.task import gather
from pyfix.tables.table import TableError

__all__ = ["MISCONFIGURED", "Expansion", "Means"]

_MOST_NESTED: Final = 100
_LEVEL_OF_INCLUDE: Final = LEVELS_OF_A_LIST - 1
_RELAY: Final = "local"
_UNABLE: Final = Deferred("4.3.0", "unable to forward message")
_UNAVAILABLE: Final = Deferred("4.3.0", "alias database unavailable")
_MISCONFIGURED_FOR_GOOD: Final = Bounced("5.3.5", "mail system configuration error")
MISCONFIGURED: Final = Deferred("4.3.5", "mail system configuration error")


@dataclass(slots=True)
class Means:
    """What all expansions of a process use."""

    settings: LocalSettings
    service: str
    """The transport that this process serves."""
    reporter: Reporter
    aliases: Aliases
    users: Users
    default_user: User
    rewriter: Rewriter
    resolver: Resolver
    files: Files
    commands: Commands
    user_delivery: UserDelivery
    delivered_headers: frozenset[str]


class Expansion:
    """The delivery to one recipient of a request."""

    def __init__(self, means: Means, delivery: Delivery) -> None:
        self.means = means
        self.delivery = delivery
        self.seen = Seen(means.settings.duplicate_filter_limit)
        self._loops: frozenset[str] | None = None
        self._replies: dict[str, ResolveReply | ServiceError] = {}
        """What is known of the next members of a list."""
        self._onward: dict[tuple[str, str], list[Recipient]] = {}
        """What is sent on, by the address that was expanded and the sender."""

    async def report(self, step: Step, outcome: Outcome) -> bool:
        """Report an outcome, and say whether the recipient is finished."""
        return await self.means.reporter.report(self.delivery, step.recipient, outcome, _RELAY)

    async def report_to_owner(self, step: Step, outcome: Outcome) -> bool:
        """Report an outcome; of a failure the owner of the alias of that name hears, if there is one."""
        if outcome.kind != BOUNCED:
            return await self.report(step, outcome)
        try:
            owner = await self._owner_of(step)
        except TableError:
            return await self.report(step, _UNAVAILABLE)
        except ServiceError as error:
            log.warning(f"{self.delivery.request.queue_id}: {error}")
            return await self.report(step, _UNAVAILABLE)
        reporter = self.means.reporter
        return await reporter.report(self.delivery, step.recipient, outcome, _RELAY, returned_to=owner)

    async def _owner_of(self, step: Step) -> str | None:
        for name in dict.fromkeys((step.local, step.user)):
            owner = await self.means.aliases.find_owner(name)
            if owner is not None:
                return await self._canonical_owner(owner)
        return None

    async def _canonical_owner(self, owner: tuple[str, str]) -> str:
        """Return the address of an owner: that of the alias, or what it stands for.  Raises ServiceError.

        Source: postconf(5) expand_owner_alias.
        """
        name, members = owner
        return await self.means.rewriter.rewrite_internal(
            members if self.means.settings.expand_owner_alias else name, "local"
        )

    # Recipients

    async def to_recipient(self, step: Step) -> bool:
        """Deliver to one address of this system; say whether it is finished."""
        address = step.address
        if step.level > _MOST_NESTED:
            log.warning(f"recipient nesting limit exceeded for {address}")
            return await self.report(step, Bounced("5.4.6", "recipient nesting limit exceeded"))
        if step.level > 1 and self.seen.before(f"recipient {step.level} {address}"):
            return True
        if self._loops is None:
            self._loops = delivered_addresses(self.delivery)
        if self._loops and address.lower() in self._loops:
            return await self.report_to_owner(step, Bounced("5.4.6", f"mail forwarding loop for {address}"))
        if step.extension and "/" in step.extension:
            log.warning(f"{self.delivery.request.queue_id}: address with illegal extension: {step.local}")
            step = replace(step, extension=None)
        if not step.user:
            return await self.report(step, Bounced("5.1.3", f'null username in "{address}"'))
        if address.startswith("\\"):
            return await self.means.user_delivery.to_mailbox(self, step.without_backslash())
        try:
            alias = await self._alias(step)
        except TableError:
            return await self.report(step, _UNAVAILABLE)
        if alias is not None:
            return await self._to_alias(step, alias)
        if step.origin == INCLUDE or (step.owner and step.owner.lower() != step.user):
            return await self.send_on(step)
        return await self.means.user_delivery.to_user(self, step)

    async def _alias(self, step: Step) -> Alias | None:
        """Return the alias of the name, or of the name without its extension.  Raises TableError."""
        if not self.means.aliases.maps:
            return None
        alias = None
        if step.local != step.parent:
            alias = await self.means.aliases.find(step.local)
        if alias is None and step.user not in (step.local, step.parent):
            alias = await self.means.aliases.find(step.user)
        return alias

    async def _to_alias(self, step: Step, alias: Alias) -> bool:
        settings = self.means.settings
        if self.delivery.request.flags & MTA_VERIFY:
            return await self.report(step, Sent(f"aliased to {alias.members}"))
        step = replace(step.listed(), origin=ALIAS, parent=step.local)
        if alias.name != step.local and "alias" in settings.propagate_unmatched_extensions:
            step = replace(step, unmatched=step.extension or "")
        members = list(members_of_text(alias.members))
        if not members:
            log.warning(f"no recipient in alias lookup result for {alias.name}")
            return await self.report(step, _UNAVAILABLE)
        try:
            step = replace(step, actor=await self._table_owner(alias))
        except _OwnerUnknown as unknown:
            log.warning(str(unknown))
            return await self.report(step, Deferred("4.3.0", "cannot find alias database owner"))
        try:
            owner = await self.means.aliases.find_owner(alias.name)
            if owner is not None:
                sender = await self._canonical_owner(owner)
        except TableError:
            return await self.report(step, _UNAVAILABLE)
        except ServiceError as error:
            log.warning(f"{self.delivery.request.queue_id}: {error}")
            return await self.report(step, _UNABLE)
        if not settings.frozen_delivered_to:
            step = replace(step, delivered_to=step.address)
        step = await self.expanded(step, is_list=owner is not None)
        if owner is not None:
            step = _owned(step, sender)
        elif settings.reset_owner_alias:
            step = replace(step, owner="")
        return await self.to_members(step, members)

    async def expanded(self, step: Step, *, is_list: bool) -> Step:
        """Tell trace(8) of an alias; a mailing list is the end of the way, and an alias a turn in it.

        Beyond either nobody tells of success.  Source: RFC 3461 section 5.2.7.
        """
        told = step.recipient
        if not told.notify_flags & NOTIFY_SUCCESS:
            return step
        outcome = Sent("alias expanded", action="delivered" if is_list else "expanded")
        await self.means.reporter.trace(self.delivery, told, outcome, _RELAY)
        flags = told.notify_flags & ~NOTIFY_SUCCESS or NOTIFY_NEVER
        return replace(step, recipient=replace(told, notify_flags=flags))

    async def _table_owner(self, alias: Alias) -> User | None:
        """Return the user whose table the alias is in, None for the administrator.  Raises _OwnerUnknown."""
        uid = alias.table.owner()
        if uid == 0:
            return None
        if uid is None:
            raise _OwnerUnknown(f"deliver_alias: no owner UID for alias database {alias.table.name}")
        try:
            owner = await self.means.users.find_owner(uid)
        except OSError as error:
            text = f"cannot find alias database owner for {alias.table.name}: {error.strerror}"
            raise _OwnerUnknown(text) from error
        if owner is None:
            raise _OwnerUnknown(f"cannot find alias database owner for {alias.table.name}")
        return owner

    # Members of lists

    async def to_members(self, step: Step, members: Iterable[str]) -> bool:
        """Deliver to each member of a list; say whether all are finished.  Raises Unreadable."""
        finished = True
        rest = iter(members)
        while True:
            some, unreadable = next_of(rest)
            # All else is done in order; only the questions about addresses are asked side by side.
            if addresses := addresses_among(some):
                replies = await gather(*[self._resolved(address) for address in addresses])
                self._replies.update(zip(addresses, replies, strict=True))
            for member in some:
                finished &= await self.to_member(step, member)
            if unreadable is not None:
                raise unreadable
            if len(some) < AT_ONCE:
                return finished

    async def to_member(self, step: Step, member: str) -> bool:
        """Deliver to one member of the list of *step*: a command, a file, another list, or an address."""
        settings = self.means.settings
        if member.startswith("|"):
            if step.origin not in settings.allow_mail_to_commands:
                return await self.report(step, Bounced("5.7.1", "mail to command is restricted"))
            return await self._to_command(step, member[1:])
        if member.startswith("~"):
            home = "" if step.actor is None else step.actor.home
            if not home or member[1:2] != "/":
                what = "bad home directory syntax" if home else "unknown home directory"
                log.warning(f"{what} for: {member}")
                return await self.report(step, _MISCONFIGURED_FOR_GOOD)
            member = home + member[1:]
        if member.startswith("/"):
            if step.origin not in settings.allow_mail_to_files:
                return await self.report_to_owner(step, Bounced("5.7.1", "mail to file is restricted"))
            return await self._to_file(step, member)
        path = include_path(member)
        if path is not None:
            return await self._to_include(step, path)
        return await self.to_address(step, member)

    async def _to_command(self, step: Step, text: str) -> bool:
        actor = step.actor
        user = actor or self.means.default_user
        if self.seen.before(f"command {step.user} {user.owner.uid} {text}"):
            return True
        outcome = await self.means.commands.deliver(self.delivery, step, text, actor, user.owner)
        return await self.report_to_owner(step, outcome)

    async def _to_file(self, step: Step, path: str) -> bool:
        if self.seen.before(f"file {path}"):
            return True
        owner = (step.actor or self.means.default_user).owner
        outcome = await self.means.files.to_file(self.delivery, step, path, owner)
        return await self.report_to_owner(step, outcome)

    async def _to_include(self, step: Step, path: str) -> bool:
        if self.seen.before(f"include {path}"):
            return True
        if step.level + _LEVEL_OF_INCLUDE > _MOST_NESTED:
            log.warning(f":include: nesting limit exceeded for {path}")
            return await self.report(step, Bounced("5.4.6", ":include: nesting limit exceeded"))
        if not path.startswith("/"):
            log.warning(f":include:{path} uses a relative path")
            return await self.report(step, _MISCONFIGURED_FOR_GOOD)
        try:
            include = look_at_include(path, step.actor)
            uid = include.uid
            if not step.owner or (step.actor is None and uid):
                owner = await self._user_of(uid)
                if owner is None:
                    log.warning(f"{path}: cannot find :include: file owner username")
                    return await self.report(step, MISCONFIGURED)
                actor = owner if step.actor is None and uid else step.actor
                step = replace(step, owner=step.owner or owner.name, actor=actor)
            lines = open_include(include, step.actor)
        except Refused as refused:
            log.warning(str(refused))
            return await self.report(step, _MISCONFIGURED_FOR_GOOD)
        try:
            step = replace(step, origin=INCLUDE, level=step.level + 1)
            if "include" not in self.means.settings.propagate_unmatched_extensions:
                step = replace(step, unmatched="")
            return await self.to_lines(step, lines)
        finally:
            lines.close()

    async def _user_of(self, uid: int) -> User | None:
        try:
            owner = await self.means.users.find_owner(uid)
        except OSError as error:
            log.warning(f"cannot find username for uid {uid}: {error.strerror}")
            return None
        if owner is None:
            log.warning(f"cannot find username for uid {uid}")
        return owner

    async def to_lines(self, step: Step, lines: Lines) -> bool:
        """Deliver to each member in the lines of a file; say whether all are finished."""
        try:
            return await self.to_members(step, members_of_file(lines))
        except Unreadable as error:
            return await self.report(step, Deferred("4.3.0", f"error reading forwarding file: {error}"))

    # Addresses

    async def to_address(self, step: Step, address: str) -> bool:
        """Deliver to an address in a list, of this system or of another."""
        reply = self._replies.pop(address, None) or await self._resolved(address)
        if isinstance(reply, ServiceError):
            log.warning(f"{self.delivery.request.queue_id}: {reply}")
            return await self.report(step, _UNABLE)
        if reply.resolve_flags & FAIL:
            return await self.report(step, Deferred("4.3.0", "address resolver failure"))
        if reply.resolve_flags & ERROR:
            return await self.report(step, Bounced("5.1.3", f"bad recipient address syntax: {address}"))
        recipient = reply.recipient
        settings = self.means.settings
        if step.unmatched and settings.recipient_delimiter:
            localpart, at, domain = recipient.rpartition("@")
            recipient = f"{localpart}{settings.recipient_delimiter[0]}{step.unmatched}{at}{domain}"
        member = step.member(recipient, settings)
        if reply.transport == self.means.service and reply.nexthop == self.delivery.request.nexthop:
            return await self.to_recipient(member)
        return await self.send_on(member)

    async def _resolved(self, address: str) -> ResolveReply | ServiceError:
        try:
            if not is_standard(address):
                address = await self.means.rewriter.rewrite_internal(address, "local")
            return await self.means.resolver.resolve(self.delivery.request.sender, address)
        except ServiceError as error:
            return error

    async def send_on(self, step: Step) -> bool:
        """Let the address have the message through the queue, with its own record there."""
        if self.seen.before(f"indirect {step.address}"):
            return True
        if is_probe(self.delivery.request):
            return await self.report(step, Sent(f"forwards to {step.address}"))
        self._onward.setdefault((step.delivered_to.lower(), step.sender), []).append(step.listed().recipient)
        return True

    async def send(self, step: Step) -> bool:
        """Send on what is to be sent on; *step* is the recipient of the request.  Say whether it is finished."""
        step = step.listed()
        for (delivered_to, sender), recipients in self._onward.items():
            try:
                sent_on = await forward(
                    self.means.settings,
                    self.delivery,
                    sender=sender,
                    delivered_to=delivered_to if "forward" in self.means.delivered_headers else "",
                    recipients=recipients,
                )
            except (ServiceError, OSError) as error:
                log.warning(f"{self.delivery.request.queue_id}: {error}")
                return await self.report(step, _UNABLE)
            if isinstance(sent_on, Outcome):
                return await self.report(step, sent_on)
            told = replace(step.recipient, notify_flags=recipients[0].notify_flags)
            if not await self.report(replace(step, recipient=told), Sent(f"forwarded as {sent_on}")):
                return False
        return True


class _OwnerUnknown(Exception):
    """Nobody can be found with whose rights the commands of a table are run; the text is the warning."""


def _owned(step: Step, owner: str) -> Step:
    """Return the step of a list with an owner, who gets the failures; it does not show by whom it was addressed."""
    told = replace(step.recipient, original_recipient="", dsn_orig_rcpt="")
    return replace(step, sender=owner, owner=owner, recipient=told)
