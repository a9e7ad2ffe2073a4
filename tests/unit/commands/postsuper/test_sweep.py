"""postsuper(1) about all files of queues; that it does what Postfix's does is in tests/parity/commands."""

from __future__ import annotations

import os

import pytest

from tests.unit.commands.postsuper.filling import files, put, run
from tests.unit.daemons.running import System


def test_purge(mail: System) -> None:
    """Half-written files that are old go; those that may still be written, and messages, stay."""
    put(mail, "incoming", "123.456", 0o600, old=True)
    put(mail, "incoming", "123.789", 0o600)
    put(mail, "incoming", "ABC123", old=True)
    assert run("-p").err == ["postsuper: warning: bogus file name: incoming/123.789"]
    assert files(mail) - {"public/postlog"} == {"incoming/123.789", "incoming/ABC123"}


def test_what_is_no_file_goes(mail: System) -> None:
    (mail.queue / "hold/ABC123").symlink_to("/etc/passwd")
    os.mkfifo(mail.queue / "hold/ABC124")
    (mail.queue / "hold/empty").mkdir()
    (mail.queue / "hold/full/x").mkdir(parents=True)
    assert run("-s", "hold").err == ["postsuper: warning: remove subdirectory hold/full: Directory not empty"]
    assert [path.name for path in (mail.queue / "hold").iterdir()] == ["full"]


@pytest.mark.parametrize("name", ["zz", "ABCDE", "ABCDEFGH", "ABCDE1_2", "abc.def12", f"ABCDE{'F' * 17}"])
def test_bogus_names(mail: System, name: str) -> None:
    put(mail, "hold", name)
    assert run("-s", "hold").err == [f"postsuper: warning: bogus file name: hold/{name}"]


def test_two_messages_with_the_id_of_each_other(mail: System) -> None:
    one, other = put(mail, "hold", "one"), put(mail, "hold", "other")
    numbers = [path.stat().st_ino for path in (one, other)]
    one.write_bytes(b"one")
    other.write_bytes(b"other")
    one.rename(mail.queue / f"hold/12345{numbers[1]:X}")
    other.rename(mail.queue / f"hold/12345{numbers[0]:X}")
    assert run("-s").err[0] == "postsuper: Renamed to match inode number: 2 messages"
    assert (mail.queue / f"hold/12345{numbers[0]:X}").read_bytes() == b"one"
    assert (mail.queue / f"hold/12345{numbers[1]:X}").read_bytes() == b"other"


def test_an_earlier_run_was_interrupted(mail: System) -> None:
    path = put(mail, "hold", "new")
    path.rename(path.with_name(f"12345{path.stat().st_ino:X}#FIX"))
    put(mail, "hold", "123456#FIX")
    done = run("-s")
    assert done.err == [
        *["postsuper: warning: name/inode mismatch: hold/123456#FIX"] * 2, "postsuper: Renamed to match inode number: 1 message",
        "postsuper: warning: QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS",
    ]  # fmt: skip


@pytest.mark.parametrize(("place", "text"), [("hold/x", "scan_dir_push: open directory hold/x: Not a directory"), ("hold/A/12.3", "remove directory hold/A: Directory not empty")])
def test_obstacles(mail: System, place: str, text: str) -> None:
    (mail.queue / place).parent.mkdir(exist_ok=True)
    mail.give((mail.queue / place).parent)
    (mail.queue / place).write_bytes(b"")
    done = run("-p", "hold")
    assert done.status == 1 and done.err[-1] == f"postsuper: fatal: {text}"
