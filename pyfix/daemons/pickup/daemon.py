"""pickup(8): waits for hints that local users posted mail, and brings it to cleanup(8).

Source: pickup(8); postconf(5) content_filter, receive_override_options, smtputf8_autodetect_classes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

from pyfix.clients.cleanup import NewMessage, input_flags
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.mail_entry import MailEntrySettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.pickup.filter import Malformed, NoSender, PostedFilter
from pyfix.formats import status as bits
from pyfix.formats.address import internal_to_external
from pyfix.formats.maildate import mail_date
from pyfix.formats.records import FILTER, encode_record
from pyfix.formats.status import cleanup_detail
from pyfix.protocols.internal.cleanup import AUTO_UTF8, BOUNCE, MILTER
from pyfix.queue import maildrop
from pyfix.queue.maildrop import Posted, Refused
from pyfix.queue.spool import MAILDROP, Spool
from pyfix.runtime import identity
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import background, run
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.task import gather
from pyfix.runtime.triggers import TriggerDaemon

_AT_A_TIME: Final = 8
"""Messages that are on their way to cleanup(8) at the same time, so that it can sync them together."""
_BLOCK: Final = 131072
_GONE: Final = bits.BAD | bits.NO_RECIPIENT
"""Errors that will not go away: the file is deleted."""


class PickupSettings(MailEntrySettings, MailSettings):
    """The parameters that pickup(8) reads."""


class Pickup(TriggerDaemon):
    """pickup(8), the only reader of the maildrop."""

    program = "pickup"
    process_limit = 1

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read main.cf once.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        settings = self.settings = PickupSettings(snapshot)
        settings.check()
        self._spool = Spool(settings.hash_queue_names, settings.hash_queue_depth)
        self._owner = identity.mail_owner(settings.mail_owner).uid
        flags = input_flags(settings.receive_override_options, milters=True) | BOUNCE
        detect = not {"sendmail", "all"}.isdisjoint(word.lower() for word in settings.smtputf8_autodetect_classes)
        self._flags = flags | (AUTO_UTF8 if detect else 0)
        self._flags_again = flags & ~MILTER
        self._busy = False
        self._again = False

    def triggered(self, requests: bytes) -> None:
        """Look into the maildrop, whatever the hint says."""
        if self._busy:
            self._again = True
            return
        self._busy = True
        self.client_began()
        background(self._scan())

    async def _scan(self) -> None:
        try:
            while True:
                self._again = False
                try:
                    names = maildrop.names(self._spool)
                except OSError as error:
                    log.warning(f"open directory maildrop: {error.strerror}")
                    break
                waiting = iter(names)
                taken = await gather(*[self._work(waiting) for _ in range(min(_AT_A_TIME, len(names)))])
                if not any(taken) and not self._again:
                    break
        finally:
            self._busy = False
            self.client_ended()

    async def _work(self, names: Iterator[str]) -> int:
        """Take messages from *names*, which other workers share; return how many are gone from the maildrop."""
        taken = 0
        for name in names:
            try:
                taken += await self._take(name)
            except OSError as error:
                log.warning(f"maildrop/{name}: {error.strerror}")
        return taken

    async def _take(self, name: str) -> bool:
        """Take one file; tell whether it is gone from the maildrop."""
        try:
            posted = maildrop.look_at(self._spool, name)
            if posted is None:
                return False
            fd = maildrop.open_safely(posted)
        except Refused as refusal:
            log.warning(str(refusal))
            if refusal.remove:
                return _remove(self._spool.path(MAILDROP, name))
            if isinstance(refusal.__cause__, PermissionError):
                path = os.path.join(self.settings.queue_directory, self._spool.path(MAILDROP, name))
                log.warning(f"if this file was created by Postfix < 1.1, then you may have to chmod a+r {path}")
            return False
        try:
            finished = await self._bring(posted, fd)
        except ServiceError as error:
            log.warning(f"{posted.path}: {error}")
            return False
        finally:
            os.close(fd)
        return finished and _remove(posted.path)

    async def _bring(self, posted: Posted, fd: int) -> bool:
        """Bring an open file to cleanup(8); tell whether it can go.  Raises ServiceError, OSError."""
        settings = self.settings
        again = posted.requeued(self._owner)
        flags = self._flags_again if again else self._flags
        message = await NewMessage.open(settings.cleanup_service_name, flags, settings.ipc_timeout)
        queue_id = message.queue_id
        now = time.time()
        strange = posted.age_warning(now)
        if strange:
            log.warning(f"{queue_id}: {strange}")

        def begin(sender: bytes) -> list[bytes]:
            address = internal_to_external(sender.partition(b"\0")[0].decode("utf-8", "surrogateescape"))
            origin = f" orig_id={posted.name}" if again else ""
            log.info(f"{queue_id}: uid={posted.uid} from=<{address}>{origin}")
            return [
                f"Received: by {settings.myhostname} ({settings.mail_name}, from userid {posted.uid})".encode(),
                f"\tid {queue_id}; {mail_date(int(now))}".encode(),
            ]

        records = PostedFilter(settings.line_length_limit, begin)
        try:
            if settings.content_filter:
                message.write(encode_record(FILTER, settings.content_filter.encode()))
            while data := os.read(fd, _BLOCK):
                message.write(records.feed(data))
                if records.done:
                    break
                await message.relieve()
            records.end()
        except Malformed as fault:
            message.cancel()
            if fault.detail:
                log.warning(f"{posted.path}: {fault.detail}")
            log.warning(f"uid={posted.uid}: {fault}")
            return True
        except NoSender:
            message.cancel()
            log.warning(f"{queue_id}: uid={posted.uid}: no envelope sender")
            return True
        except BaseException:
            message.cancel()
            raise
        answer = await message.finish()
        status = answer.status
        if status and not answer.reason:  # with a reason cleanup has told the log more
            log.warning(f"{posted.path}: error writing {queue_id}: {cleanup_detail(status).text}")
        return not status or bool(status & _GONE)


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError as error:
        log.warning(f"remove {path}: {error.strerror}")
        return False
    return True


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8); return the exit status."""
    return run(Pickup, argv)
