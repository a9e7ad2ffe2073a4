"""postsuper(1); that it does and logs what Postfix's does is in tests/parity/commands."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pyfix.commands import postsuper
from pyfix.formats.queueid import inode_of, is_valid, short_id
from tests.unit.commands.postsuper.filling import files, put, run
from tests.unit.commands.running import Done, call
from tests.unit.daemons.running import System


@pytest.mark.parametrize("queue", ["maildrop", "incoming", "active", "deferred", "hold"])
def test_delete(mail: System, queue: str) -> None:
    put(mail, queue, "ABC123")
    put(mail, queue, "ABC124")
    logs = [put(mail, "defer", "ABC123"), put(mail, "bounce", "ABC123"), put(mail, "trace", "ABC123")]
    assert run("-d", "ABC123") == Done(0, b"", ["postsuper: ABC123: removed", "postsuper: Deleted: 1 message"])
    assert not any(path.exists() for path in logs)
    assert [name.rpartition("/")[2] for name in files(mail) if "ABC" in name] == ["ABC124"]


def test_delete_in_some_queues(mail: System) -> None:
    put(mail, "hold", "ABC123")
    active = put(mail, "active", "ABC124")
    assert run("-d", "ABC124", "hold", "deferred").err == ["postsuper: Deleted: 0 messages"]
    assert active.exists()
    assert run("-d", "ALL", "hold").err == ["postsuper: Deleted: 1 message"]
    assert active.exists()


def test_names_on_standard_input(mail: System) -> None:
    for name in ("ABC123", "ABC124", "ABC125"):
        put(mail, "hold", name)
    done = run("-d", "-", input=b"ABC123\nABC125\n\nnone\n../x\n")
    assert done.err == [
        "postsuper: ABC123: removed", "postsuper: ABC125: removed", "postsuper: warning: invalid mail queue id: ",
        "postsuper: warning: invalid mail queue id: ../x", "postsuper: Deleted: 2 messages",
    ]  # fmt: skip


def test_hold_and_release(mail: System) -> None:
    path = put(mail, "deferred", "ABC123", old=True)
    assert run("-h", "ABC123").err == ["postsuper: ABC123: placed on hold", "postsuper: Placed on hold: 1 message"]
    held = mail.queue / "hold/ABC123"
    assert held.exists() and not path.exists() and held.stat().st_mtime == 1000
    assert run("-h", "ABC123").err == ["postsuper: Placed on hold: 0 messages"]
    assert run("-H", "ABC123").err == ["postsuper: ABC123: released from hold", "postsuper: Released from hold: 1 message"]
    assert path.exists() and path.stat().st_mtime == 1000
    assert run("-H", "ABC123").err == ["postsuper: Released from hold: 0 messages"]


def test_mail_that_was_just_posted_is_not_held(mail: System) -> None:
    put(mail, "maildrop", "ABC123")
    assert run("-h", "ABC123").err == ["postsuper: Placed on hold: 0 messages"]


def test_all(mail: System) -> None:
    for queue, name in (("incoming", "ABC1"), ("active", "ABC2"), ("deferred", "ABC3"), ("hold", "ABC4")):
        put(mail, queue, name)
    assert run("-h", "ALL").err == ["postsuper: Placed on hold: 3 messages"]
    assert run("-H", "ALL").err == ["postsuper: Released from hold: 4 messages"]
    assert len(list((mail.queue / "deferred/A").iterdir())) == 4


def test_requeue(mail: System) -> None:
    put(mail, "deferred", "ABC123", old=True)
    assert run("-r", "ABC123").err == ["postsuper: ABC123: requeued", "postsuper: Requeued: 1 message"]
    path = mail.queue / "maildrop/ABC123"
    assert abs(path.stat().st_mtime - time.time()) < 100
    assert run("-r", "ABC123").err == ["postsuper: Requeued: 0 messages"]


def test_expire(mail: System) -> None:
    path = put(mail, "deferred", "ABC123")
    assert run("-e", "ABC123").err == ["postsuper: ABC123: expired", "postsuper: Force-expired: 1 message"]
    assert path.stat().st_mode & 0o777 == 0o710
    assert run("-e", "ABC123").err == ["postsuper: Force-expired: 0 messages"], "once is enough"
    put(mail, "incoming", "ABC124", 0o600)
    assert run("-e", "ABC124").err == ["postsuper: Force-expired: 0 messages"], "it is being written"


def test_expire_and_release(mail: System) -> None:
    put(mail, "hold", "ABC123")
    assert run("-f", "ABC123").err == [
        "postsuper: ABC123: expired", "postsuper: ABC123: released from hold", "postsuper: Force-expired: 1 message",
        "postsuper: Released from hold: 1 message",
    ]  # fmt: skip
    assert (mail.queue / "deferred/A/ABC123").stat().st_mode & 0o777 == 0o710


def test_files_go_where_the_folders_say(mail: System) -> None:
    flat = mail.queue / "deferred" / "x"
    flat.write_bytes(b"")
    name = short_id(5, flat.stat().st_ino)
    flat.rename(mail.queue / "deferred" / name)
    mail.give(mail.queue / "deferred" / name)
    assert run("-s").status == 0
    assert (mail.queue / "deferred" / name[0] / name).exists()
    mail.write_main(hash_queue_names="incoming", hash_queue_depth="2")
    assert run("-s").status == 0
    assert (mail.queue / "deferred" / name).exists()


def test_files_of_another_disk_get_new_names(mail: System) -> None:
    """After a restore from a backup the inode number is another one; logs go along."""
    path = put(mail, "deferred", "ABC123")
    log = put(mail, "defer", "ABC123")
    done = run("-s")
    assert done.err == [
        "postsuper: Renamed to match inode number: 1 message",
        "postsuper: warning: QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS",
    ]
    (found,) = [Path(name).name for name in files(mail) if name.startswith("deferred")]
    assert is_valid(found) and found[:5] == "ABC12"
    assert inode_of(found) == (mail.queue / "deferred" / found[0] / found).stat().st_ino
    assert (mail.queue / "defer" / found[0] / found).exists() and not log.exists() and not path.exists()


def test_nothing_to_do(mail: System) -> None:
    assert run() == Done(0, b"", [])
    assert run("-d", "ALL").err == ["postsuper: Deleted: 0 messages"]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["-d", "ABC123", "nosuch"], "invalid directory name: nosuch"),
        (["-c", "nowhere"], "-c requires absolute pathname"),
        (["-c", "/nowhere"], "open /nowhere/main.cf: No such file or directory"),
    ],
)
def test_complaints(mail: System, argv: list[str], text: str) -> None:
    assert run(*argv) == Done(1, b"", [f"postsuper: fatal: {text}"])


def test_options_go_in_their_order(mail: System) -> None:
    put(mail, "hold", "ABC123")
    put(mail, "hold", "ABC124")
    done = run("-H", "ABC123", "-h", "ABC123", "-e", "ALL", "-d", "ABC124")
    assert [line.removeprefix("postsuper: ") for line in done.err] == [
        "ABC123: released from hold", "ABC123: placed on hold", "ABC124: removed", "Deleted: 1 message", "Force-expired: 2 messages",
        "Placed on hold: 1 message", "Released from hold: 1 message",
    ]  # fmt: skip


def test_what_is_asked_for_by_names_that_were_changed(mail: System) -> None:
    """The names may be those of other messages now; ALL are all."""
    put(mail, "hold", "ABC123")
    assert run("-s", "-d", "ABC123").err == [
        "postsuper: error: QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS",
        "postsuper: fatal: CHECK YOUR QUEUE IDS AND RE-ISSUE THE COMMAND",
        "postsuper: warning: OPERATION INCOMPLETE -- RERUN COMMAND TO FIX THE QUEUE FIRST",
    ]
    put(mail, "hold", "ABC124")
    assert run("-s", "-d", "ALL").err[0] == "postsuper: Deleted: 2 messages"


@pytest.mark.parametrize("argv", [["-x"], ["-d"]])
def test_usage(mail: System, argv: list[str]) -> None:
    done = run(*argv)
    assert done.status == 1 and done.err[1].startswith("postsuper: fatal: usage: postsuper [-c config_dir] [-d queue_id (delete)] ")


@pytest.mark.root
def test_for_the_superuser(mail: System) -> None:
    path = put(mail, "hold", "ABC123")

    def as_daemon(argv: object) -> int:
        os.setresuid(1, 1, 1)
        return postsuper.main(argv)  # type: ignore[arg-type]  # a list of words

    (mail.queue / "incoming").chmod(0o755)
    done = call(as_daemon, "-d", "ABC123", name="postsuper")
    assert done == Done(1, b"", ["postsuper: fatal: use of this command is reserved for the superuser"])
    assert path.exists()


@pytest.mark.root
def test_new_folders_belong_to_the_mail_system(mail: System) -> None:
    put(mail, "hold", "ABC123")
    run("-H", "ABC123")
    assert (mail.queue / "deferred/A").owner() == "nobody"
