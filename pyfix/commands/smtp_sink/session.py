"""One client of smtp-sink(1): its commands and its messages."""

from __future__ import annotations

import os
import socket

from pyfix.commands.smtp_sink.rules import drawn_seconds
from pyfix.runtime.log import log
from pyfix.runtime.server import Client

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfix.commands.smtp_sink.sink import Sink

_LONGEST_LINE = 65536
_END = b"\r\n.\r\n"
_OK_BY_COMMAND = {
    b"xclient": b"250 2.0.0 Ok\r\n",
    b"xforward": b"250 2.0.0 Ok\r\n",
    b"auth": b"250 2.0.0 Ok\r\n",
    b"noop": b"250 2.0.0 Ok\r\n",
    b"vrfy": b"250 2.0.0 Ok\r\n",
}


class Session(Client):
    """One client."""

    __slots__ = (
        "_buffer", "_content", "_held", "_in_data", "_rules", "_sink", "_tail", "address", "heard", "helo", "mail",
        "protocol", "recipients",
    )  # fmt: skip

    def __init__(self, sink: Sink, connection: socket.socket) -> None:
        super().__init__(sink.poll, connection)
        self._sink = sink
        self._rules = sink.rules
        self._buffer = b""
        self._tail = b""
        self._content: list[bytes] = []
        self._in_data = self._held = False
        self.heard = sink.now
        self.helo = self.mail = b""
        self.protocol = b"LMTP" if sink.rules.is_lmtp else b"SMTP"
        self.recipients: list[bytes] = []
        self.address = _address(connection) if sink.dump or sink.rules.shows else ""
        if sink.rules.shows:
            log.info(f"connect ({connection.family.name} {self.address})")
        sink.open.add(self)
        self._answer(b"connect", b"", lambda: sink.rules.greeting)

    # What comes

    def received(self, data: bytes) -> None:
        """Answer as much of it as is whole."""
        self.heard = self._sink.now
        self._buffer = self._buffer + data if self._buffer else data
        self._go_on()

    def left(self, problem: str) -> None:
        """End the session over *problem*."""
        if self._rules.shows or problem != "lost connection":
            log.warning(problem)
        self._end()

    def _end(self) -> None:
        if self.is_open:
            self.close()
            self._sink.ended(self)

    def _go_on(self) -> None:
        """Take what is in the buffer, as far as it is whole and nothing has to wait."""
        while self._buffer and self.is_open and not self._held:
            if self._in_data:
                self._take_content()
                continue
            line, newline, rest = self._buffer.partition(b"\n")
            if not newline:
                if len(line) > _LONGEST_LINE:
                    self.left("command line too long")
                return
            self._buffer = rest
            self._command(line.rstrip(b"\r"))

    def _command(self, line: bytes) -> None:
        if self._rules.shows:
            log.info(os.fsdecode(line))
        words = line.split(None, 1)
        if not words:
            self.send(b"500 5.5.2 Error: unknown command\r\n")
            return
        verb, arguments = words[0].lower(), words[1] if len(words) > 1 else b""
        if verb not in self._rules.known:
            self.send(b"500 5.5.1 Error: unknown command\r\n")
            return
        self._answer(verb, arguments, lambda: _ANSWERS[verb](self, arguments))

    def _answer(self, verb: bytes, arguments: bytes, usual: Callable[[], bytes]) -> None:
        rules = self._rules
        if verb in rules.logged:
            log.info(f"{os.fsdecode(verb)} {os.fsdecode(arguments):.100}")
        if verb in rules.delays:
            self._hold(drawn_seconds(*rules.delays[verb]), lambda: self._say(verb, usual))
        else:
            self._say(verb, usual)

    def _say(self, verb: bytes, usual: Callable[[], bytes]) -> None:
        rules = self._rules
        if verb in rules.leaves:
            if rules.leaves[verb]:
                self.send(rules.leaves[verb])
            self._end()
        elif verb in rules.replies:
            if verb == b".":
                self._forget()
            self.send(rules.replies[verb])
        else:
            self.send(usual())
            if verb == b"quit":
                self._sink.quit()
                self._end()

    def _hold(self, seconds: int, act: Callable[[], None]) -> None:
        """Take nothing from the client for *seconds*, then do something and go on."""

        def go_on() -> None:
            self._held = False
            if self.is_open:
                self.heard = self._sink.now
                self.resume()
                act()
                self._go_on()

        self._held = True
        self.pause()
        self.poll.later(seconds, go_on)

    # Commands

    def hello(self, arguments: bytes) -> bytes:
        """HELO."""
        self._forget()
        self.helo = arguments
        return b"250 %b\r\n" % self._rules.name

    def extended_hello(self, arguments: bytes) -> bytes:
        """EHLO or LHLO."""
        self._forget()
        self.helo = arguments
        if not self._rules.is_lmtp:
            self.protocol = b"ESMTP"
        return self._rules.features

    def sender(self, arguments: bytes) -> bytes:
        """MAIL."""
        if self.mail:
            return b"503 5.5.1 Error: nested MAIL command\r\n"
        self.mail = arguments.partition(b":")[2].strip() or b" "
        return b"250 2.1.0 Ok\r\n"

    def recipient(self, arguments: bytes) -> bytes:
        """RCPT."""
        if not self.mail:
            return b"503 5.5.1 Error: need MAIL command\r\n"
        self.recipients.append(arguments.partition(b":")[2].strip())
        return b"250 2.1.5 Ok\r\n"

    def data(self, _arguments: bytes) -> bytes:
        """DATA."""
        rules = self._rules
        if not self.recipients:
            return b"503 5.5.1 Error: need RCPT command\r\n"
        self._in_data = True
        self._tail = _END[:2]
        if rules.abort_delay >= 0:
            self._hold(rules.abort_delay, self._abort)
        elif rules.data_delay:
            self._hold(rules.data_delay, lambda: None)
        return b"354 End data with <CR><LF>.<CR><LF>\r\n"

    def _abort(self) -> None:
        self.send(b"550 This violates SMTP\r\n")
        self._end()

    def reset(self, _arguments: bytes) -> bytes:
        """RSET."""
        self._forget()
        return b"250 2.1.0 Ok\r\n"

    def bye(self, _arguments: bytes) -> bytes:
        """QUIT."""
        return b"221 Bye\r\n"

    def _forget(self) -> None:
        self.mail = b""
        self.recipients = []
        self._content = []

    def _take_content(self) -> None:
        buffer, tail = self._buffer, self._tail
        seen = tail + buffer
        end = seen.find(_END)
        if end < 0:
            self._tail = seen[-len(_END) + 1 :]
            if self._sink.dump:
                self._content.append(buffer)
            self._buffer = b""
            return
        end += len(_END) - len(tail)
        self._buffer = buffer[end:]
        self._in_data = False
        if self._sink.dump and b"." not in self._rules.replies:
            content = b"".join([*self._content, buffer[:end]])[: -len(_END) + 2]
            lines = content.replace(b"\r\n", b"\n").split(b"\n")
            self._sink.dump.write(self, b"\n".join(line[1:] if line[:1] == b"." else line for line in lines))
        self._sink.message()
        if self.poll.stopped:
            return
        self._answer(b".", b"", self._accepted)

    def _accepted(self) -> bytes:
        reply = b"250 2.2.0 Ok\r\n" * len(self.recipients) if self._rules.is_lmtp else b"250 2.0.0 Ok\r\n"
        self._forget()
        return reply


def _fixed(reply: bytes) -> Callable[[Session, bytes], bytes]:
    return lambda _session, _arguments: reply


_ANSWERS: dict[bytes, Callable[[Session, bytes], bytes]] = {
    b"helo": Session.hello,
    b"ehlo": Session.extended_hello,
    b"lhlo": Session.extended_hello,
    b"mail": Session.sender,
    b"rcpt": Session.recipient,
    b"data": Session.data,
    b"rset": Session.reset,
    b"quit": Session.bye,
    **{verb: _fixed(reply) for verb, reply in _OK_BY_COMMAND.items()},
}


def _address(connection: socket.socket) -> str:
    if connection.family == socket.AF_UNIX:
        return "local"
    host: str = connection.getpeername()[0]
    return f"ipv6:{host}" if connection.family == socket.AF_INET6 else host
