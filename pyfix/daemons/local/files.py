"""Files that local(8) writes: the mailbox or Maildir of a user, and the files that aliases and .forward files name.

Source: local(8), MAILBOX DELIVERY and EXTERNAL FILE DELIVERY; postconf(5) home_mailbox, mail_spool_directory,
mailbox_size_limit, mailbox_delivery_lock, strict_mailbox_ownership, biff.
"""

from __future__ import annotations

import os
import stat
from typing import Final

from pyfix.config.parameters.local import LocalSettings
from pyfix.daemons.local.biff import Biff
from pyfix.daemons.local.setup import delivered_headers, mailbox_locks
from pyfix.daemons.local.step import Step
from pyfix.daemons.local.users import User
from pyfix.delivery.filebatch import FileBatch
from pyfix.delivery.mailbox import MailboxRules, MailboxStore, check_size_limit
from pyfix.delivery.maildir import MaildirTarget
from pyfix.delivery.outcome import SENT, Outcome, Sent
from pyfix.delivery.output import Output
from pyfix.delivery.report import Delivery, is_probe
from pyfix.runtime.identity import Owner, is_rootless

__all__ = ["Files"]

_CODE: Final = "5.2.0"
_ROOT: Final = Owner(0, 0)


class Files:
    """Writes messages to files, with the rights of those who want them there."""

    def __init__(self, settings: LocalSettings) -> None:
        """Read the settings.  Raises ConfigError."""
        self._limit = settings.mailbox_size_limit
        check_size_limit("mailbox_size_limit", self._limit, settings.message_size_limit)
        locks = mailbox_locks(settings)
        self._home_mailbox = settings.home_mailbox
        self._spool = settings.mail_spool_directory
        self._mailboxes = MailboxStore(self._rules(settings, locks, settings.strict_mailbox_ownership, any_file=False))
        self._others = MailboxStore(self._rules(settings, locks, strict_ownership=False, any_file=True))
        self._tells = settings.biff
        self._biff: Biff | None = None
        self._says_original = settings.enable_original_recipient
        self._says_delivered_to = "file" in delivered_headers(settings)
        self._batch = FileBatch(settings.deliver_lock_delay)

    def _rules(
        self, settings: LocalSettings, locks: frozenset[str], strict_ownership: bool, *, any_file: bool
    ) -> MailboxRules:
        return MailboxRules(
            locks=locks,
            limit=self._limit,
            stale_lock_time=settings.stale_lock_time,
            lock_attempts=settings.deliver_lock_attempts,
            strict_ownership=strict_ownership,
            default_code=_CODE,
            any_file=any_file,
        )

    def _output(self, delivery: Delivery, step: Step) -> Output:
        delivered_to = step.delivered_to if self._says_delivered_to else ""
        original = step.recipient.original_recipient if self._says_original else ""
        return Output(delivery, step.sender, original, delivered_to)

    async def to_mailbox(self, delivery: Delivery, step: Step, user: User) -> Outcome:
        """Deliver to a user's own mailbox or Maildir, at home or in the spool."""
        home_mailbox, spool = self._home_mailbox, self._spool
        # A Maildir, at home or in the spool, goes before a file.
        if spool.endswith("/") and not home_mailbox.endswith("/"):
            path, owner = f"{spool}{user.name}/", user.owner
        elif home_mailbox:
            path, owner = f"{user.home}/{home_mailbox}", user.owner
        else:
            path, owner = f"{spool}/{user.name}", self._spool_owner(user)
        if is_probe(delivery.request):
            return Sent("delivers to maildir" if path.endswith("/") else "delivers to mailbox")
        output = self._output(delivery, step)
        if path.endswith("/"):
            return await self._to_maildir(path, owner, output)
        prefix = f"cannot update mailbox {path} for user {user.name}. "
        target = self._mailboxes.target(owner, path, output, file_owner=user.owner, prefix=prefix)
        outcome = await self._batch.deliver(target)
        if self._tells and outcome.kind == SENT:
            if self._biff is None:
                self._biff = Biff()
            self._biff.notify(user.name, target.start)
        return outcome

    async def to_file(self, delivery: Delivery, step: Step, path: str, owner: Owner) -> Outcome:
        """Deliver to a file or Maildir that an alias or a .forward file names."""
        if is_probe(delivery.request):
            return Sent(f"delivers to file: {path}")
        output = self._output(delivery, step)
        if path.endswith("/"):
            return await self._to_maildir(path, owner, output)
        prefix = f"cannot append message to file {path}: "
        delivered = Sent(f"delivered to file: {path}")
        return await self._batch.deliver(self._others.target(owner, path, output, prefix=prefix, delivered=delivered))

    async def _to_maildir(self, path: str, owner: Owner, output: Output) -> Outcome:
        return await self._batch.deliver(MaildirTarget(owner, path, output, limit=self._limit, default_code=_CODE))

    def _spool_owner(self, user: User) -> Owner:
        """Return whose rights are needed to make files in mail_spool_directory.

        The user's own where everybody may; with the folder's group where that may; else root's.
        """
        if is_rootless():
            return user.owner
        try:
            status = os.stat(self._spool)
        except OSError:
            return user.owner
        if status.st_mode & stat.S_IWOTH:
            return user.owner
        if status.st_mode & stat.S_IWGRP:
            return Owner(user.owner.uid, status.st_gid)
        return _ROOT
