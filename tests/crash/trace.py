"""System calls of a mail system, as strace(1) saw them, in the order in which they happened.

strace stops a process at the entry and at the exit of each call, and writes a line for each before the process goes
on.  So of two calls in the trace, whatever their processes, one has happened before the other exactly when its last
line stands before the first line of the other.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tests.kit import requirements
from tests.kit.processes import wait_until

SYNCS = frozenset(("fsync", "fdatasync"))
WRITES = frozenset(("write", "pwrite64", "writev", "pwritev"))
SENDS = frozenset(("sendto", "sendmsg", "write", "writev"))
RECEIPTS = frozenset(("recvfrom", "recvmsg", "read"))
TOGETHER = frozenset(("io_submit", "io_getevents"))
"""Syncs of several files; in a trace they look like calls of fsync."""
_OTHERS = frozenset(("rename", "renameat", "renameat2", "linkat", "close", "exit_group"))
_WATCHED = SYNCS | TOGETHER | WRITES | SENDS | RECEIPTS | _OTHERS
_WAITS = frozenset(("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll"))

_LINE = re.compile(r"(\d+) +(?:\d+\.\d+ )?(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\) += (.*)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_DESCRIPTOR = re.compile(r"(\d+)<(.*?)>(?:\(deleted\))?(?=[,)]|$)")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\.\.\.)?')
_NAMELESS = re.compile(r"/#\d+(?: \(deleted\))?$")
_HERE = re.compile(r"AT_FDCWD<(.*?)>")
_REQUEST = re.compile(r"aio_data=(\w+), aio_lio_opcode=IOCB_CMD_FSYNC, aio_fildes=(\d+<.*?>(?:\(deleted\))?)[,}]")
_EVENT = re.compile(r"\{data=(\w+), obj=\w+, res=0, res2=0\}")
_MOST_BYTES = 4096


@dataclass(frozen=True)
class Call:
    """One system call."""

    begin: int
    """The line on which it began."""
    end: int
    """The line on which it was over."""
    pid: int
    name: str
    arguments: str
    result: str
    name_given_later: str = ""
    """The path that a file which had none got afterwards."""

    @property
    def path(self) -> str:
        """What the first descriptor among the arguments stood for."""
        found = _DESCRIPTOR.match(self.arguments)
        return self.name_given_later or (found[2] if found else "")

    @property
    def descriptor(self) -> int:
        """The first argument, if it is a descriptor, else -1."""
        found = _DESCRIPTOR.match(self.arguments)
        return int(found[1]) if found else -1

    @property
    def strings(self) -> list[bytes]:
        """The texts among the arguments, as far as strace shows them."""
        found = _DESCRIPTOR.match(self.arguments)  # which may have the name of a socket in quotes
        texts = _STRING.findall(self.arguments, found.end() if found else 0)
        return [ast.literal_eval(f'b"{text}"') for text in texts]

    @property
    def data(self) -> bytes:
        """All texts among the arguments, one after the other."""
        return b"".join(self.strings)

    def before(self, other: Call) -> bool:
        """Tell whether it was over when *other* began."""
        return self.end < other.begin


class Trace:
    """The calls that a trace tells of, in the order of their ends."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self.calls = list(calls)

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Read the output of ``strace -f -yy``."""
        return cls(_with_names(list(_one_by_one(_calls(lines)))))

    def of(self, names: Collection[str]) -> list[Call]:
        """Return the successful calls with one of *names*."""
        return [call for call in self.calls if call.name in names and not call.result.startswith("-1")]

    def without_syncs(self, part: str = "") -> Trace:
        """Return the trace as it would be if nothing whose path has *part* in it were synced."""
        return Trace(call for call in self.calls if call.name not in SYNCS or part not in call.path)

    def batches(self) -> list[list[Call]]:
        """Return the syncs, those together that a process did without waiting for events between them."""
        found: list[list[Call]] = []
        open_batches: dict[int, list[Call]] = {}
        for call in self.calls:
            if call.name in _WAITS:
                open_batches.pop(call.pid, None)
            elif call.name in SYNCS:
                if call.pid not in open_batches:
                    open_batches[call.pid] = []
                    found.append(open_batches[call.pid])
                open_batches[call.pid].append(call)
        return found


def _calls(lines: Iterable[str]) -> Iterator[Call]:
    begun: dict[int, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        found = _LINE.match(line.rstrip("\n"))
        if found is None:
            continue
        pid, text = int(found[1]), found[2]
        begin = number
        if text.endswith(_UNFINISHED):
            begun[pid] = (number, text.removesuffix(_UNFINISHED))
            continue
        if resumed := _RESUMED.match(text):
            if pid not in begun:
                continue
            begin, start = begun.pop(pid)
            text = start + resumed[2]
        if text.startswith("exit_group("):
            text = "exit_group() = ?"
        if call := _CALL.match(text):
            yield Call(begin, number, pid, call[1], call[2], call[3])


def _one_by_one(calls: Iterable[Call]) -> Iterator[Call]:
    """Show each file that the kernel synced for io_submit(2) as a call of its own, over when its result was fetched."""
    begun: dict[tuple[int, str], tuple[int, str]] = {}
    for call in calls:
        if call.name == "io_submit":
            taken = int(call.result) if call.result.isdecimal() else 0
            for data, descriptor in _REQUEST.findall(call.arguments)[:taken]:
                begun[call.pid, data] = (call.begin, descriptor)
        elif call.name == "io_getevents":
            for data in _EVENT.findall(call.arguments):
                begin, descriptor = begun.pop((call.pid, data))
                yield Call(begin, call.end, call.pid, "fsync", descriptor, "0")
        else:
            yield call


def _with_names(calls: list[Call]) -> list[Call]:
    """Put the paths into the calls on files that have no name while they are written (open(2) O_TMPFILE)."""
    nameless: dict[tuple[int, int], list[int]] = {}
    names: dict[tuple[int, int], str] = {}
    for index, call in enumerate(calls):
        key = (call.pid, call.descriptor)
        if call.name == "close":
            nameless.pop(key, None)
            names.pop(key, None)
        elif call.name == "linkat" and call.result == "0":
            # linkat(8</proc/12/fd>, "9", AT_FDCWD</the/spool>, "incoming/ABC", AT_SYMLINK_FOLLOW)
            here = _HERE.search(call.arguments)
            source, target = call.strings
            if here and source.isdigit():
                key = (call.pid, int(source))
                names[key] = f"{here[1]}/{target.decode()}"
                for number in nameless.pop(key, ()):
                    calls[number] = replace(calls[number], name_given_later=names[key])
        elif _NAMELESS.search(call.path):
            if key in names:
                calls[index] = replace(call, name_given_later=names[key])
            else:
                nameless.setdefault(key, []).append(index)
    return calls


class Tracer:
    """A running strace: of processes that run already and all that they start, or of a program."""

    def __init__(
        self,
        output: Path,
        pids: Sequence[int] = (),
        program: Sequence[str | Path] = (),
        *,
        watched: Collection[str] = (*_WATCHED, *_WAITS),
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """*watched* are the calls to look at, *most_bytes* is how much of each text is shown."""
        need_strace()
        self._output = output
        names = ",".join(sorted(watched))
        self._command: list[str | Path] = [
            "strace", "-f", "-yy", "-s", str(most_bytes), "-o", output, "-e", f"trace={names}",
        ]  # fmt: skip
        self._command += [word for pid in pids for word in ("-p", str(pid))] or ["--", *program]
        self._pids = list(pids)
        self._process: subprocess.Popen[bytes] | None = None

    def attach(self) -> Self:
        """Begin to trace the processes; they are traced when this returns."""
        messages = self._output.with_suffix(".err")
        with messages.open("wb") as stderr:
            self._process = subprocess.Popen(self._command, stderr=stderr, stdin=subprocess.DEVNULL)

        def attached() -> bool:
            return all(tracer_of(pid) == self._strace_pid() for pid in self._pids)

        if not wait_until(lambda: attached() or self._ended(), 20.0) or self._ended():
            self.__exit__()
            requirements.missing(f"strace can't trace here: {messages.read_text(errors='replace')}")
        return self

    def _strace_pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def run(self, environment: dict[str, str], input: bytes) -> Trace:
        """Run the program under strace until it ends, and return the trace; its status must be 0."""
        done = subprocess.run(self._command, env=environment, input=input, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done
        return self.trace()

    def __enter__(self) -> Self:
        return self.attach()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def trace(self) -> Trace:
        """Return what was traced; to be called when strace has ended."""
        with self._output.open(encoding="latin-1") as lines:
            return Trace.parse(lines)


def tracer_of(pid: int) -> int:
    """Return the id of the process that traces *pid*, 0 for none."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^TracerPid:\s*(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


def need_strace() -> None:
    """Skip (in CI: fail) the running test unless there are strace and the right to use it."""
    if shutil.which("strace") is None:
        requirements.missing("needs strace")
    if os.getuid() != 0:
        requirements.missing("needs root, to trace daemons of other users")
