"""smtp-source(1): send test messages by SMTP or LMTP, over many connections at once."""

from __future__ import annotations

import os
import time

from pyfix.formats.maildate import mail_date
from pyfix.runtime.client import Clients
from pyfix.runtime.console import CommandError
from pyfix.runtime.loadtool import (
    Counter,
    families,
    number_at_least,
    own_name,
    run_tool,
    target,
    tool_options,
    window_size,
)
from pyfix.runtime.log import log
from pyfix.runtime.poll import Poll

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pyfix.runtime.client import Connection, Dialogue

    Step = Generator[None, bytes | None, None]
    Question = Generator[None, bytes | None, bool]

_OPTIONS = "46AcC:df:F:l:Lm:M:Nor:R:s:S:t:T:vw:"
_USAGE = (
    "-cdLNov -s sess -l msglen -m msgs -C count -M myhostname -f from -t to -r rcptcount -R delay -w delay host[:port]"
)
_LINE = 78
"""Bytes of a line of the payload, without CR LF."""
_BODY = b"".join(b"La de da de da %d.\r\n" % number for number in range(1, 5))


class Load:
    """What is sent, to whom, and how much of it has been sent."""

    def __init__(self, options: Sequence[tuple[str, str]]) -> None:
        """Take the options.  Raises CommandError."""
        given = {letter for letter, _ in options}
        values = dict(options)
        self.sessions = number_at_least(values.get("s", "1"), 1, "bad session count")
        self.messages = number_at_least(values.get("m", "1"), 1, "bad message count")
        self.tries = number_at_least(values.get("C", "1"), 1, "bad connection count")
        self.window = window_size(values["T"]) if "T" in given else 0
        self.fixed_delay = number_at_least(values.get("w", "0"), 0, "bad fixed delay")
        self.random_delay = number_at_least(values.get("R", "0"), 0, "bad random delay")
        self.recipients = number_at_least(values.get("r", "1"), 1, "bad recipient count")
        if "l" in given:
            number_at_least(values["l"], 1, "bad message length")
        self._name = own_name(values.get("M"))
        default = f"foo@{self._name}"
        self.sender = os.fsencode(values.get("f", default))
        self._localpart, self._at, self._domain = os.fsencode(values.get("t", default)).partition(b"@")
        if {"w", "R"} <= given:
            raise CommandError("do not use -w and -R options at the same time")
        if {"l", "F"} <= given:
            raise CommandError("-l option cannot be used with -F")
        self.verb = "" if "o" in given else "LHLO" if "L" in given else "HELO"
        self.greeting = f"{self.verb} {self._name}\r\n".encode()
        self.body = _body(values) + b".\r\n"
        self.answers_each = "L" in given
        self.stays = "d" in given
        self.aborts = "A" not in given
        self.shows = "v" in given
        self._subject = b"Subject: %b\r\n" % os.fsencode(values["S"]) if "S" in given else b""
        self._has_headers = not given & {"o", "F"}
        self._is_numbered = "N" in given or self.recipients > 1
        self._number = 0
        """Recipients so far."""
        self._done = 0
        self.counter = Counter("c" in given)

    def recipient(self) -> bytes:
        """Return the next recipient's address."""
        if not self._is_numbered:
            return b"%b%b%b" % (self._localpart, self._at, self._domain)
        number = self._number
        self._number = number + 1
        return b"%b%d%b%b" % (self._localpart, number, self._at, self._domain)

    def content(self, recipient: bytes, fd: int, left: int) -> bytes:
        """Return a message as DATA carries it; descriptor and number of messages left make its name."""
        if not self._has_headers:
            return self.body
        identity = f"{os.getpid():04x}.{fd:04x}.{left:04x}@{self._name}"
        return b"From: <%b>\r\nTo: <%b>\r\nDate: %b\r\nMessage-Id: <%b>\r\n%b\r\n%b" % (
            self.sender,
            recipient,
            mail_date(int(time.time())).encode(),
            identity.encode(),
            self._subject,
            self.body,
        )

    def sent(self) -> None:
        """Count a message."""
        self._done += 1
        self.counter.show(str(self._done))


class Session:
    """One connection's dialogue."""

    __slots__ = ("_clients", "_connection", "_load", "_unread")

    def __init__(self, load: Load, clients: Clients, connection: Connection) -> None:
        self._load = load
        self._clients = clients
        self._connection = connection
        self._unread = b""

    def talk(self) -> Dialogue:
        """Send one message, or with ``-d`` as many as are left.  Raises CommandError."""
        load, clients, send = self._load, self._clients, self._connection.send
        yield from self._accepts("reading server greeting", "rejected at server banner:")
        if load.verb:
            send(load.greeting)
            yield from self._accepts(f"sending {load.verb}", f"{load.verb} rejected:")
        yield from self._message(clients.left)
        while load.stays and clients.left > 0:
            clients.left -= 1
            left = clients.left
            delay = clients.delay()
            if delay:
                clients.poll.later(delay, lambda: self._connection.resume(None))
                while (data := (yield)) is not None:
                    self._keep(data, "sending sender")
            yield from self._message(left)
        send(b"QUIT\r\n")
        yield  # whatever it says
        clients.another()

    def _message(self, left: int) -> Step:
        load, send, accepts = self._load, self._connection.send, self._accepts
        send(b"MAIL FROM:<%b>\r\n" % load.sender)
        accepted = 0
        if (yield from accepts("sending sender", "sender rejected:")):
            for _ in range(load.recipients):
                recipient = load.recipient()
                send(b"RCPT TO:<%b>\r\n" % recipient)
                if (yield from accepts("sending recipient", "recipient rejected:")):
                    accepted += 1
        if accepted:
            send(b"DATA\r\n")
            if (yield from accepts("sending DATA command", "data rejected:")):
                send(load.content(recipient, self._connection.fd, left))
                for _ in range(accepted if load.answers_each else 1):
                    yield from accepts("sending message", "end of data rejected:")
                load.sent()
                return
        send(b"RSET\r\n")
        yield from accepts("sending message", "rset rejected:")

    def _accepts(self, doing: str, complaint: str) -> Question:
        """Wait for a reply; tell whether it is positive.

        Raises CommandError when the server leaves instead, or the reply is none of what ``-A`` forgives.
        """
        data = self._unread or (yield)
        if data and data[-1] == 10 and data[3:4] == b" " and data.find(b"\n") == len(data) - 1:
            end = len(data)  # one reply of one line: nearly always
        else:
            self._unread = b""
            self._keep(data, doing)
            while not (end := _end_of_reply(self._unread)):
                self._keep((yield), doing)
            data = self._unread
        self._unread = data[end:]
        if self._load.shows:
            for line in data[:end].splitlines():
                log.info(f"<<< {os.fsdecode(line)}")
        if data[:1] in b"23":
            return True
        lines = os.fsdecode(data[:end]).splitlines()
        text = f"{complaint} {lines[0][:3]} " + "\n".join(line[4:] for line in lines)
        if self._load.aborts:
            raise CommandError(text)
        log.warning(text)
        return False

    def _keep(self, data: bytes | None, doing: str) -> None:
        if not data:
            raise CommandError(f"lost connection while {doing}")
        self._unread += data


def _end_of_reply(data: bytes) -> int:
    """Return where the first reply in *data* ends, 0 when it is not all there."""
    start = 0
    while (end := data.find(b"\n", start) + 1) > 0:
        if data[start + 3 : start + 4] != b"-":
            return end
        start = end
    return 0


def _body(values: dict[str, str]) -> bytes:
    if "F" in values:
        try:
            with open(values["F"], "rb") as stream:
                content = stream.read()
        except OSError as error:
            raise CommandError(f"open {values['F']}: {error.strerror}") from None
        # A blank line follows the last.
        lines = content.removesuffix(b"\n").split(b"\n")
        return b"".join(b"%b%b\r\n" % (b"." if line.startswith(b".") else b"", line) for line in [*lines, b""])
    if "l" not in values:
        return _BODY
    lines, left = [], int(values["l"])
    while left > _LINE + 2:
        lines.append(b"%d%b\r\n" % ((len(lines) + 1) % 10, b"X" * (_LINE - 1)))
        left -= _LINE + 2
    return b"".join([*lines, b"X" * left, b"\r\n"])


def main(argv: Sequence[str]) -> int:
    """Send what the options say; return the exit status.

    Source: smtp-source(1).
    """
    return run_tool("smtp-source", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    options, words = tool_options(argv, _OPTIONS, _USAGE)
    load = Load(options)
    if len(words) != 1:
        raise CommandError(f"usage: {log.tag} {_USAGE}")
    address = target(words[0], "smtp", families([letter for letter, _ in options]))
    clients = Clients(Poll(), address, window=load.window, tries=load.tries, messages=load.messages)
    clients.fixed_delay, clients.random_delay = load.fixed_delay, load.random_delay
    clients.talk = lambda connection: Session(load, clients, connection).talk()
    clients.start(load.sessions)
    clients.poll.run()
    load.counter.close()
    return 0
