"""What smtpd(8) would say in a session, and why: the engine itself, with a client that is only imagined.

``postfix explain`` runs this as a program of its own.  It reads one JSON object from standard input and writes one:

    {"service": "", "sessions": [{"client": {"address": "192.0.2.1", "name": ""}, "login": "", "tls": "",
                                      "commands": ["EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<c@d>"]}]}

The answer has for each session its steps: the command, the reply, the restrictions that were asked with their verdicts,
the table lookups, and what would have been logged; and for each accepted recipient the route, with the table lookups on
the way.  Policy services, DNS and databases are asked as smtpd would ask them; anvil(8), milters and smtpd_proxy_filter
are left out, and no message reaches the queue.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from pyfix.access.decisions import Decision, Decisions
from pyfix.access.peer import PeerNames
from pyfix.access.transaction import NAME_OK, NAME_PERMANENT, UNKNOWN, Client, Transaction
from pyfix.clients.cleanup import NewMessage
from pyfix.config import master_cf
from pyfix.config.errors import ConfigError
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_startup
from pyfix.daemons.smtpd.route import Routes
from pyfix.daemons.smtpd.server import Server
from pyfix.daemons.smtpd.session import Session
from pyfix.protocols.internal.cleanup import Status
from pyfix.rewriting.resolving.direct import DirectResolver
from pyfix.runtime.log import log
from pyfix.runtime.loop import install
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import spawn
from pyfix.tables import source
from pyfix.tls.facts import TlsFacts

__all__ = ["main"]

_NOT_ASKED: Final = {
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_client_message_rate_limit": "0",
    "smtpd_client_recipient_rate_limit": "0",
    "smtpd_client_auth_rate_limit": "0",
    "smtpd_client_new_tls_session_rate_limit": "0",
    "smtpd_milters": "",
    "smtpd_proxy_filter": "",
    "smtpd_error_sleep_time": "0",
    "notify_classes": "",
    "smtpd_upstream_proxy_protocol": "",
    "smtpd_tls_wrappermode": "no",
}
"""What would count the client, or show the message to others."""
_TIMEOUT: Final = 300.0


class _Nowhere(NewMessage):
    """A message that nobody gets."""

    __slots__ = ()

    def __init__(self) -> None:
        self.queue_id = "NOQUEUE"

    def write(self, records: bytes) -> None:
        """Forget it."""

    async def relieve(self) -> None:
        """Forget it."""

    def send_early(self) -> None:
        """Forget it."""

    async def finish(self) -> Status:
        """Say that all is well."""
        return Status(status=0, reason="")

    def cancel(self) -> None:
        """Forget it."""


class _Server(Server):
    """smtpd without cleanup(8)."""

    async def new_message(self, bits: int) -> NewMessage:
        """Begin a message that goes nowhere."""
        return _Nowhere()


@dataclass(slots=True)
class _Step:
    """What happened from one command to the next."""

    command: str
    reply: str = ""
    decisions: list[dict[str, object]] = field(default_factory=list)
    lookups: list[dict[str, str | None]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def as_object(self) -> dict[str, object]:
        """Return what is printed."""
        return {
            "command": self.command, "reply": self.reply, "decisions": self.decisions, "lookups": self.lookups,
            "log": self.log,
        }  # fmt: skip


class Explanation:
    """Plays sessions to a server and takes notes.  Raises ConfigError where smtpd would not start."""

    def __init__(self, snapshot: Snapshot, rewriting: Snapshot, cleanup: Snapshot) -> None:
        """The values of smtpd(8), of the trivial-rewrite(8) that it asks, and of cleanup(8)."""
        self._step = _Step("")
        self._lines: list[str] = []
        log.keep_apart(self._lines)
        source.observe(self._looked_up)
        resolver = DirectResolver(rewriting, remembers=True)
        self._server: Final = _Server(
            snapshot.with_overrides(list(_NOT_ASKED.items())),
            snapshot.service_name,
            decisions=Decisions(self._decided),
            resolver=resolver,
        )
        self._server.open_rewritten_senders()
        settings = self._server.settings
        self._server.policy.has_filter_before_queue = bool(snapshot.value("smtpd_proxy_filter"))
        self._peers: Final = PeerNames(
            lookup=settings.smtpd_peername_lookup, log_port=settings.smtpd_client_port_logging
        )
        self._routes: Final = Routes(cleanup, resolver)

    def _looked_up(self, table: str, key: str, value: str | None) -> None:
        self._step.lookups.append({"table": table, "key": key, "value": value})

    def _decided(self, _transaction: Transaction, decision: Decision) -> None:
        self._step.decisions.append(
            {
                "place": decision.place,
                "position": decision.position,
                "restriction": decision.restriction,
                "argument": decision.argument,
                "verdict": decision.word,
                "final": decision.is_final,
                "lookups": self._step.lookups,
            }
        )
        self._step.lookups = []

    async def session(self, asked: dict[str, Any]) -> dict[str, object]:
        """Play one session and return the notes."""
        client = await self._client(asked["client"])
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        session = Session(self._server, Stream(theirs, _TIMEOUT), client)
        transaction = session.transaction
        if asked.get("login"):
            transaction.sasl_username, transaction.sasl_method = asked["login"], "PLAIN"
        if asked.get("tls"):
            transaction.tls = TlsFacts(asked["tls"], "TLS_AES_256_GCM_SHA384", 256, 256)
        steps: list[dict[str, object]] = []
        accepted: list[tuple[str, str]] = []
        over: list[BaseException | None] = []
        self._begin("")
        spawn(_whole(session), over.append)
        stream = Stream(ours, _TIMEOUT)
        reader = _Replies(stream)
        try:
            self._end(await reader.next(), steps)
            for command in asked["commands"]:
                self._begin(command)
                before = transaction.accepted
                stream.write(command.encode("utf-8", "surrogateescape") + b"\r\n")
                reply = await reader.next()
                if reply.startswith("354"):
                    stream.write(b".\r\n")
                    reply = await reader.next()
                self._end(reply, steps)
                if transaction.accepted > before and transaction.recipient is not None:
                    accepted.append((transaction.sender or "", transaction.recipient))
        except (StreamClosed, StreamTimeout):
            self._end("(the connection is closed)", steps)
        finally:
            stream.close()
        self._begin("")
        routes = [route for sender, recipient in accepted for route in await self._routes.of(sender, recipient)]
        named = {"address": client.address, "name": client.name, "reverse_name": client.reverse_name}
        return {"client": named, "steps": steps, "routes": routes, "lookups": self._step.lookups}

    async def _client(self, asked: dict[str, str]) -> Client:
        address, name = asked["address"], asked.get("name", "")
        if not name:
            return await self._peers.client_at(address, "0", "127.0.0.1", "25")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        status = NAME_PERMANENT if name == UNKNOWN else NAME_OK
        return Client(
            name, address, "0", reverse_name=name, family=family, server_address="127.0.0.1", server_port="25",
            name_status=status, reverse_status=status,
        )  # fmt: skip

    def _begin(self, command: str) -> None:
        self._step = _Step(command)
        self._lines.clear()

    def _end(self, reply: str, steps: list[dict[str, object]]) -> None:
        self._step.reply = reply
        self._step.log = list(self._lines)
        steps.append(self._step.as_object())


async def _whole(session: Session) -> None:
    try:
        await session.run()
    finally:
        session.stream.close()


class _Replies:
    """Reads replies of several lines."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = b""

    async def next(self) -> str:
        """Return the next reply.  Raises StreamClosed, StreamTimeout."""
        lines: list[str] = []
        while True:
            line, newline, rest = self._buffer.partition(b"\r\n")
            if newline:
                self._buffer = rest
                lines.append(line.decode("utf-8", "surrogateescape"))
                if line[3:4] != b"-":
                    return "\n".join(lines)
                continue
            data = await self._stream.read()
            if not data:
                raise StreamClosed("closed")
            self._buffer += data


def _receiving(name: str) -> Snapshot:
    """Return the values of the smtpd(8) service *name*, or of the first one of master.cf.  Raises ConfigError."""
    directory = Snapshot.read(process_name="smtpd").config_directory
    for entry in master_cf.read_master_cf(f"{directory}/master.cf"):
        if entry.command == "smtpd" and name in ("", entry.name):
            return _read(entry)
    raise ConfigError(f"master.cf has no service {name or 'that runs smtpd'}")


def _local(directory: str, name: str, program: str) -> Snapshot:
    """Return the values of a service that other programs of the mail system ask.  Raises ConfigError."""
    for entry in master_cf.read_master_cf(f"{directory}/master.cf"):
        if entry.name == name and entry.command == program:
            return _read(entry)
    return Snapshot.read(process_name=program)


def _read(entry: master_cf.ServiceEntry) -> Snapshot:
    return Snapshot.read(
        overrides=master_cf.overrides(entry.arguments), process_name=entry.command, service_name=entry.name
    )


def _explained(question: dict[str, Any]) -> list[object]:
    """Answer all sessions of a question.  Raises ConfigError."""
    snapshot = _receiving(question["service"])
    settings = MailSettings(snapshot)
    check_startup(settings)
    os.chdir(settings.queue_directory)
    rewriting = _local(snapshot.config_directory, snapshot.value("rewrite_service_name"), "trivial-rewrite")
    cleanup = _local(snapshot.config_directory, snapshot.value("cleanup_service_name"), "cleanup")
    loop = install()
    explanation = Explanation(snapshot, rewriting, cleanup)
    found: list[object] = []

    async def all_of_them() -> None:
        for asked in question["sessions"]:
            found.append(await explanation.session(asked))

    _until_over(loop, all_of_them())
    return found


def _until_over(loop: Any, work: Coroutine[Any, Any, None]) -> None:
    problems: list[BaseException] = []

    def ended(error: BaseException | None) -> None:
        loop.stop_turning()
        if error is not None:
            problems.append(error)

    loop.callWhenRunning(spawn, work, ended)
    loop.turn()
    if problems:
        raise problems[0]


def main() -> int:
    """Answer the question on standard input; return the exit status: 1 when smtpd would not start."""
    question = json.load(sys.stdin)
    try:
        answer: dict[str, object] = {"sessions": _explained(question)}
    except ConfigError as error:
        answer = {"problem": str(error)}
    json.dump(answer, sys.stdout)
    sys.stdout.flush()
    return 1 if "problem" in answer else 0
