"""What delivery adds to a message, and what becomes of troubles with the file."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.delivery.outcome import BOUNCED, DAMAGED, DEFERRED
from pyfix.delivery.output import FileProblem, Output, io_problem, problem, write_all
from pyfix.queue.message import ContentDamaged

Make = Callable[..., Output]


def written(output: Output, *, mailbox: bool = False) -> bytes:
    return b"".join(output.blocks(mailbox=mailbox))


def test_added_lines(output: Make) -> None:
    assert written(output(b"Subject: x\n\nhello\n")) == (
        b"Return-Path: <s@x.example>\nX-Original-To: orig@x.example\nDelivered-To: a@x.example\n"
        b"Subject: x\n\nhello\n"
    )


def test_lines_that_have_nothing_to_say_are_left_out(output: Make) -> None:
    made = output(b"x\n")
    made.original_recipient = made.delivered_to = ""
    assert written(made) == b"Return-Path: <s@x.example>\nx\n"


def test_addresses_are_quoted(output: Make) -> None:
    made = output(b"x\n", 'a b"@x')
    made.original_recipient, made.delivered_to = "c d@x", "\udcff@x"
    assert written(made).splitlines()[:3] == [
        b'Return-Path: <"a b\\""@x>', b'X-Original-To: "c d"@x', b'Delivered-To: \xff@x',
    ]  # fmt: skip


def test_mailbox_format(output: Make) -> None:
    text = written(output(b"From a\n From b\nFrom\n\nFrom c\nx From d\n"), mailbox=True)
    first, _, rest = text.partition(b"\n")
    assert re.fullmatch(rb"From s@x\.example  \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", first)
    assert rest.split(b"a@x.example\n")[1] == b">From a\n From b\nFrom\n\n>From c\nx From d\n\n"


def test_the_null_sender_in_a_mailbox(output: Make) -> None:
    text = written(output(b"x\n", ""), mailbox=True)
    assert text.startswith(b"From MAILER-DAEMON  ") and b"\nReturn-Path: <>\n" in text


def test_from_lines_at_the_edges_of_blocks(output: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = output(b"x\n")
    blocks = [b"one\nFrom two\n", b"From three\nfour", b"\nFrom five\n", b"Fro", b"m six"]
    monkeypatch.setattr(type(made.delivery.message), "content_blocks", lambda *_arguments: iter(blocks))
    text = written(made, mailbox=True)
    assert text.split(b"a@x.example\n")[1] == b"one\n>From two\n>From three\nfour\n>From five\nFrom six\n\n"


def test_a_last_line_without_its_end_gets_one(output: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = output(b"x\n")
    monkeypatch.setattr(type(made.delivery.message), "content_blocks", lambda *_arguments: iter([b"a\nb"]))
    assert written(made).endswith(b"a\nb\n")
    assert written(made, mailbox=True).endswith(b"a\nb\n\n")


@pytest.mark.parametrize("room", [-1, 10**6])
def test_writing(output: Make, tmp_path: Path, room: int) -> None:
    made = output(b"x" * 100000 + b"\n")
    fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT, 0o600)
    write_all(fd, made, mailbox=False, room=room)
    os.close(fd)
    assert (tmp_path / "out").read_bytes() == written(made)


def test_no_room(output: Make, tmp_path: Path) -> None:
    fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT, 0o600)
    size = len(written(output(b"x\n")))
    write_all(fd, output(b"x\n"), mailbox=False, room=size)
    with pytest.raises(FileProblem, match="error writing message: File too large") as failure:
        write_all(fd, output(b"x\n"), mailbox=False, room=size - 1)
    os.close(fd)
    assert (failure.value.outcome.kind, failure.value.outcome.code) == (BOUNCED, "5.2.2")


def test_a_queue_file_that_is_damaged(output: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ContentDamaged(trouble="cut off")

    made = output(b"x\n")
    path = made.delivery.message.path
    monkeypatch.setattr(type(made.delivery.message), "content_blocks", fail)
    with pytest.raises(FileProblem) as failure:
        write_all(1, made, mailbox=False, room=-1)
    outcome = failure.value.behind("of the mailbox: ").outcome
    assert outcome.kind == DAMAGED
    assert outcome.text.split("\n") == [
        f"{path}: cut off", "bad record type: -2 in message content", f"corrupted queue file: {path}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "default", "kind", "code"),
    [
        (errno.ENOSPC, "5.3.0", DEFERRED, "4.3.0"), (errno.EDQUOT, "4.3.0", BOUNCED, "5.2.2"),
        (errno.EFBIG, "4.3.0", BOUNCED, "5.2.2"), (errno.ESTALE, "5.3.0", DEFERRED, "4.2.0"),
        (errno.EAGAIN, "5.3.0", DEFERRED, "4.2.0"), (errno.EIO, "5.3.0", BOUNCED, "5.3.0"),
        (errno.EACCES, "4.2.0", DEFERRED, "4.2.0"),
    ],
)  # fmt: skip
def test_troubles_of_the_system(number: int, default: str, kind: int, code: str) -> None:
    outcome = io_problem("x", OSError(number, os.strerror(number)), default).outcome
    assert (outcome.kind, outcome.code, outcome.text) == (kind, code, f"x: {os.strerror(number)}")
    assert (outcome.diag_type, outcome.diag_text) == ("x-unix", "input/output error")


def test_kind_of_a_problem() -> None:
    assert (problem("x", "5.2.0").outcome.kind, problem("x", "4.2.0").outcome.kind) == (BOUNCED, DEFERRED)
    assert problem("x", "4.2.0").outcome.diag_type == ""
