"""trivial-rewrite(8): answers the questions of private/rewrite.

Answers that follow from main.cf and from tables in files are kept, so that most requests cost one look into a
dictionary.  When a table changes, the process tells its clients, and ends when they have gone; the next one opens the
new table.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.config.snapshot import Snapshot
from pyfix.formats.attributes import AttributeListError, decode_pairs, end_of_list
from pyfix.protocols.internal.rewrite import (
    FAIL,
    PROTOCOL,
    TABLES_CHANGED,
    ResolveReply,
    ResolveRequest,
    RewriteReply,
    RewriteRequest,
    VerifyRequest,
)
from pyfix.rewriting.resolving.address_class import AddressClasses, ClassError
from pyfix.rewriting.resolving.complaint import complaints
from pyfix.rewriting.resolving.local_domain import LocalDomains
from pyfix.rewriting.resolving.resolve import Resolver
from pyfix.rewriting.resolving.rewrite import LOCAL, REMOTE, Rewriter
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, background, run
from pyfix.runtime.ipc import handshake
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream
from pyfix.tables.source import open_tables, restart_if_changed
from pyfix.tables.table import TableError

_MOST_ANSWERS: Final = 20000
_CHECK_EVERY: Final = 1.0
"""Seconds between two looks at the tables' files."""
_KEPT_TYPES: Final = frozenset(("hash", "btree", "cdb", "texthash", "inline", "static", "cidr", "regexp", "pcre"))
"""Types of tables that answer the same until their file changes."""


class _BadRequest(Exception):
    """What a client asks makes no sense; the connection is closed."""


class TrivialRewrite(Daemon):
    """trivial-rewrite(8)."""

    program = "trivial-rewrite"
    capacity = 1000

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        self.settings = RewriteSettings(snapshot)
        self.settings.check()
        self._answers: dict[bytes, bytes] = {}
        self._next_check = 0.0
        self._outdated = False
        self._greeting = handshake(PROTOCOL)

    def before_jail(self) -> None:
        """Open the tables.  Raises ConfigError."""
        settings = self.settings
        self._local = LocalDomains(settings)
        self._classes = AddressClasses(settings)
        self._warn_of_default = self._uses_old_default()
        self.rewriter = Rewriter(settings, warn_of_default=self._warn_of_default)
        self.resolver = Resolver(settings, self.rewriter, self._local, self._classes, time.monotonic)
        self._keeps = all(table.kind in _KEPT_TYPES for table in open_tables())

    def _uses_old_default(self) -> bool:
        """Say whether append_dot_mydomain is on only because compatibility_level asks for old defaults."""
        if not self.settings.append_dot_mydomain or self.snapshot.raw("append_dot_mydomain") is not None:
            return False
        return self.snapshot.expand("${{$compatibility_level} <level {1} ? {old} : {}}") == "old"

    def started(self) -> None:
        """Look up what holds for all addresses."""
        background(self._prepare())

    async def _prepare(self) -> None:
        await self.resolver.prepare()
        if self._warn_of_default:
            ours = await self._has_class("localhost")
            self.rewriter = Rewriter(self.settings, warn_of_default=True, localhost_is_ours=ours)

    async def _has_class(self, domain: str) -> bool:
        try:
            return await self._local.match(domain) or await self._classes.is_listed(domain)
        except (TableError, ClassError):
            return True

    def accepter(self, listener: socket.socket) -> Callable[[int], None]:
        """Return the handler for events of one listening socket: no client is accepted with old tables."""
        accept = super().accepter(listener)

        def accept_unless_outdated(event: int) -> None:
            self._look_at_tables()
            if not self._outdated:
                accept(event)

        return accept_unless_outdated

    async def serve(self, stream: Stream) -> None:
        """Answer one client until it goes, stops for too long within a request or asks a process with old tables."""
        stream.write(self._greeting)
        timeout, stream.timeout = stream.timeout, 0
        answers = self._answers
        data = b""
        while more := await stream.read():
            data = data + more if data else more
            start = 0
            while (end := end_of_list(data, start)) >= 0:
                request = data if start == 0 and end == len(data) else data[start:end]
                start = end
                if self.loop.now >= self._next_check and not self._outdated:
                    self._look_at_tables()
                reply = answers.get(request)
                if reply is None:
                    try:
                        reply = await self._answer(request)
                    except (AttributeListError, _BadRequest) as error:
                        log.warning(str(error))
                        return
                stream.write(reply)
            data = data[start:]
            stream.timeout = timeout if data else 0
            if self._outdated and not data:
                return

    def _look_at_tables(self) -> None:
        """See whether a table's file has changed; then the process takes no more clients and ends after the last."""
        self._next_check = self.loop.now + _CHECK_EVERY
        if restart_if_changed():
            self._outdated = True
            self._answers.clear()
            self.status.taken()
            self.retire()

    async def _answer(self, data: bytes) -> bytes:
        """Work out the reply to one request, and keep it if it will stay true.

        Raises AttributeListError, or _BadRequest for a request or context that does not exist.
        """
        pairs = decode_pairs(data)
        name = pairs[0][1] if pairs and pairs[0][0] == "request" else ""
        flags = TABLES_CHANGED if self._outdated else 0
        if name == "rewrite":
            question = RewriteRequest.from_pairs(pairs)
            if question.rule not in (LOCAL, REMOTE):
                raise _BadRequest(f"unknown context: {question.rule}")
            address = self.rewriter.rewrite(question.rule, question.address)
            if log.verbosity:
                log.info(f"`{question.rule}' `{question.address}' -> `{address}'")
            reply = RewriteReply(flags, address).encode()
            keep = bool(question.address) and not self._warn_of_default
        elif name in ("resolve", "verify"):
            asked = (VerifyRequest if name == "verify" else ResolveRequest).from_pairs(pairs)
            before = complaints.count
            found = await self.resolver.resolve(asked.sender, asked.address, verify=name == "verify")
            if log.verbosity:
                log.info(
                    f"`{asked.sender}' -> `{asked.address}' -> "
                    f"(`{found.transport}' `{found.nexthop}' `{found.recipient}' `{found.resolve_flags}')"
                )
            reply = ResolveReply(flags, found.transport, found.nexthop, found.recipient, found.resolve_flags).encode()
            keep = self._keeps and complaints.count == before and not found.resolve_flags & FAIL
        else:
            raise _BadRequest(f"bad command {name[:30]}")
        if keep and not self._outdated:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            self._answers[data] = reply
        return reply


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(TrivialRewrite, argv)
