"""The messages that smtp-sink(1) keeps: one file each, or several in one."""

from __future__ import annotations

import os
import random
import re
import time
from errno import ENOTDIR

from pyfix.formats.maildate import mail_date
from pyfix.runtime.console import CommandError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.commands.smtp_sink.session import Session

_ESCAPE = re.compile(r"\\([abfnrtv\\]|[0-7]{1,3})")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


class Dump:
    """Where messages are kept."""

    def __init__(self, template: str, start: str, name: bytes, *, one_file: bool) -> None:
        """*one_file*: messages are appended to one file a moment in time, rather than written to one each."""
        self._template = template
        self._start = os.fsencode(_ESCAPE.sub(_unescaped, start))
        self._name = name
        self._one_file = one_file

    def write(self, session: Session, content: bytes) -> None:
        """Keep one message.  Raises CommandError when that is impossible."""
        path = time.strftime(self._template)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._one_file else os.O_EXCL)
        while True:
            number = random.getrandbits(32)
            chosen = path if self._one_file else f"{path}{number:08x}"
            try:
                os.makedirs(os.path.dirname(chosen) or ".", exist_ok=True)
            except FileExistsError:
                raise CommandError(f"open {chosen}: {os.strerror(ENOTDIR)}") from None
            except OSError as error:
                raise CommandError(f"open {chosen}: {error.strerror}") from None
            try:
                fd = os.open(chosen, flags, 0o644)
            except FileExistsError:
                continue
            except OSError as error:
                raise CommandError(f"open {chosen}: {error.strerror}") from None
            with os.fdopen(fd, "wb") as stream:
                stream.write(self._start + self._headers(session, number) + content + b"\n")
            return

    def _headers(self, session: Session, number: int) -> bytes:
        address = session.address.encode()
        helo = session.helo or b"[%b]" % address
        lines = [b"X-Client-Addr: " + address, b"X-Client-Proto: " + session.protocol]
        if session.helo:
            lines.append(b"X-Helo-Args: " + session.helo)
        lines.append(b"X-Mail-Args: " + session.mail)
        lines += [b"X-Rcpt-Args: " + recipient for recipient in session.recipients]
        lines.append(b"Received: from %b ([%b])" % (helo, address))
        lines.append(b"\tby %b (smtp-sink) with %b id %08x;" % (self._name, session.protocol, number))
        lines.append(b"\t" + mail_date(int(time.time())).encode())
        return b"\n".join(lines) + b"\n"


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return _ESCAPES[code] if code in _ESCAPES else os.fsdecode(bytes((int(code, 8) & 0xFF,)))
