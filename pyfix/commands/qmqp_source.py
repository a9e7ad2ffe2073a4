"""qmqp-source(1): send test messages by QMQP, over many connections at once."""

from __future__ import annotations

import os
import time

from pyfix.formats import netstring
from pyfix.formats.maildate import mail_date
from pyfix.runtime.client import Clients
from pyfix.runtime.console import CommandError
from pyfix.runtime.loadtool import Counter, families, number_at_least, own_name, run_tool, target, tool_options
from pyfix.runtime.log import log
from pyfix.runtime.poll import Poll

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfix.runtime.client import Connection, Dialogue

_OPTIONS = "46cC:f:l:m:M:r:R:s:t:vw:"
_USAGE = "-cv -s sess -l msglen -m msgs -C count -M myhostname -f from -t to -R delay -w delay host[:port]"
_PORT = "628"
_LONGEST_LINE = 80
_LONGEST_REPLY = 8192
_COMPLAINTS = {b"Z": "recoverable error", b"D": "unrecoverable error"}


def main(argv: Sequence[str]) -> int:
    """Send what the options say; return the exit status.

    Source: qmqp-source(1).
    """
    return run_tool("qmqp-source", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    options, words = tool_options(argv, _OPTIONS, _USAGE)
    values = dict(options)
    usage = f"usage: {log.tag} {_USAGE}"

    def number(letter: str, default: int, least: int = 1) -> int:
        return number_at_least(values.get(letter, str(default)), least, usage[: usage.index(" -")])

    try:
        sessions, messages, length = number("s", 1), number("m", 1), number("l", 1024)
        tries, recipients = number("C", 1), number("r", 1)
        fixed_delay, random_delay = number("w", 0, 0), number("R", 0, 0)
    except CommandError:
        raise CommandError(usage) from None
    name = own_name(values.get("M"))
    if len(words) != 1 or {"w", "R"} <= values.keys():
        raise CommandError(usage)
    sender, to = os.fsencode(values.get("f", f"foo@{name}")), os.fsencode(values.get("t", f"foo@{name}"))
    request = _request(sender, to, recipients, _content(sender, to, name, length))
    counter = Counter("c" in values)
    done = 0

    def talk(connection: Connection) -> Dialogue:
        nonlocal done
        connection.send(request)
        reply = b""
        while True:
            data = yield
            if not data:
                raise CommandError("lost connection while receiving server reply")
            reply += data
            try:
                parsed = netstring.decode(reply, _LONGEST_REPLY)
            except netstring.NetstringTooLong:
                raise CommandError("netstring size exceeds limit while receiving server reply") from None
            except netstring.NetstringError:
                raise CommandError("netstring format error while receiving server reply") from None
            if parsed:
                break
        if "v" in values:
            log.info(f"<< {os.fsdecode(parsed[0])}")
        if parsed[0][:1] != b"K":
            raise CommandError(f"{_COMPLAINTS.get(parsed[0][:1], 'unknown error')}: {os.fsdecode(parsed[0][1:])}")
        done += 1
        counter.show(str(done))
        clients.another()

    clients = Clients(Poll(), target(words[0], _PORT, families(list(values))), window=0, tries=tries, messages=messages)
    clients.fixed_delay, clients.random_delay = fixed_delay, random_delay
    clients.talk = talk
    clients.start(sessions)
    clients.poll.run()
    counter.close()
    return 0


def _content(sender: bytes, to: bytes, name: str, length: int) -> bytes:
    """Return a message of *length* bytes, headers included: lines of growing length, the last one cut."""
    headers = b"From: <%b>\nTo: <%b>\nDate: %b\nMessage-Id: <%d@%b>\n\n" % (
        sender,
        to,
        mail_date(int(time.time())).encode(),
        os.getpid(),
        name.encode(),
    )
    lines, total, width = [headers], len(headers), 1
    while total < length:
        lines.append(b"X" * width + b"\n")
        total += width + 1
        width = width + 1 if width < _LONGEST_LINE else 1
    return b"".join(lines)[: length - 1] + b"\n"


def _request(sender: bytes, to: bytes, count: int, content: bytes) -> bytes:
    recipients = [to] if count == 1 else [b"%d%b" % (number, to) for number in range(count)]
    return netstring.encode(b"".join(map(netstring.encode, (content, sender, *recipients))))
