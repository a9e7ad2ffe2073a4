"""What test generators and test servers share: where they connect or listen, and how they end.

They read no main.cf, and report to standard error only.
Source: smtp-source(1), smtp-sink(1), qmqp-source(1), qmqp-sink(1).
"""

from __future__ import annotations

import os
import socket
import struct
import sys

from pyfix.config.startup import hostname_complaint
from pyfix.formats.domain import hostaddr_complaint, literal_to_address
from pyfix.formats.hostport import split_host_port
from pyfix.formats.number import LARGEST
from pyfix.runtime.console import BadOption, CommandError, parse_options
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Address = tuple[int, str | tuple[Any, ...]]
    """The family of a socket, and what bind and connect take."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def run_tool(name: str, act: Callable[[], int]) -> int:
    """Run the work of a tool; turn what stops it into a fatal line and an exit status."""
    log.tag = name
    log.to_stderr()
    try:
        return act()
    except CommandError as error:
        log.fatal(str(error))
        return error.status
    except KeyboardInterrupt:
        return 130
    finally:
        sys.stdout.flush()


def tool_options(argv: Sequence[str], known: str, usage: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return options and words as getopt(3) reads them.  Raises CommandError with the usage line."""
    try:
        return parse_options(argv, known)
    except BadOption as error:
        print(f"{log.tag}: {error}", file=sys.stderr)
        raise CommandError(f"usage: {log.tag} {usage}") from None


def number_at_least(text: str, least: int, complaint: str) -> int:
    """Return the number that *text* is.  Raises CommandError with *complaint* when it is none, or less than *least*."""
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= LARGEST:
        raise CommandError(f"{complaint}: {text}")
    return int(text)


def window_size(text: str) -> int:
    """Return the value of ``-T``.  Raises CommandError."""
    return number_at_least(text, 1, "bad TCP window size")


def own_name(chosen: str | None) -> str:
    """Return the value of ``-M``, or else this machine's name.  Raises CommandError."""
    if chosen is None:
        return socket.gethostname()
    if chosen.startswith("["):
        if literal_to_address(chosen) is None:
            complaint = hostaddr_complaint(chosen)
            if complaint:
                log.warning(complaint)
            raise CommandError(f"bad address literal: {chosen}")
    elif complaint := hostname_complaint(chosen):
        log.warning(f"valid_hostname: {complaint}")
        raise CommandError(f"bad hostname: {chosen}")
    return chosen


def families(options: Sequence[str]) -> int:
    """Return the family of sockets that ``-4`` or ``-6`` choose."""
    chosen = [letter for letter in options if letter in "46"]
    return {"4": socket.AF_INET, "6": socket.AF_INET6}[chosen[-1]] if chosen else socket.AF_UNSPEC


def target(text: str, port: str, family: int) -> Address:
    """Return where ``host``, ``host:port`` or ``unix:path`` is.  Raises CommandError."""
    if text.startswith("unix:"):
        return int(socket.AF_UNIX), text[5:]
    text = text.removeprefix("inet:")
    try:
        host, service = split_host_port(text if _has_port(text) else f"{text}:{port}")
    except ValueError as error:
        raise CommandError(f"{text}: {error}") from None
    return _addresses(text, host, service, family, 0)[0]


def listeners(text: str, backlog: str, family: int, window: int) -> list[socket.socket]:
    """Return sockets that listen at ``host:port``, ``:port`` or ``unix:path``.  Raises CommandError."""
    waiting = int(backlog) if backlog.isdigit() else 0
    if text.startswith("unix:"):
        return [_listener((int(socket.AF_UNIX), text[5:]), waiting, window)]
    text = text.removeprefix("inet:")
    try:
        host, service = split_host_port(text)
    except ValueError as error:
        raise CommandError(f"{text}: {error}") from None
    addresses = _addresses(text, host, service, family, socket.AI_PASSIVE)
    return [_listener(address, waiting, window) for address in addresses]


def _has_port(text: str) -> bool:
    return "]:" in text if text.startswith("[") else ":" in text


def _addresses(text: str, host: str, service: str, family: int, flags: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host or None, service, family, socket.SOCK_STREAM, 0, flags)
    except OSError as error:
        raise CommandError(f"{text}: {error.strerror}") from None
    return list(dict.fromkeys((int(family), address) for family, _, _, _, address in found))


def _listener(address: Address, backlog: int, window: int) -> socket.socket:
    family, where = address
    listening = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_UNIX:
            if os.path.exists(str(where)):
                os.unlink(str(where))
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if window:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        listening.bind(where)
        listening.listen(backlog)
    except OSError as error:
        listening.close()
        shown = where if isinstance(where, str) else "{} port {}".format(*where[:2])
        raise CommandError(f"bind {shown}: {error.strerror}") from None
    return listening


def begin_connect(address: Address, window: int) -> socket.socket:
    """Return a socket that is connecting; when it is closed, nothing of it stays (no TIME_WAIT).  Raises OSError."""
    family, where = address
    connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        if family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if window:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        else:
            connection.setblocking(True)  # there is no connecting in the background: a full queue would be an error
        connection.connect(where)
        connection.setblocking(False)
    except BlockingIOError:
        pass
    except OSError:
        connection.close()
        raise
    return connection


class Counter:
    """The running counters of ``-c``, on one line of standard output."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def show(self, text: str) -> None:
        """Write *text* over what stands there."""
        if self._wanted:
            sys.stdout.write(f"{text}\r")
            sys.stdout.flush()

    def close(self) -> None:
        """End the line."""
        if self._wanted:
            sys.stdout.write("\n")
            sys.stdout.flush()
