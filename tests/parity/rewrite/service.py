"""trivial-rewrite alone, of either side, started as master(8) would start it, and asked over its socket."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from pwd import getpwnam
from types import TracebackType
from typing import Self

from tests.kit import programs
from tests.kit.processes import wait_until, wait_until_at_rest

MAIN_CF = """\
compatibility_level = 3.11
myhostname = mail.ours.example
mydomain = ours.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
mydestination = $myhostname, localhost, local.example
virtual_alias_domains = alias.example
virtual_alias_maps = inline:{known@alias.example=user@elsewhere.example}
virtual_mailbox_domains = mailbox.example
relay_domains = relay.example
recipient_delimiter = +
"""

Reply = tuple[str, ...]
_LAST = "the end"
"""A log line of the test's own: what was logged before it has been read when it has."""


class Client:
    """One connection to private/rewrite."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        self._socket.connect(str(path))
        self.greeting = self._receive()

    def _receive(self) -> list[str]:
        data = b""
        while True:
            words = data.split(b"\0")
            index = 0
            while index + 1 < len(words) and words[index]:
                index += 2
            if index + 1 < len(words):
                return [word.decode("utf-8", "surrogateescape") for word in words[:index]]
            more = self._socket.recv(65536)
            if not more:
                raise EOFError
            data += more

    def ask(self, *attributes: str) -> list[str]:
        """Send an attribute list, names and values in turn, and return the one that comes back."""
        text = "".join(f"{word}\0" for word in attributes) + "\0"
        self._socket.sendall(text.encode("utf-8", "surrogateescape"))
        return self._receive()

    def rewrite(self, rule: str, address: str) -> Reply:
        """Return all values of the reply."""
        return tuple(self.ask("request", "rewrite", "rule", rule, "address", address)[1::2])

    def resolve(self, request: str, sender: str, address: str) -> Reply:
        """Return all values of the reply; *request* is "resolve" or "verify"."""
        return tuple(self.ask("request", request, "sender", sender, "address", address)[1::2])

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


class RewriteService:
    """A process of one side and a configuration of its own; a context manager."""

    def __init__(self, kind: str, main: str, files: Mapping[str, str] | None = None) -> None:
        """*main* is added to MAIN_CF; ``{dir}`` in it is the folder that has *files*."""
        self.directory = Path(tempfile.mkdtemp(prefix="pyfix-rewrite-"))
        self.directory.chmod(0o755)
        settings = "".join(f"{key} = {value}\n" for key, value in programs.settings(kind).items())
        for folder in ("spool/pid", "spool/private", "spool/public", "data"):
            (self.directory / folder).mkdir(parents=True)
        os.chown(self.directory / "data", getpwnam("postfix").pw_uid, -1)
        for file_name, content in (files or {}).items():
            (self.directory / file_name).write_text(content)
        own = (
            f"queue_directory = {self.directory}/spool\ndata_directory = {self.directory}/data\n"
            f"maillog_file = {self.directory}/maillog\nmaillog_file_prefixes = {self.directory}\n"
        )
        self.main = main = main.replace("{dir}", str(self.directory))
        (self.directory / "main.cf").write_text(settings + own + MAIN_CF + main)
        (self.directory / "master.cf").write_text("")
        self.socket_path = self.directory / "spool/private/rewrite"
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log_path = self.directory / "spool/public/postlog"
        self._log.bind(str(log_path))
        log_path.chmod(0o666)
        self._log.settimeout(0.05)
        self._lines: list[str] = []
        self._stopping = False
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self.process = self._start(programs.daemon_directory(kind) / "trivial-rewrite")
        os.set_blocking(self._status, False)
        self._reader.start()
        self.client = Client(self.socket_path)

    def _start(self, program: Path) -> subprocess.Popen[bytes]:
        """Start the program with the descriptors that master(8) gives: flow, status, one listening socket."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.socket_path))
        listener.listen(50)
        self.socket_path.chmod(0o666)
        flow_read, flow_write = os.pipe()
        self._status, status_write = os.pipe()
        given = {3: flow_read, 4: flow_write, 5: status_write, 6: listener.fileno()}

        def arrange() -> None:
            high = {number: fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for number, fd in given.items()}
            for number, fd in high.items():
                os.dup2(fd, number)
                os.close(fd)

        environment = {
            "MAIL_CONFIG": str(self.directory), "PATH": "/usr/bin:/bin", "GENERATION": "0", "MAIL_LOGTAG": "postfix",
        }  # fmt: skip
        process = subprocess.Popen(
            [program, "-n", "rewrite", "-t", "unix", "-u"],
            env=environment, preexec_fn=arrange, close_fds=False, cwd=self.directory / "spool",
        )  # fmt: skip
        for fd in (flow_read, flow_write, status_write):
            os.close(fd)
        listener.close()
        return process

    def _read_log(self) -> None:
        while not self._stopping:
            with contextlib.suppress(BlockingIOError):  # what master(8) would read: the pipe must not fill
                os.read(self._status, 65536)
            try:
                data = self._log.recv(65536)
            except TimeoutError:
                continue
            self._lines.append(data.decode("utf-8", "surrogateescape"))

    def log(self) -> list[str]:
        """Return what was logged since the last call, without time and process id, and with {dir} for the folder."""
        wait_until_at_rest(lambda: [self.process.pid], 5.0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(_LAST.encode(), str(self.directory / "spool/public/postlog"))
        assert wait_until(lambda: _LAST in self._lines, 5.0)
        lines, self._lines = self._lines[: self._lines.index(_LAST)], []
        return [
            re.sub(r"^.*?trivial-rewrite\[\d+\]: ", "", line).rstrip().replace(str(self.directory), "{dir}")
            for line in lines
        ]

    def close(self) -> None:
        """End the process and remove its folder."""
        self.process.kill()
        self.process.wait()
        self._stopping = True
        self._reader.join()
        self._log.close()
        os.close(self._status)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
