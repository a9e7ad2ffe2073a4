"""cleanup(8): takes new messages and puts them into the incoming queue.  Many clients in one process.

Source: cleanup(8); postconf(5) in_flow_delay, enable_long_queue_ids.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pyfix.clients.rewrite import Rewriter
from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.cleanup.session import Session
from pyfix.daemons.cleanup.setup import Setup
from pyfix.protocols.internal.cleanup import NEXT_MESSAGE
from pyfix.protocols.internal.rewrite import PROTOCOL as REWRITE_PROTOCOL
from pyfix.queue.flow import Flow
from pyfix.queue.spool import INCOMING, Spool
from pyfix.queue.stalelogs import StaleLogs
from pyfix.queue.writer import QueueFileWriter, are_nameless, keep_spare
from pyfix.rewriting.standard import REMOTE, StandardForm
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run
from pyfix.runtime.groupcommit import GroupCommit
from pyfix.runtime.ipc import Service, trigger
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream
from pyfix.runtime.task import sleep
from pyfix.tables.source import restart_if_changed

_RETRY = 10.0
_WAKE = b"W"
_LOOK_EVERY = 1.0
"""Seconds between looks at whether tables have changed."""
_TOKEN_INTERVAL = 0.01
"""Seconds between two looks for a token of flow control."""


class Cleanup(Daemon):
    """cleanup(8), the only writer of new queue files."""

    program = "cleanup"
    capacity = 200
    process_limit = 0

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read main.cf once.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        settings = self.settings = CleanupSettings(snapshot)
        settings.check()
        self._spool = Spool(settings.hash_queue_names, settings.hash_queue_depth)
        self._logs = StaleLogs(self._spool)
        self._qmgr = f"public/{settings.queue_service_name}"
        self._long_ids = settings.enable_long_queue_ids
        self._limit = settings.message_size_limit
        self._waking = False
        self._looking = False
        self._next_look = 0.0
        self._busy = 0
        """Messages that are being taken."""

    def before_jail(self) -> None:
        """Open the tables.  Raises ConfigError."""
        self._setup = Setup(self.settings, StandardForm(self._rewrite))
        self._setup.open_tables()

    def started(self) -> None:
        """Make what needs the event loop."""
        settings = self.settings
        service = Service(
            f"private/{settings.rewrite_service_name}",
            REWRITE_PROTOCOL,
            timeout=settings.ipc_timeout,
            idle=settings.ipc_idle,
            ttl=settings.ipc_ttl,
        )
        self._rewriter = Rewriter(service)
        self._flow = Flow()
        self._commit = GroupCommit()

    async def _rewrite(self, context: str, address: str) -> str:
        return await self._rewriter.rewrite(address, "remote" if context == REMOTE else "local")

    def outdated(self) -> bool:
        """Say whether a table has changed."""
        return restart_if_changed()

    async def serve(self, stream: Stream) -> None:
        """Take messages as long as the client has any."""
        session = await self._take(stream, again=False)
        while session is not None and await self._asks_for_another(stream, session.rest):
            session = await self._take(stream, again=True)

    async def _take(self, stream: Stream, *, again: bool) -> Session | None:
        """Take one message; return its session when it was accepted.  *again*: the client has its id in advance."""
        begun = queued = False

        async def begin() -> None:
            nonlocal begun
            begun = True
            self._busy += 1
            if not self._flow.take() and self.settings.in_flow_delay:
                await self._wait_for_token()

        def tell_qmgr() -> None:
            nonlocal queued
            queued = True
            self._queued()

        if not again:
            await begin()
        try:
            file = await self._create()
            session = Session(stream, self._setup, file, self._commit, tell_qmgr, begin if again else None)
            return session if await session.run() else None
        finally:
            if begun:
                if not queued:
                    # qmgr(8) will not see this one, so nobody else gives the token back.
                    self._flow.put()
                self._busy -= 1
                self._after_message()

    async def _wait_for_token(self) -> None:
        """Wait until qmgr(8) has caught up, for in_flow_delay at most.

        Postfix's cleanup(8) always sleeps that long.  A burst that qmgr(8) takes a few milliseconds later should not
        stand still for a second; what has to wait because qmgr(8) is behind waits as long as there.
        """
        left = float(self.settings.in_flow_delay)
        while left > 0 and not self._flow.take():
            pause = min(left, _TOKEN_INTERVAL)
            await sleep(pause)
            left -= pause

    def _after_message(self) -> None:
        """Look after what can wait, when the client has its answer."""
        if not self._looking:
            self._looking = True
            self.loop.at_turn_end(self._look_ahead)

    def _look_ahead(self) -> None:
        """Prepare for the next message; make place for a new process when a table has changed."""
        self._looking = False
        if self._retiring:
            return
        if not self._busy:
            keep_spare(self._spool)
        now = self.loop.now
        if now >= self._next_look:
            self._next_look = now + _LOOK_EVERY
            if restart_if_changed():
                self.retire()

    async def _asks_for_another(self, stream: Stream, asked: bytes) -> bool:
        """Say whether the client wants another queue id over its connection, as pyfix's clients do.

        *asked* is what came with the message.  Raises StreamClosed, StreamTimeout.
        """
        if not asked or not NEXT_MESSAGE.startswith(asked) or not are_nameless(self._spool):
            return False  # no visible file waits for a client that may never come
        stream.send_soon()
        while len(asked) < len(NEXT_MESSAGE):
            more = await stream.read()
            if not more:
                return False
            asked += more
        if asked != NEXT_MESSAGE or self._retiring:
            return False
        if self.invocation.chroot and self.outdated():
            self.retire()
            return False
        self.used_again()
        return not self._retiring

    async def _create(self) -> QueueFileWriter:
        while True:
            try:
                return QueueFileWriter.create(self._spool, long_ids=self._long_ids, limit=self._limit, logs=self._logs)
            except OSError as error:
                log.warning(f"mail_queue_enter: create file {INCOMING}/: {error.strerror}")
            await sleep(_RETRY)

    def _queued(self) -> None:
        """Wake qmgr(8), once for all messages that become ready in a turn."""
        if not self._waking:
            self._waking = True
            self.loop.at_turn_end(self._wake)

    def _wake(self) -> None:
        self._waking = False
        trigger(self._qmgr, _WAKE)


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8); return the exit status."""
    return run(Cleanup, argv)
