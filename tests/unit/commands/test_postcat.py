"""postcat(1); that it prints what Postfix's does is in tests/parity/commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.commands import postcat
from pyfix.formats import records
from pyfix.formats.records import encode_attribute, encode_lines, encode_record
from tests.unit.commands.running import Done, call
from tests.unit.daemons.running import System
from tests.unit.queue.test_message import build

MESSAGE = [b"Subject: x", b" folded", b"To: y", b"", b"body", b"X-No: header"]


@pytest.fixture
def file(mail: System) -> Path:
    path = mail.queue / "active/ABC123"
    build(path, ["a@x"], encode_lines(MESSAGE))
    return path


def run(*argv: str, input: bytes = b"") -> Done:
    return call(postcat.main, *argv, name="postcat", input=input)


def test_everything(file: Path) -> None:
    done = run(str(file))
    assert done.status == 0 and done.err == []
    lines = done.lines
    assert lines[0] == f"*** ENVELOPE RECORDS {file} ***"
    assert lines[1].startswith("message_size: ")
    assert lines[2:8] == [
        "message_arrival_time: Thu Jan  1 00:16:40 1970", "named_attribute: log_ident=ABC", "sender: s@x",
        "named_attribute: encoding=8bit", "named_attribute: dsn_orig_rcpt=rfc822;a@x", "original_recipient: a@x",
    ]  # fmt: skip
    assert lines[8:10] == ["recipient: a@x", f"*** MESSAGE CONTENTS {file} ***"]
    assert lines[10:16] == [line.decode() for line in MESSAGE]
    assert lines[16:] == [f"*** HEADER EXTRACTED {file} ***", f"*** MESSAGE FILE END {file} ***"]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["-h"], ["Subject: x", " folded", "To: y"]),
        (["-b"], ["", "body", "X-No: header"]),
        (["-bh"], [line.decode() for line in MESSAGE]),
    ],
)
def test_parts(file: Path, options: list[str], shown: list[str]) -> None:
    assert run(*options, str(file)).lines == shown


def test_envelope_only(file: Path) -> None:
    lines = run("-e", str(file)).lines
    assert "body" not in lines and "recipient: a@x" in lines


def test_details(file: Path) -> None:
    lines = run("-o", "-d", str(file)).lines
    assert lines[1].startswith("        0  67 message_size: ")
    assert lines[2].startswith("       97  84 message_arrival_time: ")
    assert run("-f", "-b", str(file)).lines[1] == f"{file}: body"
    assert "regular_text: body" in run("-v", str(file)).lines


def test_a_message_of_the_queue(file: Path, mail: System) -> None:
    assert run("-q", "-b", "ABC123").lines == ["", "body", "X-No: header"]
    hashed = mail.queue / "deferred/D/DEF456"
    hashed.parent.mkdir()
    file.rename(hashed)
    assert run("-q", "-b", "DEF456").lines == ["", "body", "X-No: header"]


@pytest.mark.parametrize("queue_id", ["ABC999", "../active/ABC123", "", "a.b"])
def test_no_such_message(file: Path, queue_id: str) -> None:
    done = run("-q", queue_id)
    assert (done.status, done.out) == (1, b"")
    known = queue_id == "ABC999"
    text = f"open queue file {queue_id}: No such file or directory" if known else f"bad mail queue ID: {queue_id}"
    assert done.err == [f"postcat: fatal: {text}"]


def test_standard_input(file: Path) -> None:
    done = run("-b", input=file.read_bytes())
    assert done.lines == ["", "body", "X-No: header"]
    assert run("-e", input=file.read_bytes()).lines[0] == "*** ENVELOPE RECORDS stdin ***"


def test_several_files(file: Path) -> None:
    assert run("-b", str(file), str(file)).lines == ["", "body", "X-No: header"] * 2


@pytest.mark.parametrize("data", [b"text\n", b"\xff" * 100, b"N\1x"])
def test_what_is_no_queue_file(mail: System, data: bytes) -> None:
    path = mail.folder / "x"
    path.write_bytes(data)
    done = run(str(path))
    assert (done.status, done.out, done.err) == (0, b"", [f"postcat: warning: {path}: input is not a valid queue file"])


@pytest.mark.parametrize("cut", [150, 200])
def test_a_file_that_is_cut_off(file: Path, cut: int) -> None:
    file.write_bytes(file.read_bytes()[:cut])
    done = run(str(file))
    assert done.status == 1 and done.err[-1] == "postcat: fatal: record read error"
    assert done.err[-2].startswith(f"postcat: warning: {file}: unexpected EOF in data, record type ")


def test_pointers_are_followed(mail: System) -> None:
    head = encode_record(records.TIME, b"1000 0") + encode_record(records.SENDER, b"s@x")
    pointer = encode_record(records.POINTER, b"%15d" % 0)
    skipped = encode_record(records.RECIPIENT, b"skipped@x")
    start = len(head) + len(pointer) + len(skipped)
    data = head + encode_record(records.POINTER, b"%15d" % start) + skipped + encode_record(records.RECIPIENT, b"a@x")
    path = mail.folder / "x"
    path.write_bytes(data + encode_record(records.MESSAGE) + encode_record(records.EXTRACTED) + encode_record(records.END))
    assert "recipient: skipped@x" not in run(str(path)).lines and "recipient: a@x" in run(str(path)).lines
    assert "recipient: skipped@x" not in run("-r", str(path)).lines and "recipient: skipped@x" in run("-rv", str(path)).lines


def test_pointers_in_a_circle_end(mail: System) -> None:
    head = encode_record(records.TIME, b"1000 0")
    path = mail.folder / "x"
    path.write_bytes(head + encode_record(records.POINTER, b"%15d" % len(head)) + encode_record(records.END))
    assert run(str(path)).status == 0


def test_bytes_that_are_no_text(mail: System) -> None:
    path = mail.folder / "x"
    data = encode_record(records.TIME, b"1000 0") + encode_attribute("a", "\udcff") + encode_record(records.SENDER, b"\xe9@x")
    path.write_bytes(data + encode_record(records.END))
    assert b"named_attribute: a=\xff\nsender: \xe9@x\n" in run(str(path)).out


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["/nowhere/x"], "open /nowhere/x: No such file or directory"),
        (["-s", "x", "y"], "bad offset: x"),
        (["-c", "/nowhere", "y"], "open /nowhere/main.cf: No such file or directory"),
    ],
)
def test_complaints(mail: System, argv: list[str], text: str) -> None:
    done = run(*argv)
    assert (done.status, done.err) == (1, [f"postcat: fatal: {text}"])


def test_usage(mail: System) -> None:
    done = run("-x")
    assert done.status == 1
    assert done.err[0] == "postcat: invalid option -- 'x'"
    assert done.err[1].startswith("postcat: fatal: usage: postcat [-b (body text)] [-c config_dir] ")


def test_a_start_within_the_file(file: Path) -> None:
    found = run("-o", "-e", str(file)).lines
    offset = next(line.split()[0] for line in found if "sender:" in line)
    assert run("-s", offset, "-e", str(file)).lines[0] == "sender: s@x"
