"""The mail log: syslog, or postlogd(8) when maillog_file is set.

A logger that is gone, full or slow stops nobody: lines wait in memory, in a bounded queue, and
are dropped only when that is full.
"""

from __future__ import annotations

import _socket  # the wrapper around it costs a command some milliseconds
import errno
import os
import sys
from collections import deque
from time import localtime, monotonic, strftime, time

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

_FACILITIES: Final = {
    "auth": 4, "authpriv": 10, "cron": 9, "daemon": 3, "ftp": 11, "kern": 0, "lpr": 6, "mail": 2, "news": 7,
    "security": 4, "syslog": 5, "user": 1, "uucp": 8,
    "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
}  # fmt: skip
_SEVERITIES: Final = {"info": 6, "warning": 4, "error": 3, "fatal": 2, "panic": 2}
_MOST_TEXT: Final = 2000
_MOST_WAITING: Final = 20000
_FILE_MODE: Final = 0o600
_MOST_DATAGRAM: Final = 4000
"""Bytes of lines in one datagram; postlogd(8) receives 4096 at most."""
_SYSLOG_SOCKET: Final = "/dev/log"
_DATAGRAM: Final = _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK

_UNPRINTABLE: Final = dict.fromkeys([*range(32), 127, *range(128, 160), *range(55296, 57344)], "?")


def facility_is_known(name: str) -> bool:
    """Tell whether *name* may stand in postconf(5) syslog_facility."""
    return name in _FACILITIES


def printable(text: str) -> str:
    """Return *text* with a question mark for each character that a log can't show."""
    return text if text.isprintable() else text.translate(_UNPRINTABLE)


class Log:
    """Where the lines of one process go."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        """What stands before the process id: ``postfix/smtpd``."""
        self.called = ""
        """What standard error shows for the program's name, where it was called by another one."""
        self.ascii_only = False
        """Show a question mark for each byte that is not ASCII, as with smtputf8_enable=no."""
        self._socket: _socket.socket | None = None
        self._address = ""
        self._postlog = False
        self._file = ""
        self._stderr = False
        self._short = True
        self._facility = _FACILITIES["mail"]
        self._host = ""
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._batch: list[str] = []
        self._at_turn_end: Callable[[Callable[[], None]], None] | None = None
        self._wait_writable: Callable[[_socket.socket, Callable[[], bool]], None] | None = None
        self._is_waiting = False
        self._second = 0
        self._pid = 0
        self._begin = ""
        """What comes before the text of a line in this second."""
        self._gathers = False
        """An ordinary line has only to be put into the batch of this turn."""
        self.verbosity = 0
        """How many -v were given."""
        self._apart: list[str] | None = None

    # Where to

    def keep_apart(self, lines: list[str] | None) -> list[str] | None:
        """Put what is logged from now on into *lines* and nowhere else; None: log as usual.  Return the list before.

        For a rehearsal of what a daemon would do: nobody who reads the log may take it for the real thing.
        """
        before, self._apart = self._apart, lines
        self._renew()
        return before

    def to_syslog(self, facility: str) -> None:
        """Log to the system logger.  Source: postconf(5) syslog_facility."""
        self._facility = _FACILITIES.get(facility, _FACILITIES["mail"])
        self._postlog = False
        self._open(_SYSLOG_SOCKET)

    def to_postlogd(self, path: str, host: str) -> None:
        """Log to postlogd(8) at the socket *path*; *host* stands in each line, up to its first dot."""
        self._postlog = True
        self._host = host.partition(".")[0]
        self._open(path)

    def fall_back_to(self, path: str) -> None:
        """Append the lines to the file *path* while there is no postlogd(8) to write them."""
        self._file = path

    def to_stderr(self, wanted: bool = True, *, short: bool = True) -> None:
        """Copy each line to standard error, tagged with the program's name only if *short*."""
        self._short = short
        self._stderr = wanted
        self._renew()

    def _open(self, path: str) -> None:
        self.close()
        self._address = path
        self._renew()
        self._connect()

    def _connect(self) -> bool:
        sender = _socket.socket(_socket.AF_UNIX, _DATAGRAM)
        try:
            sender.connect(self._address)
        except OSError:
            sender.close()
            return False
        self._socket = sender
        return True

    def close(self) -> None:
        """Drop the connection to the logger, for instance before a fork."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._is_waiting = False

    def after_fork(self) -> None:
        """Forget, in a child, what belongs to the parent: its connection, its lines that wait, its event loop."""
        self.close()
        self._renew()
        self._waiting.clear()
        self._wait_writable = None

    def fileno(self) -> int:
        """Return the descriptor of the connection to the logger, -1 without one."""
        return -1 if self._socket is None else self._socket.fileno()

    def wait_with(self, wait_writable: Callable[[_socket.socket, Callable[[], bool]], None]) -> None:
        """Let an event loop call back when a full logger takes lines again.

        The callback sends what waits and tells whether all of it is gone.
        """
        self._wait_writable = wait_writable

    def gather_with(self, at_turn_end: Callable[[Callable[[], None]], None]) -> None:
        """Let an event loop send the lines of one turn together, which any postlogd(8) takes as well."""
        self._at_turn_end = at_turn_end
        self._renew()

    def _renew(self) -> None:
        """Work out again, with the next line, how lines begin and whether they are gathered."""
        self._pid = 0
        self._gathers = False

    # Lines

    def info(self, text: str) -> None:
        """Log an ordinary line."""
        # Several lines of each message pass here; what is unusual in any way goes the long way.
        second = int(time())
        if self._gathers and second == self._second and len(text) <= _MOST_TEXT and text.isprintable():
            if not self._batch:
                self._at_turn_end(self.send_gathered)  # type: ignore[misc]  # _gathers says that it is there
            self._batch.append(self._begin + text)
        else:
            self._log("info", text)

    def warning(self, text: str) -> None:
        """Log ``warning: text``."""
        self._log("warning", text)

    def error(self, text: str) -> None:
        """Log ``error: text``."""
        self._log("error", text)

    def fatal(self, text: str) -> None:
        """Log ``fatal: text``.  The caller ends the process."""
        self._log("fatal", text)

    def panic(self, text: str) -> None:
        """Log ``panic: text``: a bug of ours.  The caller ends the process."""
        self._log("panic", text)

    def debug(self, text: str) -> None:
        """Log a line only when -v was given."""
        if self.verbosity:
            self._log("info", text)

    def _log(self, severity: str, text: str) -> None:
        if self.ascii_only and not text.isascii():
            text = text.encode("utf-8", "surrogateescape").decode("ascii", "replace").replace("\ufffd", "?")
        text = printable(text)
        label = "" if severity == "info" else f"{severity}: "
        if self._apart is not None:
            self._apart.append(label + text[:_MOST_TEXT])
            return
        if self._stderr:  # whole: only a logger has a limit
            tag = self.called or (self.tag.rpartition("/")[2] if self._short else self.tag)
            print(f"{tag}: {label}{text}", file=sys.stderr, flush=True)
        if not self._address:
            return
        text = label + text[:_MOST_TEXT]
        second = int(time())
        if second != self._second or not self._pid:
            self._pid = os.getpid()
            self._second = second
            stamp = strftime("%b %d %H:%M:%S" if self._postlog else "%b %e %H:%M:%S", localtime(second))
            host = f" {self._host}" if self._postlog else ""
            self._begin = f"{stamp}{host} {self.tag}[{self._pid}]: "
            self._gathers = self._at_turn_end is not None and self._postlog and not (self._stderr or self.ascii_only)
        line = self._begin + text
        if self._at_turn_end is not None and self._postlog:
            if not self._batch:
                self._at_turn_end(self.send_gathered)
            self._batch.append(line)
            return
        if not self._postlog:
            line = f"<{self._facility << 3 | _SEVERITIES[severity]}>{line}"
        self._send(line.encode("utf-8", "surrogateescape"))

    def send_gathered(self) -> None:
        """Send the lines of this turn, in as few datagrams as may be; its end does it in any case."""
        texts, self._batch = self._batch, []
        if not texts:
            return
        whole = "\n".join(texts).encode("utf-8", "surrogateescape")
        if len(whole) <= _MOST_DATAGRAM:
            self._send(whole)
            return
        batch = [text.encode("utf-8", "surrogateescape") for text in texts]
        size, first = 0, 0
        for index, line in enumerate(batch):
            size += len(line) + 1
            if size > _MOST_DATAGRAM and index > first:
                self._send(b"\n".join(batch[first:index]))
                size, first = len(line) + 1, index
        self._send(b"\n".join(batch[first:]))

    def _send(self, line: bytes) -> None:
        if self._waiting:
            self._waiting.append(line)
            if not self._is_waiting and not self.send_waiting():
                self._arrange()
        elif not self._try(line):
            self._waiting.append(line)
            self._arrange()

    def _try(self, line: bytes) -> bool:
        """Send a line; False when the logger is full now.  A logger that is gone gets another chance with each line."""
        if self._socket is None and not self._connect():
            return self._append(line) or self._wait_writable is None
        assert self._socket is not None
        for attempt in range(2):
            try:
                self._socket.send(line)
            except BlockingIOError:
                return self._block_briefly(line) if self._wait_writable is None else False
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    return True
                self.close()
                if attempt or not self._connect():
                    return self._append(line) or self._wait_writable is None
            else:
                return True
        return True

    def _append(self, line: bytes) -> bool:
        if not self._file:
            return False
        try:
            fd = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
            try:
                os.write(fd, line + b"\n")
            finally:
                os.close(fd)
        except OSError:
            return False
        return True

    def _block_briefly(self, line: bytes) -> bool:
        """Send without an event loop to wait with, for a second at most."""
        assert self._socket is not None
        self._socket.settimeout(1)
        try:
            self._socket.send(line)
        except OSError:
            pass
        finally:
            self._socket.setblocking(False)
        return True

    def _arrange(self) -> None:
        if self._is_waiting or self._wait_writable is None or self._socket is None:
            return
        self._is_waiting = True
        self._wait_writable(self._socket, self.send_waiting)

    def send_waiting(self) -> bool:
        """Send the lines that wait; tell whether all are gone."""
        waiting = self._waiting
        while waiting:
            if not self._try(waiting[0]):
                return False
            waiting.popleft()
        self._is_waiting = False
        return True

    def finish(self, seconds: float = 1.0) -> None:
        """Send what waits before the process ends, for *seconds* at most."""
        end = monotonic() + seconds
        self._at_turn_end = None
        self._renew()
        if self._batch:
            self.send_gathered()
        self._wait_writable = None
        while self._waiting and self._socket is not None and monotonic() < end:
            self._block_briefly(self._waiting.popleft())


log: Final = Log("postfix/unknown")
"""This process's log."""
