"""Queue files that are damaged between the queue manager's look at the envelope and the delivery of the content.

The agent that finds the damage says so and changes the file's mode; qmgr(8) puts the file into the corrupt queue.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import processes, spool
from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

_LINE = 5
"""The text record that is damaged: behind three of a Received: header, the Subject: and the empty line."""
CONTENT = "Subject: test\n\nthe first line\nthe second line, which has room\nthe last line\n"
_ROUTES = "{disc.example=discard:gone}, {bounce.example=error:5.1.6 moved}, {later.example=retry:4.4.1 not now}"
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": f"inline:{{{_ROUTES}}}",
    "alias_maps": "inline:{{list=other@disc.example, far@disc.example}}",
}
SENDER = "back@disc.example"

Damage = Callable[[Path], None]


def _overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def _start(path: Path, kind: str, number: int = 0) -> int:
    """Return where the record *number* of a type begins."""
    return [record.start for record in spool.records(path) if record.kind == kind][number]


def _cut(kind: str, number: int = 0, *, keep: int = 0) -> Damage:
    """Cut the file *keep* bytes behind the beginning of a record."""
    return lambda path: os.truncate(path, _start(path, kind, number) + keep)


def _poke(data: bytes, *, behind: int = 0) -> Damage:
    """Write *data* over the beginning of a line of the content, or *behind* it."""
    return lambda path: _overwrite(path, _start(path, "N", _LINE) + behind, data)


def _pointer(where: Callable[[Path], int]) -> Damage:
    return lambda path: _overwrite(path, _start(path, "N", _LINE + 1), b"p\x0f%15d" % where(path))


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"N\x05hello" * 3)


def _fill_with_zeros(path: Path) -> None:
    begin = _start(path, "N", _LINE)
    _overwrite(path, begin, bytes(path.stat().st_size - begin))


_DAMAGE: Mapping[str, Damage] = {
    "cut within a line": _cut("N", _LINE, keep=4),
    "cut between lines": _cut("N", _LINE),
    "cut behind a type": _cut("N", _LINE, keep=1),
    "cut before the content": _cut("M", keep=2),
    "cut before the end of the content": _cut("X"),
    "cut behind the content": _cut("X", keep=2),
    "cut within the envelope": _cut("R", keep=3),
    "empty": lambda path: os.truncate(path, 0),
    "grown": _append,
    "zeros": _fill_with_zeros,
    "a type that nobody knows": _poke(b"Z"),
    "type 255": _poke(b"\xff"),
    "a recipient in the content": _poke(b"R"),
    "a named attribute in the content": _poke(b"A"),
    "the end of the message in the content": _poke(b"E"),
    "padding": _poke(b"w"),
    "a length beyond the end": _poke(b"\xff\xff\x7f", behind=1),
    "a length of too many digits": _poke(b"\x81\x80\x80\x80\x00", behind=1),
    "a pointer to words": _poke(b"p"),
    "a pointer beyond the end": _pointer(lambda _path: 9999999),
    "a pointer to before the beginning": _pointer(lambda _path: -5),
    "a pointer back, again and again": _pointer(lambda path: _start(path, "N", 1)),
}


@contextmanager
def _standing_still(mta: Instance, program: str) -> Iterator[None]:
    """Let all processes of a program wait until the block ends; there must be some."""
    pids = mta.pids_of(program)
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _until_active(mta: Instance, queue_id: str, mark: int) -> None:
    """Wait until qmgr has read a message; the reference's says so in the log when it has not read all of it yet."""
    mta.wait_for_log(rf"{queue_id}: .*\(queue active\)", since=mark)
    processes.wait_until_at_rest(lambda: mta.pids_of("qmgr"), 5)


def _damaged(mta: Instance, program: str, recipients: str | list[str], damage: Damage) -> tuple[str, int]:
    """Let a message be damaged before *program* delivers it; return its queue id, and where the log was then."""
    mark = mta.log_mark()
    with _standing_still(mta, program):
        queue_id = mta.send_message(recipients, CONTENT, sender=SENDER)
        _until_active(mta, queue_id, mark)
        if isinstance(recipients, list):
            mta.wait_for_log(rf"{queue_id}: to=", count=len(recipients) - 1, since=mark)
        damage(mta.spool_file(queue_id))
    return queue_id, mark


def _what_became(mta: Instance, queue_id: str, mark: int) -> object:
    """Wait for the end of a message; return log lines, and what lies in the queue, with its mode."""
    mta.wait_for_log(rf'saving corrupt file "{queue_id}"|{queue_id}: removed', since=mark)
    mta.settle()
    lines = []
    for line in mta.log_lines(mark):
        if found := re.search(r"/(local|virtual|error|discard|qmgr)\[\d+\]: (.*)", line):
            text = re.sub(r"delay=.*?, dsn=", "dsn=", found[2].replace(queue_id, "<ID>"))
            text = re.sub(r"(?<!warning)\b[0-9A-F]{8,}: bad record", "<NEW ID>: bad record", text)
            if "queue active" not in text and f"{found[1]}: {text}" not in lines:
                lines.append(f"{found[1]}: {text}")
    there = []
    for queue, ids in mta.queue().items():
        for name in ids:
            path = mta.spool_file(name)
            there.append((queue, name == queue_id, oct(path.stat().st_mode)))
            path.unlink()
    return sorted(lines), there


@pytest.mark.parametrize(("program", "recipient"), [("virtual", "user@ours.example"), ("local", "nobody@localhost")])
def test_content(parity: Parity, program: str, recipient: str) -> None:
    """Nothing is delivered of a damaged message, and it is saved; damage that does not show is none."""

    def case(mta: Instance) -> dict[str, object]:
        mta.send_message(recipient)
        mta.wait_until_empty()
        result: dict[str, object] = {}
        for name, damage in _DAMAGE.items():
            before = sum(map(len, mta.deliveries().values()))
            queue_id, mark = _damaged(mta, program, recipient, damage)
            became = _what_became(mta, queue_id, mark)
            result[name] = became, sum(map(len, mta.deliveries().values())) - before > 0
        return result

    seen = parity(case, main=MAIN).result
    assert isinstance(seen, dict)
    whole = [name for name, (_became, delivered) in seen.items() if delivered]
    assert program == "local" or whole == ["cut behind the content", "grown", "padding"]


def test_a_mailbox_that_is_locked_meanwhile(parity: Parity) -> None:
    """What was written to a mailbox file is taken back."""

    def case(mta: Instance) -> object:
        mta.send_message("mbox@ours.example")
        mta.wait_until_empty()
        before = mta.deliveries()
        queue_id, mark = _damaged(mta, "virtual", "mbox@ours.example", _DAMAGE["cut between lines"])
        return _what_became(mta, queue_id, mark), mta.deliveries() == before

    seen = parity(case, main=MAIN).result
    assert seen[1] is True  # type: ignore[index]  # the result of case


@pytest.mark.parametrize(
    "others", [["x@bounce.example"], ["x@later.example"], ["x@disc.example"]], ids=["bounced", "deferred", "sent"]
)
def test_other_recipients(parity: Parity, others: list[str]) -> None:
    """What became of other recipients does not keep the file from the corrupt queue; no notice is sent of it."""

    def case(mta: Instance) -> object:
        mta.send_message(["user@ours.example", *others], sender="")
        mta.wait_for_log(r": to=<x@")
        mta.wait_for_log(r": to=<user@")
        mta.settle()
        queue_id, mark = _damaged(mta, "virtual", ["user@ours.example", *others], _DAMAGE["cut between lines"])
        return _what_became(mta, queue_id, mark)

    parity(case, main={**MAIN, "minimal_backoff_time": "1000s", "service_throttle_time": "1s"})


def test_what_is_sent_on(parity: Parity) -> None:
    """An alias of other systems: nothing of a damaged message goes on."""

    def case(mta: Instance) -> object:
        mta.send_message("list@localhost")
        mta.wait_for_log(r"to=<other@disc.example>")
        mta.wait_until_empty()
        queue_id, mark = _damaged(mta, "local", "list@localhost", _DAMAGE["cut between lines"])
        return _what_became(mta, queue_id, mark)

    parity(case, main=MAIN)


@pytest.mark.parametrize("name", ["cut between lines", "cut within a line", "cut within the envelope", "a type that nobody knows"])
def test_notices(parity: Parity, name: str) -> None:
    """A notice returns what can be read of a message; when an agent has marked the file none is sent."""

    def case(mta: Instance) -> object:
        mta.send_message(["x@bounce.example", "user@ours.example"], sender="")
        mta.wait_until_empty()
        seen = []
        for program, recipients in (("error", "x@bounce.example"), ("virtual", ["user@ours.example", "x@bounce.example"])):
            mark = mta.log_mark()
            with _standing_still(mta, program):
                queue_id = mta.send_message(recipients, CONTENT, sender="second@ours.example")
                _until_active(mta, queue_id, mark)
                if program == "virtual":
                    mta.wait_for_log(rf"{queue_id}: to=", since=mark)
                _DAMAGE[name](mta.spool_file(queue_id))
            mta.wait_for_log(rf'saving corrupt file "{queue_id}"|{queue_id}: removed', since=mark)
            mta.settle()
            found = [re.search(r"/(bounce|qmgr)\[\d+\]: (.*)", line) for line in mta.log_lines(mark)]
            texts = [re.sub(r"\b[0-9A-F]{8,}\b", "<ID>", f"{one[1]}: {one[2]}") for one in found if one]
            seen.append((sorted(text for text in texts if "queue active" not in text), sorted(mta.queue())))
            for ids in mta.queue().values():
                for one in ids:
                    mta.spool_file(one).unlink()
        return seen

    main = {**MAIN, "minimal_backoff_time": "1000s", "service_throttle_time": "1s"}
    seen = parity(case, main=main, deliveries=True, fresh=True)
    assert sorted(seen.delivered) == ["second/", "user/"]


@pytest.mark.parametrize("damage", ["cut", "a type that nobody knows"])
def test_recipients_that_are_not_read_yet(parity: Parity, damage: str) -> None:
    """Of a message with very many recipients the envelope is read in portions."""

    def case(mta: Instance) -> object:
        mta.send_message("x@disc.example", sender="")
        mta.wait_until_empty()
        mark = mta.log_mark()
        with _standing_still(mta, "discard"):
            queue_id = mta.send_message([f"user{number}@disc.example" for number in range(60)], sender="")
            _until_active(mta, queue_id, mark)
            mta.settle(0.5)
            path = mta.spool_file(queue_id)
            if damage == "cut":
                os.truncate(path, _start(path, "R", 55))
            else:
                _overwrite(path, _start(path, "R", 55), b"Z")
        mta.wait_for_log(rf'saving corrupt file "{queue_id}"', since=mark)
        mta.settle()
        lines = [line.partition("]: ")[2].replace(queue_id, "<ID>") for line in mta.log_lines(mark) if "/qmgr[" in line]
        mta.spool_file(queue_id).unlink()
        # Where a recipient stands depends on how many digits the inode in the queue id has.
        lines = [re.sub(r"offset \d+", "offset", line) for line in lines]
        return sorted(line for line in lines if "rcpt count mismatch" not in line), list(mta.queue())

    main = {
        **MAIN,
        "qmgr_message_active_limit": "5",
        "qmgr_message_recipient_limit": "20",
        "qmgr_message_recipient_minimum": "10",
        "default_recipient_limit": "20",
        "default_recipient_refill_limit": "5",
    }
    parity(case, main=main)


_MODES = {"being written": 0o600, "marked": 0o400, "for others too": 0o755, "of somebody who only reads": 0o744, "none": 0}


@pytest.mark.parametrize(("program", "recipient"), [("discard", "x@disc.example"), ("error", "x@later.example")])
def test_modes(parity: Parity, program: str, recipient: str) -> None:
    """A file whose mode changes while it is active: a deferred one that is not complete is saved; a sent one is removed."""

    def case(mta: Instance) -> dict[str, object]:
        result: dict[str, object] = {}
        for name, mode in _MODES.items():
            mark = mta.log_mark()
            first = mta.send_message(recipient, sender="")
            mta.wait_for_log(rf"{first}: to=", since=mark)
            mta.settle()
            mta.spool_file(first).unlink() if "deferred" in mta.queue() else None
            queue_id, mark = _damaged(mta, program, recipient, lambda path, mode=mode: path.chmod(mode))
            mta.wait_for_log(rf"{queue_id}: removed|{queue_id}: to=.*deferred|saving corrupt file", since=mark)
            mta.settle()
            lines = [line for line in mta.log_lines(mark) if re.search(r"(qmgr|error|discard)\[", line)]
            texts = [re.sub(r"delay=.*?, dsn=", "dsn=", line.partition("]: ")[2]).replace(queue_id, "<ID>") for line in lines]
            there = [(queue, oct(mta.spool_file(one).stat().st_mode)) for queue, ids in mta.queue().items() for one in ids]
            for ids in mta.queue().values():
                for one in ids:
                    mta.spool_file(one).unlink()
            result[name] = sorted(texts), there
        return result

    parity(case, main={**MAIN, "minimal_backoff_time": "1000s", "service_throttle_time": "1s"}, fresh=True)
