"""What a disk has after the power failed: built from the system calls of a run, cut anywhere (see ``tests.crash.trace``).

A file is what was done to it, one thing after the other, and what a disk has of it is a beginning of that: at least
all that was done before the last fsync(2) that had ended.  Two models say what else may be there.

``JOURNAL`` is ext4 with its usual data=ordered, and XFS: names, modes and lengths reach the disk in the order in
which they were changed, those of all files together, so that a sync of one file brings along all that was done before to
names; contents that nobody synced are there or not, but never in a length that was not reached.

``SEPARATE`` is stricter than any file system known to carry mail queues: what happened to one file says nothing about
another.  A file's name is on the disk when the file was synced under it, which Postfix relies on, too; all else, each
rename and removal, is there or not as chance has it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tests.crash.trace import SYNCS, TOGETHER, WRITES, Call, Trace

JOURNAL, SEPARATE = "journal", "separate"
MODELS = (JOURNAL, SEPARATE)

WATCHED = frozenset((
    *SYNCS, *TOGETHER, *WRITES, "sendto", "sendmsg", "open", "openat", "creat", "rename", "renameat", "renameat2", "link",
    "linkat", "unlink", "unlinkat", "chmod", "fchmod", "fchmodat", "utime", "utimes", "utimensat", "ftruncate", "lseek",
))  # fmt: skip
"""What a trace needs for a disk to be built from it, and to see what was promised."""

_BLOCK = 4096
_RETURNED = re.compile(r"\d+<(.*?)>(?:\(deleted\))?$")
_OPENED = re.compile(r"\d+<(.*?)>(?:\(deleted\))?,|(\d+)<(.*?)>(?:\(deleted\))?$")
_NAMELESS = re.compile(r"/#\d+$")
_MODE = re.compile(r", (0[0-7]+)\)?$")
_SECONDS = re.compile(r"tv_sec=(\d+)")


@dataclass(frozen=True)
class Change:
    """Something that was done to one file."""

    begin: int
    end: int
    """Lines of the trace."""
    kind: str
    """name, no name, mode, time, length, bytes or sync."""
    text: str = ""
    """Of a name: the path."""
    number: int = 0
    """The mode, time or length, or where the bytes are."""
    data: bytes = b""


@dataclass
class _File:
    changes: list[Change] = field(default_factory=list)
    length: int = 0
    syncs: list[tuple[int, int]] | None = None
    """When each sync ended, and how many changes it made safe; known when it was asked for."""

    def add(self, change: Change) -> None:
        self.changes.append(change)
        match change.kind:
            case "length":
                self.length = change.number
            case "bytes":
                self.length = max(self.length, change.number + len(change.data))


@dataclass
class FileOnDisk:
    """A file as it is found after the power came back."""

    data: bytearray
    mode: int
    modified: int
    """Seconds since the epoch; 0: not known."""


class Disk:
    """Everything that happened to the files of some folders."""

    def __init__(self, folders: list[str], here: str, before: Mapping[str, FileOnDisk], trace: Trace) -> None:
        """*before* are the files as they were at the beginning, by path; *here* is where relative paths begin."""
        self._folders = tuple(f"{folder}/" for folder in folders)
        self._here = here
        self._names: dict[str, _File] = {}
        self._files: list[_File] = []
        self._nameless: dict[str, _File] = {}
        self._descriptors: dict[tuple[int, int], _File] = {}
        self._places: dict[tuple[int, int], int] = {}
        """Where the next write goes, for descriptors that are not at their file's end."""
        for path, file in before.items():
            new = self._new()
            new.add(Change(-1, -1, "mode", number=file.mode))
            new.add(Change(-1, -1, "bytes", data=bytes(file.data)))
            self._name(new, path, -1, -1)
            new.add(Change(-1, -1, "time", number=file.modified))
            new.add(Change(-1, -1, "sync"))
        for call in trace.calls:
            if call.result.startswith("-1"):
                continue
            take = _CALLS.get(call.name)
            if take is not None:
                take(self, call)
        self.last_line = trace.calls[-1].end
        self.moments = sorted({line for file in self._files for one in file.changes for line in (one.begin, one.end)})
        """The lines on which something happened to the files."""

    def _new(self) -> _File:
        file = _File()
        self._files.append(file)
        return file

    def _full(self, path: str) -> str:
        return str(PurePosixPath(self._here, path))

    def _ours(self, path: str) -> bool:
        return path.startswith(self._folders)

    def _name(self, file: _File, path: str, begin: int, end: int) -> None:
        old = self._names.get(path)
        if old is not None and old is not file:
            old.add(Change(begin, end, "no name", path))
        self._names[path] = file
        file.add(Change(begin, end, "name", path))

    def _by_descriptor(self, call: Call) -> _File | None:
        path = _place(call.arguments)
        if path is None or not self._ours(path):
            return None
        if _NAMELESS.search(path):
            # One that the trace has not seen being made was kept ready by its process.
            file = self._nameless.get(path) or self._make_nameless(path)
            self._descriptors[call.pid, call.descriptor] = file
            return file
        return self._names.get(path)

    def _make_nameless(self, path: str) -> _File:
        file = self._nameless[path] = self._new()
        file.add(Change(-1, -1, "mode", number=0o700))
        return file

    def _change(self, call: Call, kind: str, number: int = 0, data: bytes = b"") -> None:
        file = self._by_descriptor(call)
        if file is not None:
            file.add(Change(call.begin, call.end, kind, number=number, data=data))

    # What calls do

    def _open(self, call: Call) -> None:
        found = _RETURNED.match(call.result)
        if found is None or not self._ours(found[1]):
            return
        path = found[1]
        self._places.pop((call.pid, int(call.result.partition("<")[0])), None)
        if _NAMELESS.search(path):
            self._make_nameless(path)  # its number may have been another's that is gone
            return
        if "O_CREAT" in call.arguments and path not in self._names:
            file = self._new()
            mode = _MODE.search(call.arguments)
            file.add(Change(call.begin, call.end, "mode", number=int(mode[1], 8) if mode else 0o600))
            self._name(file, path, call.begin, call.end)
        if "O_TRUNC" in call.arguments and path in self._names:
            self._names[path].add(Change(call.begin, call.end, "length", number=0))

    def _write(self, call: Call) -> None:
        file = self._by_descriptor(call)
        if file is not None:
            data = call.data[: int(call.result)]
            assert len(data) == int(call.result), f"the trace does not show all of {call.name} of {call.result} bytes"
            key = (call.pid, call.descriptor)
            place = self._places.get(key, file.length)
            file.add(Change(call.begin, call.end, "bytes", number=place, data=data))
            if key in self._places:
                self._places[key] += len(data)

    def _seek(self, call: Call) -> None:
        file = self._by_descriptor(call)
        if file is not None:
            self._places[call.pid, call.descriptor] = int(call.result)
            if int(call.result) == file.length:
                del self._places[call.pid, call.descriptor]

    def _write_there(self, call: Call) -> None:
        self._change(call, "bytes", int(call.arguments.rpartition(",")[2]), call.data)

    def _sync(self, call: Call) -> None:
        self._change(call, "sync")

    def _rename(self, call: Call) -> None:
        source, target = (self._full(text.decode()) for text in call.strings[:2])
        file = self._names.pop(source, None)
        if file is None:
            return
        # Both in one change of the folders; whoever reads the changes up to a point must not see one without the other.
        self._name(file, target, call.begin, call.end)
        file.add(Change(call.begin, call.end, "no name", source))

    def _link(self, call: Call) -> None:
        source, target = (text.decode() for text in call.strings[-2:])
        if source.isdecimal():  # a descriptor's name in /proc
            file = self._descriptors.get((call.pid, int(source)))
        else:
            file = self._names.get(self._full(source))
        if file is not None:
            self._name(file, self._full(target), call.begin, call.end)

    def _unlink(self, call: Call) -> None:
        path = self._full(call.strings[-1].decode())
        file = self._names.pop(path, None)
        if file is not None:
            file.add(Change(call.begin, call.end, "no name", path))

    def _mode(self, call: Call) -> None:
        mode = _MODE.search(call.arguments)
        assert mode is not None, call
        if call.name == "fchmod":
            self._change(call, "mode", int(mode[1], 8))
        elif (file := self._names.get(self._full(call.strings[0].decode()))) is not None:
            file.add(Change(call.begin, call.end, "mode", number=int(mode[1], 8)))

    def _time(self, call: Call) -> None:
        seconds = _SECONDS.findall(call.arguments)
        if not call.strings or not seconds:
            return
        file = self._names.get(self._full(call.strings[0].decode()))
        if file is not None:
            file.add(Change(call.begin, call.end, "time", number=int(seconds[-1])))

    def _truncate(self, call: Call) -> None:
        self._change(call, "length", int(call.arguments.rpartition(",")[2]))

    # What is left

    def after(self, line: int, model: str, choices: random.Random) -> dict[str, FileOnDisk]:
        """Return what the disk has when the power fails at a line of the trace, by path."""
        safe = {id(file): _synced(file, line) for file in self._files}
        committed = line
        if model == JOURNAL:
            # A sync brings along what was done before its file was last changed.
            least = max((file.changes[count - 1].end for file in self._files if (count := safe[id(file)])), default=-1)
            committed = choices.choice((least, choices.randint(least, max(line, least)), line))
        disk: dict[str, FileOnDisk] = {}
        order: dict[str, int] = {}
        for file in self._files:
            done = _begun(file, line, choices)
            kept = choices.choice((safe[id(file)], choices.randint(safe[id(file)], done), done))
            names, found = _state(file, safe[id(file)], kept, committed if model == JOURNAL else None, choices, line)
            for path, when in names.items():
                if order.get(path, -2) <= when:
                    disk[path], order[path] = found, when
        return disk


def _synced(file: _File, line: int) -> int:
    """Return how many of a file's changes are on the disk in any case."""
    if file.syncs is None:
        file.syncs = [
            (sync.end, max((index + 1 for index, one in enumerate(file.changes) if one.end <= sync.begin), default=0))
            for sync in file.changes
            if sync.kind == "sync"
        ]
    return max((safe for end, safe in file.syncs if end <= line), default=0)


def _begun(file: _File, line: int, choices: random.Random) -> int:
    """Return how many of a file's changes had happened, those that were happening perhaps among them."""
    count = 0
    for index, change in enumerate(file.changes):
        if change.end <= line or (change.begin <= line and choices.random() < 0.5):
            count = index + 1
        else:
            break
    return count


def _state(
    file: _File, safe: int, kept: int, committed: int | None, choices: random.Random, line: int
) -> tuple[dict[str, int], FileOnDisk]:
    """Return a file's names, with the lines on which it got them, and the file.

    *safe* and *kept* are numbers of changes.  Without *committed*, the first *kept* have happened; with it, *kept* is
    about bytes, and all else happened up to that line.
    """
    found = FileOnDisk(bytearray(), 0o600, 0)
    names: dict[str, int] = {}
    for index, change in enumerate(file.changes):
        if committed is None:
            # A rename is two changes, and both happen or none.
            together = index == kept and change.kind == "no name" and file.changes[index - 1].end == change.end
            if index >= kept and not together:
                break
        elif index >= safe and change.end > committed and change.kind != "bytes":
            continue
        match change.kind:
            case "name":
                names[change.text] = change.end
            case "no name":
                names.pop(change.text, None)
            case "mode":
                found.mode = change.number
            case "time":
                found.modified = change.number
            case "length":
                del found.data[change.number :]
            case "bytes":
                if committed is not None and index >= safe and (index >= kept or change.end > committed):
                    continue
                data = change.data
                if index >= safe and index == kept - 1 and change.number + len(data) > len(found.data):
                    # The last that was written may be there in part.
                    blocks = choices.randint(0, len(data) // _BLOCK + 1)
                    data = data[: max(blocks * _BLOCK - change.number % _BLOCK, 0)]
                if change.number <= len(found.data):
                    found.data[change.number : change.number + len(data)] = data
    return names, found


def _place(arguments: str) -> str | None:
    found = _OPENED.match(arguments)
    return (found[1] or found[3]) if found else None


_CALLS: Mapping[str, Callable[[Disk, Call], None]] = {
    "open": Disk._open,
    "openat": Disk._open,
    "creat": Disk._open,
    "write": Disk._write,
    "writev": Disk._write,
    "pwrite64": Disk._write_there,
    "lseek": Disk._seek,
    "rename": Disk._rename,
    "link": Disk._link,
    "linkat": Disk._link,
    "unlink": Disk._unlink,
    "chmod": Disk._mode,
    "fchmod": Disk._mode,
    "utime": Disk._time,
    "utimes": Disk._time,
    "utimensat": Disk._time,
    "ftruncate": Disk._truncate,
    **dict.fromkeys(SYNCS, Disk._sync),
}


def promises(trace: Trace, pattern: bytes) -> Iterator[tuple[int, str]]:
    """Yield for each text sent or written that *pattern* matches where that began, and the group found."""
    compiled = re.compile(pattern)
    for call in trace.of(("sendto", "sendmsg", "write", "writev")):
        if "TCP" in call.path or "pipe:" in call.path:
            for found in compiled.finditer(call.data):
                yield call.begin, found[found.lastindex or 0].decode()
