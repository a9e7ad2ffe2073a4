"""The order of a message's system calls: each promise comes after the sync of what it promises.

Each function looks for one kind of promise in a trace and returns what it found, a line for each: those that may be
believed, and those that were given too early.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

from pyfix.formats.attributes import decode_pairs, end_of_list
from tests.crash.trace import RECEIPTS, SENDS, SYNCS, WRITES, Call, Trace

_QUEUED = re.compile(rb"250 2\.0\.0 Ok: queued as (\w+)")
_RENAMES = ("rename", "renameat", "renameat2")


@dataclass
class Promises:
    """What was promised."""

    kept: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def note(self, what: str, problem: str) -> None:
        """Take a promise down: kept when there is no *problem*."""
        if problem:
            self.broken.append(f"{what}: {problem}")
        else:
            self.kept.append(what)


def _named(path: str, folders: Iterable[str], queue_id: str) -> bool:
    """Tell whether *path* is the file of a message in one of the folders, hashed or not."""
    head, _, name = path.rpartition("/")
    return name == queue_id and any(f"/{folder}/" in f"{head}/" for folder in folders)


def _early(writes: list[Call], syncs: list[Call], promise: Call) -> str:
    """Say what is wrong with a promise about a file that *writes* filled; nothing if all is well."""
    written = [call for call in writes if call.begin < promise.begin]
    if not written:
        return "nothing was written before"
    last = written[-1]
    if not any(last.before(sync) and sync.before(promise) for sync in syncs):
        return f"no sync between the last write (line {last.end}) and line {promise.begin}"
    return ""


def accepted(trace: Trace) -> Promises:
    """smtpd(8) says that a message is queued: its queue file is on the disk."""
    found = Promises()
    writes, syncs = trace.of(WRITES), trace.of(SYNCS)
    for reply in trace.of(SENDS):
        if "TCP" not in reply.path:
            continue
        for match in _QUEUED.findall(reply.data):
            queue_id = match.decode()
            mine = [call for call in writes if _named(call.path, ("incoming", "hold"), queue_id)]
            its = [call for call in syncs if _named(call.path, ("incoming", "hold", "active", "deferred"), queue_id)]
            found.note(f"{queue_id} queued", _early(mine, its, reply))
    return found


def posted(trace: Trace) -> Promises:
    """postdrop(1) says that the message is safe, and sendmail(1) ends: the file in maildrop is on the disk."""
    found = Promises()
    writes, syncs = trace.of(WRITES), trace.of(SYNCS)
    sendmail = min(call.pid for call in trace.calls)
    ends = [call for call in trace.calls if call.name == "exit_group" and call.pid == sendmail]
    answers = [call for call in trace.of(WRITES) if call.data.startswith(b"status\0000\0")]
    for promise in answers + ends:
        mine = [call for call in writes if "/maildrop/" in call.path]
        its = [call for call in syncs if "/maildrop/" in call.path]
        found.note("answer of postdrop" if promise in answers else "end of sendmail", _early(mine, its, promise))
    return found


@dataclass
class _Request:
    """One request that a daemon received over a connection of its own."""

    receipt: Call
    service: str
    values: dict[str, str]
    recipients: dict[int, str]

    def reply(self, trace: Trace) -> Call | None:
        """Return the call that sent the answer's last bytes."""
        where = (self.receipt.pid, self.receipt.descriptor, self.receipt.path)
        for call in trace.of(SENDS):
            if (
                self.receipt.before(call)
                and (call.pid, call.descriptor, call.path) == where
                and b"status\0" in call.data
            ):
                return call
        return None


def _requests(trace: Trace) -> list[_Request]:
    found = []
    for call in trace.of(RECEIPTS):
        _, private, name = call.path.rpartition('"private/')
        if not private:
            continue
        lists = []
        data = call.data
        start = 0
        while (end := end_of_list(data, start)) > 0:
            lists.append(decode_pairs(data[start:end]))
            start = end
        values = dict(lists[0]) if lists else {}
        if "queue_id" not in values:
            continue
        rows = [dict(pairs) for pairs in lists[1:]]
        recipients = {int(row["offset"]): row["recipient"] for row in rows if "recipient" in row}
        found.append(_Request(call, name.rstrip('"]'), values, recipients))
    return found


def delivered(trace: Trace, services: tuple[str, ...] = ("virtual", "local", "folders")) -> Promises:
    """A delivery agent marks a recipient as done and answers qmgr(8): the mailbox is on the disk, the file in place."""
    found = Promises()
    writes, syncs = trace.of(WRITES), trace.of(SYNCS)
    renames = trace.of(_RENAMES)
    marks = [call for call in trace.of(("pwrite64",)) if call.strings == [b"D"]]
    for request in _requests(trace):
        if request.service not in services:
            continue
        queue_id, pid = request.values["queue_id"], request.receipt.pid
        reply = request.reply(trace)
        for offset, recipient in request.recipients.items():
            what = f"{queue_id} to {recipient}"
            mine = [
                call for call in marks
                if call.pid == pid and _named(call.path, ("active",), queue_id) and _offset(call) == offset
            ]  # fmt: skip
            if not mine or reply is None:
                continue  # it went elsewhere, or was deferred
            (mark,) = mine
            copy = _copy(writes, pid, queue_id, recipient)
            its = [call for call in syncs if call.pid == pid and copy and call.path == copy[0].path]
            problem = _early(copy, its, mark) or _early(copy, its, reply)
            if not problem and PurePath(copy[0].path).parent.name == "tmp":
                moves = [call for call in renames if call.strings and call.strings[0].decode() == copy[0].path]
                if not any(move.before(mark) for move in moves):
                    problem = "not in new"
                elif not any(sync.before(moves[0]) for sync in its):
                    problem = "moved to new before the sync"
            if not problem and not mark.before(reply):
                problem = "marked after the answer"
            found.note(what, problem)
    return found


def _offset(mark: Call) -> int:
    return int(mark.arguments.rpartition(",")[2])


def _copy(writes: list[Call], pid: int, queue_id: str, recipient: str) -> list[Call]:
    """Return the writes that put a message into a recipient's mailbox."""
    copy: list[Call] = []
    for call in writes:
        if call.pid != pid or "/spool/" in call.path:
            continue
        data = call.data
        if f"Delivered-To: {recipient}\n".encode() in data and re.search(rb"\bid " + queue_id.encode() + rb"\b", data):
            copy = [call]
        elif copy and call.path == copy[0].path and not data.startswith(b"From "):
            copy.append(call)
    return copy


def logged(trace: Trace, services: tuple[str, ...] = ("bounce", "defer", "trace")) -> Promises:
    """bounce(8) says that it has logged an outcome: the log is on the disk."""
    found = Promises()
    writes, syncs = trace.of(WRITES), trace.of(SYNCS)
    for request in _requests(trace):
        service = request.service
        if service not in services or request.values.get("nrequest") != "0":
            continue
        queue_id, pid = request.values["queue_id"], request.receipt.pid
        reply = request.reply(trace)
        if reply is None:
            continue
        mine = [call for call in writes if call.pid == pid and _named(call.path, (service,), queue_id)]
        mine = [call for call in mine if request.receipt.before(call)]
        its = [call for call in syncs if call.pid == pid and _named(call.path, (service,), queue_id)]
        found.note(f"{queue_id} in {service}", _early(mine, its, reply))
    return found
