"""One daemon in a forked child, with the sockets, pipes and log that master(8) and postlogd(8) would give it.

    with running(anvil.main, system, service="anvil") as daemon:
        assert daemon.ask(("request", "lookup"), ("ident", "smtp:1")) == [("status", "0"), ...]

What the daemon reads is main.cf in the system's folder; the services that it asks are the test's own (``System.serve``).
"""

from __future__ import annotations

import fcntl
import gc
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyfix.formats.attributes import Encoding, decode_pairs, encode_pairs, end_of_list
from pyfix.runtime.log import log

Pair = tuple[str, str]
Main = Callable[[Sequence[str]], int]

SECONDS = 60.0
FOLDERS = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid", "private"),
    *("public", "saved", "trace"),
)
_FREE = 7
"""The first descriptor after those that master(8) gives."""


class System:
    """The folders of a mail system, main.cf, a log, and services that answer as the test says."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pyfix-unit-"))  # pytest's own folders are closed to mail_owner
        self.folder.chmod(0o755)
        self.queue = self.folder / "spool"
        self.data = self.folder / "data"
        self.lines: list[str] = []
        self._closing: list[socket.socket] = []
        self.queue.mkdir()
        for path in (self.data, *(self.queue / name for name in FOLDERS)):
            path.mkdir()
            self.give(path)
        self.write_main()
        self._logger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._logger.bind(str(self.queue / "public/postlog"))
        (self.queue / "public/postlog").chmod(0o666)
        threading.Thread(target=self._log, daemon=True).start()

    def give(self, path: Path) -> None:
        """Let mail_owner have *path*, where we are root."""
        if os.getuid() == 0:
            owner = pwd.getpwnam("nobody")
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def write_main(self, **changes: object) -> None:
        """Write main.cf."""
        main = {
            "queue_directory": self.queue,
            "data_directory": self.data,
            "mail_owner": "nobody",
            "default_privs": "daemon",
            "setgid_group": "mail",
            "compatibility_level": "3.11",
            "maillog_file": self.folder / "maillog",
            "maillog_file_prefixes": self.folder,
            "myhostname": "mail.ours.example",
            "mydomain": "ours.example",
            "mydestination": "mail.ours.example",
            "mynetworks": "127.0.0.2/32",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            **changes,
        }
        path = self.folder / "main.cf"
        path.write_text("".join(f"{name} = {value}\n" for name, value in main.items()))
        path.chmod(0o644)

    def _log(self) -> None:
        while True:
            try:
                data = self._logger.recv(65536)
            except OSError:
                return
            if not data:
                return
            for line in data.decode("utf-8", "surrogateescape").splitlines():
                self.lines.append(line.partition(" postfix/")[2])

    def logged(self, pattern: str) -> list[str]:
        """Wait until a log line has *pattern*; return all lines so far, without time, host and process id."""
        end = time.monotonic() + SECONDS
        while True:
            lines = [re.sub(r"^([\w/-]+)\[\d+\]", r"\1", line) for line in list(self.lines)]
            if any(re.search(pattern, line) for line in lines):
                return lines
            assert time.monotonic() < end, f"no log line has {pattern!r}: {lines}"
            time.sleep(0.005)

    def serve(self, path: str, answer: Callable[[socket.socket], None]) -> list[int]:
        """Let *answer* serve each connection to the service at *path*; return a list that has an item for each."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.queue / path))
        (self.queue / path).chmod(0o666)
        listener.listen(50)
        self._closing.append(listener)
        connections: list[int] = []

        def one(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(SECONDS)
                try:
                    answer(connection)
                except OSError:
                    pass

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(1)
                threading.Thread(target=one, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return connections

    def remove(self) -> None:
        """End the services and delete the folders."""
        for listener in (*self._closing, self._logger):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        shutil.rmtree(self.folder)


class Client:
    """A blocking connection to a daemon."""

    def __init__(self, connection: socket.socket, encoding: Encoding) -> None:
        self.socket = connection
        self._encoding: Encoding = encoding
        self._data = b""

    def send(self, *pairs: Pair) -> None:
        """Send one attribute list."""
        self.socket.sendall(encode_pairs(pairs, self._encoding))

    def receive(self) -> list[Pair] | None:
        """Return the next list; None when the daemon has closed the connection."""
        while (end := end_of_list(self._data, 0, self._encoding)) < 0:
            more = self.socket.recv(65536)
            if not more:
                assert not self._data, self._data
                return None
            self._data += more
        data, self._data = self._data[:end], self._data[end:]
        return decode_pairs(data, self._encoding)

    def ask(self, *pairs: Pair) -> list[Pair] | None:
        """Send one list and return the answer."""
        self.send(*pairs)
        return self.receive()

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


class Running:
    """A daemon that runs."""

    def __init__(self, system: System, pid: int, address: str | tuple[str, int], status: int, encoding: Encoding) -> None:
        self.system = system
        self.pid = pid
        self._address = address
        self._status = status
        self._encoding: Encoding = encoding
        self._code: int | None = None
        self._clients: list[Client] = []

    def connect(self) -> Client:
        """Connect to the daemon's socket."""
        family = socket.AF_UNIX if isinstance(self._address, str) else socket.AF_INET
        connection = socket.socket(family)
        connection.connect(self._address)  # a full listen queue is waited for only without a time limit
        connection.settimeout(SECONDS)
        self._clients.append(Client(connection, self._encoding))
        return self._clients[-1]

    def greeted(self, protocol: str) -> Client:
        """Connect, and check how the daemon introduces itself."""
        client = self.connect()
        assert client.receive() == [("protocol", protocol)]
        return client

    def states(self, count: int) -> list[str]:
        """Return the next *count* things that the daemon says to master(8)."""
        os.set_blocking(self._status, True)
        found = []
        for _ in range(count):
            pid, generation, state = struct.unpack("=iIi", os.read(self._status, 12))
            assert (pid, generation) == (self.pid, 0o11)
            found.append("available" if state else "taken")
        return found

    def master_goes(self) -> None:
        """Close master(8)'s end of the pipe, whereupon the daemon ends when its clients are served."""
        if self._status >= 0:
            os.close(self._status)
            self._status = -1

    def wait(self) -> int:
        """Wait for the end of the process; return its exit status."""
        end = time.monotonic() + SECONDS
        while self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                self.kill()
                raise AssertionError(f"the daemon does not end: {self.system.lines}")
            else:
                time.sleep(0.002)
        return self._code

    def kill(self) -> None:
        """End the process, whatever it does."""
        self.master_goes()
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def stop(self) -> int:
        """Let all clients hang up and master(8) end; return the exit status that the daemon ends with then."""
        for client in self._clients:
            client.close()
        self.master_goes()
        return self.wait()


def _listener(system: System, kind: str) -> tuple[int, str | tuple[str, int]]:
    if kind == "inet":
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        address = ("127.0.0.1", listener.getsockname()[1])
        return listener.detach(), address
    path = str(system.folder / "listener")
    if kind == "fifo":
        os.mkfifo(path)
        os.chmod(path, 0o666)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK), path
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "unix-dgram" else socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o666)
    if kind != "unix-dgram":
        listener.listen(100)
    return listener.detach(), path


def start(
    main: Main, system: System, service: str, *options: str, kind: str = "unix", encoding: Encoding = "null"
) -> Running:
    """Fork, and run the *main* of a daemon there as the service that is named.

    *kind* is the type of master.cf; *options* are added to those that master(8) gives.
    """
    path = system.folder / "listener"
    path.unlink(missing_ok=True)
    listener, address = _listener(system, kind)
    status_reader, status_writer = os.pipe()
    flow = os.pipe()
    log.finish()
    pid = os.fork()
    if not pid:
        code = 99
        try:
            gc.freeze()  # what the parent has must not be closed here
            # By way of free descriptors that are in nobody's way: any of 3 to 6 may be one of those to be moved.
            ours = [flow[0], flow[1], status_writer, listener]
            moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, _FREE) for fd in ours]
            for fd in (status_reader, *ours):
                os.close(fd)
            for at, fd in enumerate(moved):
                os.dup2(fd, 3 + at)
                os.close(fd)
            log.after_fork()
            log.to_stderr(False)
            os.environ["MAIL_CONFIG"] = str(system.folder)
            os.environ["GENERATION"] = "11"
            code = main(["-n", service, "-t", kind, *options])
        except BaseException:
            traceback.print_exc()
        finally:
            if os.getuid() == 0:
                os.seteuid(0)  # what a measurement of coverage writes is the caller's
            os._exit(code)
    for fd in (listener, status_writer, *flow):
        os.close(fd)
    return Running(system, pid, address, status_reader, encoding)


@contextmanager
def running(
    main: Main, system: System, service: str, *options: str, kind: str = "unix", encoding: Encoding = "null"
) -> Iterator[Running]:
    """Run a daemon for the time of the block; see ``start``.  It must end well afterwards."""
    daemon = start(main, system, service, *options, kind=kind, encoding=encoding)
    try:
        yield daemon
    except BaseException:
        daemon.kill()
        raise
    assert daemon.stop() == 0, system.lines
