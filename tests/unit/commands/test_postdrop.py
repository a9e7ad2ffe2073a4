"""postdrop(1): what strangers may put into the maildrop, and what they are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.commands import postdrop
from pyfix.formats.attributes import decode_pairs, end_of_list
from pyfix.formats.records import encode_record, read_records
from tests.unit.commands.running import Done, call
from tests.unit.daemons.running import Pair, System
from tests.unit.daemons.services import Triggered


def record(kind: str, data: str | bytes = b"") -> bytes:
    return encode_record(ord(kind), data.encode() if isinstance(data, str) else data)


ENVELOPE = record("A", "rewrite_context=local") + record("S", "s") + record("R", "r@x")
CONTENT = record("M") + record("N", "Subject: x") + record("N") + record("L", "no end") + record("X")
MESSAGE = ENVELOPE + CONTENT + record("E")


def run(data: bytes, *argv: str) -> Done:
    return call(postdrop.main, *argv, name="postdrop", input=data)


def answers(done: Done) -> list[list[Pair]]:
    found, data = [], done.out
    while data:
        end = end_of_list(data)
        found.append(decode_pairs(data[:end]))
        data = data[end:]
    return found


def posted(mail: System) -> list[Path]:
    return list((mail.queue / "maildrop").iterdir())


def test_a_message(mail: System) -> None:
    pickup = Triggered(mail, "public/pickup")
    done = run(MESSAGE, "-r")
    (path,) = posted(mail)
    assert (done.status, done.err) == (0, [])
    assert answers(done) == [[("protocol", "postdrop_protocol"), ("queue_id", path.name)], [("status", "0"), ("reason", "")]]
    assert path.stat().st_mode & 0o777 == 0o744 and path.stat().st_uid == os.getuid()
    time, *rest = read_records(path.read_bytes())
    assert chr(time.kind) == "T" and time.data.split()[0].isdigit()
    assert b"".join(encode_record(one.kind, one.data) for one in rest) == MESSAGE
    assert pickup.next() == b"W"


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (b"garbage\n", "in data, record type 103 length 97"),
        (ENVELOPE + b"R", "reading length, record type 82"),
        (ENVELOPE + b"R\x85\x01x", "in data, record type 82 length 133"),
    ],
)
def test_half_a_record(mail: System, data: bytes, missing: str) -> None:
    """What ends within a record is no message, and no sender that changed its mind either."""
    done = run(data)
    assert done.status == 1
    assert f"postdrop: warning: stdin: unexpected EOF {missing}" in done.err
    assert not posted(mail)


def test_the_mail_system_is_down(mail: System) -> None:
    assert run(MESSAGE).status == 0 and len(posted(mail)) == 1


@pytest.mark.parametrize("cut", [0, len(ENVELOPE), len(MESSAGE) - 2])
def test_a_sender_that_goes_away(mail: System, cut: int) -> None:
    done = run(MESSAGE[:cut])
    assert (done.status, len(answers(done)), posted(mail)) == (0, 1, [])


@pytest.mark.parametrize(
    "data",
    [
        record("T", "1 2") + MESSAGE, record("C", "x" * 95) + MESSAGE, record("f", "8") + MESSAGE,
        record("O", "x") + MESSAGE, record("p", "0") + MESSAGE, ENVELOPE + record("X"), ENVELOPE + record("E"),
        ENVELOPE + record("M") + record("R", "x") + record("E"), ENVELOPE + CONTENT + record("S", "x") + record("E"),
        ENVELOPE + CONTENT + record("N", "x"), b"\xff" * 20,
    ],
)  # fmt: skip
def test_records_that_do_not_belong_there(mail: System, data: bytes) -> None:
    """Only what sendmail(1) writes: no queue file's own records, and nothing out of its place."""
    done = run(data)
    if data.startswith(record("C", "x" * 95)):
        assert done.status == 0, "sendmail -O writes such a record, for its options"
        return
    assert done.status == 1
    assert len(answers(done)) <= 1, "sendmail(1) learns by the end of the output"
    assert done.err[-1].startswith(f"postdrop: fatal: uid={os.getuid()}: ")
    assert posted(mail) == []


@pytest.mark.parametrize(
    ("attribute", "kept"),
    [
        ("encoding=8bit", True), ("notify_flags=1", True), ("dsn_orig_rcpt=rfc822;x", True), ("trace_flags=512", True),
        ("log_client_name=x", False), ("client_address=x", False), ("sasl_username=x", False), ("x", False),
        ("create_time=1", False),
    ],
)  # fmt: skip
def test_attributes_that_could_deceive_are_dropped(mail: System, attribute: str, kept: bool) -> None:
    assert run(record("A", attribute) + MESSAGE).status == 0
    (path,) = posted(mail)
    assert (record("A", attribute) in path.read_bytes()) is kept


def test_what_follows_the_end_is_ignored(mail: System) -> None:
    assert run(MESSAGE + record("R", "x")).status == 0
    assert posted(mail)[0].read_bytes().endswith(record("E"))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (record("F", "a\nb"), "null or line break in 'sender_fullname' record type: a?b"), (record("S", "a\0b"), "null or line break in 'sender' record type: a?b"),
        (record("F", "x" * 2049), "malformed input"),
    ],
)  # fmt: skip
def test_what_no_line_of_a_header_could_have(mail: System, data: bytes, text: str) -> None:
    done = run(data + MESSAGE)
    assert (done.status, done.err[-1]) == (1, f"postdrop: fatal: uid={os.getuid()}: {text}")
    assert posted(mail) == []


def test_late_recipients(mail: System) -> None:
    assert run(ENVELOPE + CONTENT + record("A", "notify_flags=1") + record("R", "late@x") + record("E")).status == 0


def test_size_limit(mail: System) -> None:
    mail.write_main(message_size_limit="1000", mailbox_size_limit="0", virtual_mailbox_limit="0")
    big = ENVELOPE + record("M") + record("N", b"x" * 1100) * 2 + record("X") + record("E")
    done = run(big)
    assert done.status == 4 and answers(done)[-1] == [("status", "4"), ("reason", "")]
    assert posted(mail) == []
    assert run(MESSAGE).status == 0


def test_long_queue_ids(mail: System) -> None:
    mail.write_main(enable_long_queue_ids="yes")
    run(MESSAGE)
    assert "z" in posted(mail)[0].name


def test_no_maildrop(mail: System) -> None:
    (mail.queue / "maildrop").rmdir()
    done = run(MESSAGE)
    assert done.status == 75
    assert done.err[-1].startswith("postdrop: fatal: mail_queue_enter: create file maildrop")
    assert done.err[-1].endswith(": No such file or directory")


@pytest.mark.parametrize("argv", [["-x"], ["-c"]])
def test_usage(mail: System, argv: list[str]) -> None:
    done = run(MESSAGE, *argv)
    assert (done.status, done.out) == (1, b"")
    assert done.err[-1] == "postdrop: fatal: usage: postdrop [-c config_dir] [-v]"


@pytest.mark.root
def test_users_who_may_not_submit(mail: System) -> None:
    (mail.queue / "maildrop").chmod(0o777)

    def as_nobody(argv: object) -> int:
        os.setresuid(65534, 65534, 65534)
        return postdrop.main(argv)  # type: ignore[arg-type]  # a list of words

    mail.write_main(authorized_submit_users="!nobody, static:all")
    done = call(as_nobody, name="postdrop", input=MESSAGE)
    assert done == Done(1, b"", ["postdrop: fatal: User nobody(65534) is not allowed to submit mail"])
    mail.write_main(authorized_submit_users="nobody")
    assert call(as_nobody, name="postdrop", input=MESSAGE).status == 0
