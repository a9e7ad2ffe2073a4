"""A whole message through cleanup: the file, the status, the log."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from pyfix.formats import status as bits
from pyfix.queue.writer import QueueFileWriter

from .conftest import ENVELOPE, RECIPIENT, TAIL, Submit, message, record, records

SIMPLE = message(b"From: a@b.example\nTo: c@d.example\nMessage-Id: <x@y>\nDate: now\n\nHello\n")


def test_an_accepted_message_is_complete_and_synced_before_the_answer(submit: Submit) -> None:
    outcome = submit(SIMPLE)
    assert (outcome.status, outcome.queue) == (0, "incoming")
    assert outcome.events == ["sync", "wake qmgr", "answer"]
    assert outcome.path is not None
    assert stat.S_IMODE(outcome.path.stat().st_mode) == 0o700
    assert outcome.log == ["ID: message-id=<x@y>"]


def test_the_records_are_those_that_postfix_writes(submit: Submit) -> None:
    outcome = submit(SIMPLE)
    assert outcome.records[1:] == [
        ("T", b"1000000 5"),
        ("A", outcome.records[2][1]),
        ("S", b"s@client.example"),
        ("A", b"dsn_orig_rcpt=rfc822;user@ours.example"),
        ("O", b"user@ours.example"),
        ("R", b"user@ours.example"),
        ("M", b""),
        ("N", b"Received: by here"),
        ("N", b"From: a@b.example"),
        ("N", b"To: c@d.example"),
        ("N", b"Message-Id: <x@y>"),
        ("N", b"Date: now"),
        ("N", b""),
        ("N", b"Hello"),
        ("X", b""),
        ("A", b"message_id=<x@y>"),
        ("E", b""),
    ]
    assert outcome.records[2][1].startswith(b"create_time=")


def test_the_size_record_tells_where_the_content_is(submit: Submit) -> None:
    outcome = submit(SIMPLE)
    assert outcome.path is not None and outcome.sizes is not None
    raw = outcome.path.read_bytes()
    assert raw[outcome.sizes.data_offset :].startswith(b"N\x11Received")
    assert raw[outcome.sizes.data_offset + outcome.sizes.segment :].startswith(b"X\0")
    assert (outcome.sizes.recipients, outcome.sizes.flags, outcome.sizes.options) == (1, 0, 0)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50, 1000])
def test_the_client_may_send_in_any_pieces(submit: Submit, chunk: int) -> None:
    whole = submit(SIMPLE)
    pieces = submit(SIMPLE, chunk=chunk)
    assert pieces.records[3:] == whole.records[3:]


def test_a_held_message_goes_to_the_hold_queue_and_nobody_is_woken(submit: Submit) -> None:
    outcome = submit(SIMPLE, flags=4)
    assert (outcome.status, outcome.queue, outcome.events) == (0, "hold", ["sync", "answer"])


def test_a_discarded_message_leaves_nothing(submit: Submit) -> None:
    outcome = submit(SIMPLE, flags=8)
    assert (outcome.status, outcome.queue) == (0, None)
    assert outcome.log == ["ID: removed (discarded)"]


def test_a_flags_record_may_discard_midway(submit: Submit) -> None:
    outcome = submit(message(b"\nx\n", recipients=RECIPIENT + record("f", "8")))
    assert (outcome.status, outcome.queue, outcome.log) == (0, None, ["ID: removed (discarded)"])


@pytest.mark.parametrize("end", [b"", ENVELOPE, ENVELOPE + RECIPIENT, SIMPLE[:-2], SIMPLE[:-20]])
def test_a_client_that_vanishes_leaves_nothing(submit: Submit, end: bytes) -> None:
    outcome = submit(end)
    assert (outcome.status, outcome.queue, outcome.events) == (bits.BAD, None, ["answer"])
    assert outcome.log[-1] == "ID: removed (canceled)"


def test_a_sync_that_fails_is_no_acceptance(submit: Submit) -> None:
    outcome = submit(SIMPLE, fail_sync=OSError(errno.EIO, os.strerror(errno.EIO)))
    assert (outcome.status, outcome.queue, outcome.events) == (bits.WRITE, None, ["sync", "answer"])
    assert "warning: ID: write queue file: Input/output error" in outcome.log


def test_a_full_disk_is_a_write_error(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int, _data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    outcome = submit(SIMPLE)
    assert (outcome.status, outcome.queue) == (bits.WRITE, None)
    assert outcome.log[-2:] == ["warning: ID: write queue file: No space left on device", "ID: removed (canceled)"]


def test_a_message_above_the_limit_is_refused(submit: Submit) -> None:
    body = b"\n" + b"x" * 78 + b"\n"
    fitting = submit(message(body))
    assert fitting.path is not None
    size = fitting.path.stat().st_size
    assert submit(message(body), limit=size).status == 0
    outcome = submit(message(body), limit=size - 1)
    assert (outcome.status, outcome.queue) == (bits.SIZE, None)
    assert outcome.log[-3:] == [
        "warning: ID: queue file size limit exceeded",
        "warning: mail_stream_cleanup: close error",
        "ID: removed (canceled)",
    ]


def test_no_recipients(submit: Submit) -> None:
    outcome = submit(message(b"\nx\n", recipients=b""))
    assert (outcome.status, outcome.queue) == (bits.NO_RECIPIENT, None)


def test_a_record_with_an_impossible_length_is_refused(submit: Submit) -> None:
    outcome = submit(b"\xff" * 10)
    assert outcome.status == bits.BAD
    assert outcome.log[0] == "warning: cleanup socket: too many length bits, record type 255"


def test_a_bad_flags_attribute_is_refused(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = submit(records(("E", "")), flags="x")
    assert (outcome.status, outcome.queue) == (bits.BAD, None)


def test_a_stale_log_of_bounce_is_removed(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    create = QueueFileWriter.create.__func__  # type: ignore[attr-defined]  # a classmethod has it

    def with_log(cls: type[QueueFileWriter], spool: object, **options: object) -> QueueFileWriter:
        file: QueueFileWriter = create(cls, spool, **options)
        with open(f"{spool.root}bounce/{file.queue_id}", "w"):  # type: ignore[attr-defined]  # it is a Spool
            pass
        return file

    monkeypatch.setattr(QueueFileWriter, "create", classmethod(with_log))
    assert "warning: ID: removed spurious bounce log" in submit(SIMPLE).log


def test_a_big_message_is_written_in_pieces_with_its_size_record_at_the_end(submit: Submit) -> None:
    body = b"".join([b"%06d " % number + b"x" * 70 + b"\n" for number in range(20000)])
    outcome = submit(message(b"Subject: big\n\n" + body), chunk=70000)
    assert outcome.status == 0 and outcome.sizes is not None
    assert outcome.sizes.segment > len(body)
    assert b"".join([line + b"\n" for line in outcome.content()]).endswith(body)


def test_what_follows_the_end_record_is_ignored(submit: Submit) -> None:
    assert submit(SIMPLE + record("N", "more")).status == 0


def test_a_rewrite_service_that_is_gone_is_a_temporary_error(submit: Submit) -> None:
    from pyfix.runtime.ipc import ServiceError

    async def gone(_context: str, _address: str) -> str:
        raise ServiceError("connect to private/rewrite: No such file or directory")

    outcome = submit(message(b"\nx\n", recipients=records(("R", "user"))), ask=gone)
    assert (outcome.status, outcome.queue) == (bits.WRITE, None)


def test_tail_records_are_needed(submit: Submit) -> None:
    refused = submit(message(b"\nx\n", tail=records(("S", "again"))) + TAIL)
    assert refused.status == bits.BAD
