"""Delivery to a user of this system: by his .forward file, another transport, a command, or to his mailbox.

Source: local(8); postconf(5) forward_path, mailbox_transport, mailbox_command, fallback_transport, luser_relay.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from pyfix.config.parameters.local import LocalSettings
from pyfix.daemons.local.commands import Commands
from pyfix.daemons.local.files import Files
from pyfix.daemons.local.listfile import Lines, Refused, Unreadable, open_forward, status_of_forward
from pyfix.daemons.local.members import members_of_file
from pyfix.daemons.local.step import FORWARD, Step
from pyfix.daemons.local.users import User, Users
from pyfix.daemons.local.variables import expand_text
from pyfix.delivery.outcome import Bounced, Deferred, Outcome, Sent
from pyfix.delivery.passing import pass_on
from pyfix.delivery.rights import rights
from pyfix.formats.macros import MacroError
from pyfix.protocols.internal.delivery import STATUS_FINAL, InternalProtocol
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.tables import flags as bits
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.local.expansion import Expansion

__all__ = ["UserDelivery"]

_REQUIRED: Final = ("postmaster", "mailer-daemon")
_FLAGS: Final = bits.ORDINARY | bits.PARANOID
_BETWEEN: Final = re.compile(r"[, \t\r\n]+")


class UserDelivery:
    """How users get their mail."""

    def __init__(
        self, settings: LocalSettings, users: Users, files: Files, commands: Commands, protocol: InternalProtocol
    ) -> None:
        """Open the tables."""
        self._settings = settings
        self._users = users
        self._files = files
        self._commands = commands
        self._protocol: InternalProtocol = protocol
        self._forward_paths = [path for path in _BETWEEN.split(settings.forward_path) if path]
        self._mailbox_transports = self._maps("mailbox_transport_maps", settings.mailbox_transport_maps)
        self._mailbox_commands = self._maps("mailbox_command_maps", settings.mailbox_command_maps)
        self._fallback_transports = self._maps("fallback_transport_maps", settings.fallback_transport_maps)
        self.maps: Final = (self._mailbox_transports, self._mailbox_commands, self._fallback_transports)

    def _maps(self, name: str, value: tuple[str, ...]) -> Maps:
        return Maps(name, value, self._settings.snapshot, flags=_FLAGS)

    async def to_user(self, expansion: Expansion, step: Step) -> bool:
        """Deliver by the user's .forward file, or to_mailbox; say whether the recipient is finished."""
        try:
            user = await self._users.find(step.user)
        except OSError as error:
            return await self._no_answer(expansion, step, error)
        if user is not None:
            if self._settings.require_home_directory and (failure := _home_is_missing(user)) is not None:
                return await expansion.report(step, failure)
            if step.owner.lower() != step.user and self._forward_paths:
                if expansion.seen.before(f"forward {step.local}"):
                    return True
                done = await self._forwarded(expansion, step, user)
                if done is not None:
                    return done
        return await self.to_mailbox(expansion, step)

    async def _no_answer(self, expansion: Expansion, step: Step, error: OSError) -> bool:
        log.warning(f"error looking up passwd info for {step.user}: {error.strerror}")
        return await expansion.report(step, Deferred("4.0.0", "user lookup error"))

    # .forward

    async def _forwarded(self, expansion: Expansion, step: Step, user: User) -> bool | None:
        """Deliver as the first .forward file says; None if there is none that may be used and says something."""
        for text in self._forward_paths:
            try:
                path = expand_text(
                    text,
                    step,
                    user,
                    allowed=self._settings.forward_expansion_filter,
                )
            except MacroError as error:
                log.warning(str(error))
                continue
            # A name without a value is none of a file.
            if path.incomplete:
                continue
            try:
                status = status_of_forward(path, user)
            except (OSError, ValueError):
                continue
            # The first file that is there counts, whatever is wrong with it.
            try:
                lines = open_forward(path, user, status)
            except Refused as refused:
                log.warning(str(refused))
                return None
            listed = self._of_list(step, user, has_extension="extension" in path.names)
            try:
                return await self._to_lines(expansion, listed, lines)
            finally:
                lines.close()
        return None

    async def _to_lines(self, expansion: Expansion, step: Step, lines: Lines) -> bool | None:
        """Deliver to the members in the lines of a file; None if there are none."""
        try:
            members = members_of_file(lines)
            first = next(members, None)
            if first is None:
                return None
            step = await expansion.expanded(step, is_list=False)
            return await expansion.to_members(step, chain((first,), members))
        except Unreadable as error:
            return await expansion.report(step, Deferred("4.3.0", f"error reading forwarding file: {error}"))

    def _of_list(self, step: Step, user: User, *, has_extension: bool) -> Step:
        settings = self._settings
        unmatched = ""
        if not has_extension and "forward" in settings.propagate_unmatched_extensions:
            unmatched = step.extension or ""
        return replace(
            step.listed(),
            origin=FORWARD,
            parent=step.local,
            owner=step.user,
            actor=user,
            unmatched=unmatched,
            delivered_to=step.delivered_to if settings.frozen_delivered_to else step.address,
        )

    # Mailboxes

    async def to_mailbox(self, expansion: Expansion, step: Step) -> bool:
        """Deliver to the user's mailbox, or as is said for unknown users; say whether the recipient is finished."""
        if expansion.seen.before(f"mailbox {step.local}"):
            return True
        settings = self._settings
        if not settings.frozen_delivered_to:
            step = replace(step, delivered_to=step.address)
        try:
            user = await self._users.find(step.user)
            transport = await self._mailbox_transports.find(step.user) or settings.mailbox_transport
            if transport:
                return await self._pass_on(expansion, step, transport)
            if user is None:
                return await self._to_unknown(expansion, step)
            command = await self._mailbox_commands.find(step.user) or settings.mailbox_command
        except TableError:
            return await expansion.report(step, Deferred("4.3.0", "table lookup failure"))
        except OSError as error:
            return await self._no_answer(expansion, step, error)
        if command:
            step = replace(step, actor=user)
            outcome = await self._commands.deliver(expansion.delivery, step, command, user, user.owner)
            return await expansion.report_to_owner(step, outcome)
        return await expansion.report(step, await self._files.to_mailbox(expansion.delivery, step, user))

    async def _pass_on(self, expansion: Expansion, step: Step, transport: str) -> bool:
        timeout = self._settings.ipc_timeout
        try:
            reply = await pass_on(transport, expansion.delivery, step.recipient, timeout, self._protocol)
        except ServiceError as error:
            log.warning(f"{expansion.delivery.request.queue_id}: {error}")
            return await expansion.report(step, Deferred("4.3.0", "mail transport unavailable"))
        return reply.status == STATUS_FINAL

    # Unknown users

    async def _to_unknown(self, expansion: Expansion, step: Step) -> bool:
        """Deliver to a name that is none of a user.  Raises TableError."""
        settings = self._settings
        transport = await self._fallback_transports.find(step.user) or settings.fallback_transport
        if transport:
            return await self._pass_on(expansion, step, transport)
        if settings.luser_relay:
            try:
                relay = expand_text(
                    settings.luser_relay,
                    step,
                    None,
                )
            except MacroError as error:
                log.warning(str(error))
                log.warning(f"bad parameter value syntax for luser_relay: {settings.luser_relay}")
                return await expansion.report(step, Deferred("4.3.5", "mail system configuration error"))
            # A relay address that is itself unknown must not lead to itself.
            if relay.lower() not in (step.local, step.address.lower()):
                return await expansion.to_address(replace(step, unmatched=""), relay)
        if step.user in _REQUIRED:
            log.warning(f"required alias not found: {step.user}")
            return await expansion.report(step, Sent("discarded"))
        return await expansion.report(step, Bounced("5.1.1", f'unknown user: "{step.user}"'))


def _home_is_missing(user: User) -> Outcome | None:
    try:
        with rights(user.owner):
            os.stat(user.home)
    except OSError as error:
        return Deferred("4.3.0", f"cannot access home directory {user.home}: {error.strerror}")
    return None
