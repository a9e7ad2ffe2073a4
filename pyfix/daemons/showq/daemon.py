"""showq(8): report the messages of the queue, with the reasons for which they wait.

Source: showq(8); postconf(5) duplicate_filter_limit, empty_address_recipient.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from pyfix.config.parameters.showq import ShowqSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.showq.listing import list_queue
from pyfix.queue.spool import Spool
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run
from pyfix.runtime.ipc import handshake
from pyfix.runtime.stream import Stream

_PROTOCOL: Final = "mail_queue_list_protocol"
_END: Final = b"\0"
_BATCH: Final = 65536


class Showq(Daemon):
    """Sends the whole list to each client."""

    program = "showq"
    capacity = 20

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = ShowqSettings(snapshot)
        self.settings.check()
        self._for_37 = snapshot.raw("pyfix_internal_protocol") == "3.7"
        self._spool = Spool(self.settings.hash_queue_names, self.settings.hash_queue_depth)

    async def serve(self, stream: Stream) -> None:
        """Write the list, no faster than the client reads it."""
        stream.write(handshake(_PROTOCOL))
        pending = 0
        for message in list_queue(
            self._spool,
            null_sender=self.settings.empty_address_recipient,
            most_recipients=self.settings.duplicate_filter_limit,
        ):
            data = message.encode(for_37=self._for_37)
            stream.write(data)
            pending += len(data)
            if pending > _BATCH:
                await stream.drain()
                pending = 0
        stream.write(_END)
        await stream.drain()

    def stand_alone(self) -> None:
        """Write the list to standard output, for postqueue(1) when the mail system is down."""
        parts = [handshake(_PROTOCOL)]
        size = 0
        for message in list_queue(
            self._spool,
            null_sender=self.settings.empty_address_recipient,
            most_recipients=self.settings.duplicate_filter_limit,
        ):
            parts.append(message.encode(for_37=self._for_37))
            size += len(parts[-1])
            if size > _BATCH:
                _write_all(b"".join(parts))
                parts, size = [], 0
        _write_all(b"".join(parts) + _END)


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's, or stand-alone with -S; return the exit status."""
    return run(Showq, argv)
