"""pickup(8): what happens to each kind of file in the maildrop; parity is in tests/parity/pickup."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.daemons.pickup import daemon as pickup
from pyfix.formats.records import encode_record
from tests.kit.cleanup import QUEUE_ID
from tests.unit.daemons.running import SECONDS, Running, System, running, start
from tests.unit.daemons.services import Cleanup


def record(kind: str, data: str = "") -> bytes:
    return encode_record(ord(kind), data.encode())


TEXT = record("T", "1000 5") + record("S", "s x@y") + record("R", "r@x") + record("M") + record("N", "Subject: x") + record("X")
POSTED = TEXT + record("E")


def post(system: System, data: bytes = POSTED, name: str = "ABC123", mode: int = 0o744) -> Path:
    path = system.queue / "maildrop" / name
    path.write_bytes(data)
    path.chmod(mode)
    return path


def gone(path: Path) -> bool:
    end = time.monotonic() + SECONDS
    while path.exists():
        assert time.monotonic() < end
        time.sleep(0.002)
    return True


def wake(daemon: Running) -> None:
    client = daemon.connect()
    client.socket.sendall(b"W")
    client.close()


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    with running(pickup.main, system, "pickup", "-l") as found:
        yield found


def test_a_posted_message(daemon: Running) -> None:
    cleanup = Cleanup(daemon.system)
    path = post(daemon.system)
    wake(daemon)
    taken = cleanup.next()
    assert [kind for kind, _data in taken.records] == list("TSRMNNNXE")
    uid = os.getuid()
    assert taken.lines()[0] == f"Received: by mail.ours.example (Postfix, from userid {uid})"
    assert taken.lines()[1].startswith(f"\tid {QUEUE_ID}; ")
    assert taken.lines()[2] == "Subject: x"
    assert gone(path)
    assert f'pickup: {QUEUE_ID}: uid={uid} from=<"s x"@y>' in daemon.system.logged("uid=")


def test_many_messages(daemon: Running) -> None:
    cleanup = Cleanup(daemon.system)
    paths = [post(daemon.system, name=f"ABC{number}") for number in range(50)]
    wake(daemon)
    for _ in paths:
        cleanup.next()
    assert all(gone(path) for path in paths)


def test_a_file_that_is_being_written_waits(daemon: Running) -> None:
    cleanup = Cleanup(daemon.system)
    waiting = post(daemon.system, mode=0o600)
    ready = post(daemon.system, name="ABC124")
    wake(daemon)
    cleanup.next()
    assert gone(ready) and waiting.exists() and cleanup.is_silent


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (TEXT[:-2], "uid={uid}: unexpected or malformed record type -1"),
        (record("T", "1 1") + record("Q", "x") + POSTED, "uid={uid}: unexpected or malformed record type 81"),
        (record("T", "1 1") + record("R", "r@x") + record("M") + record("X") + record("E"), f"{QUEUE_ID}: uid={{uid}}: no envelope sender"),
    ],
)
def test_malformed_files_are_removed(daemon: Running, data: bytes, line: str) -> None:
    cleanup = Cleanup(daemon.system)
    path = post(daemon.system, data)
    wake(daemon)
    assert gone(path)
    assert f"pickup: warning: {line.format(uid=os.getuid())}" in daemon.system.logged("warning")
    assert cleanup.is_silent


def test_a_link_is_not_followed(daemon: Running) -> None:
    Cleanup(daemon.system)
    path = daemon.system.queue / "maildrop/ABC123"
    path.symlink_to("/etc/passwd")
    ready = post(daemon.system, name="ABC124")
    wake(daemon)
    assert gone(ready)
    assert f"pickup: warning: maildrop/ABC123: uid {os.getuid()}: not a regular file" in daemon.system.logged("warning")
    assert path.is_symlink()


@pytest.mark.parametrize(("status", "stays", "text"), [(2, True, "queue file write error"), (1, False, "internal protocol error")])
def test_what_cleanup_says(system: System, status: int, stays: bool, text: str) -> None:
    """Troubles of the system are tried again, what will never go is removed."""
    Cleanup(system, status)
    path = post(system)
    with running(pickup.main, system, "pickup", "-l") as daemon:
        wake(daemon)
        lines = system.logged("error writing")
        assert f"pickup: warning: maildrop/ABC123: error writing {QUEUE_ID}: {text}" in lines
        assert path.exists() if stays else gone(path)


def test_no_cleanup(daemon: Running) -> None:
    path = post(daemon.system)
    wake(daemon)
    daemon.system.logged("warning: maildrop/ABC123: connect to public/cleanup: No such file or directory")
    assert path.exists()


def test_content_filter(system: System) -> None:
    system.write_main(content_filter="smtp:[127.0.0.1]:10025")
    cleanup = Cleanup(system)
    post(system)
    with running(pickup.main, system, "pickup", "-l") as daemon:
        wake(daemon)
        assert cleanup.next().records[0] == ("L", b"smtp:[127.0.0.1]:10025")


@pytest.mark.parametrize(
    ("main", "flags"),
    [
        ({}, 1 | 2 | 16 | 32 | 64 | 512), ({"receive_override_options": "no_address_mappings"}, 1 | 2 | 64 | 512),
        ({"receive_override_options": "no_milters, no_header_body_checks"}, 1 | 16 | 32 | 512),
        ({"smtputf8_autodetect_classes": "bounce"}, 1 | 2 | 16 | 32 | 64),
    ],
)  # fmt: skip
def test_flags(system: System, main: dict[str, str], flags: int) -> None:
    system.write_main(**main)
    cleanup = Cleanup(system)
    post(system)
    with running(pickup.main, system, "pickup", "-l") as daemon:
        wake(daemon)
        assert cleanup.next().flags == flags


def test_requeued_mail(daemon: Running) -> None:
    """What belongs to mail_owner was requeued: its old id is logged, and milters do not see it again."""
    cleanup = Cleanup(daemon.system)
    daemon.system.give(post(daemon.system, mode=0o700))
    wake(daemon)
    assert not cleanup.next().flags & (64 | 512)
    assert any(line.endswith("orig_id=ABC123") for line in daemon.system.logged("uid="))


def test_bad_options(system: System) -> None:
    system.write_main(receive_override_options="no_such")
    assert start(pickup.main, system, "pickup", "-l").wait() == 1
    assert 'pickup: fatal: unknown receive_override_options value "no_such" in "no_such"' in system.logged("fatal")


def test_a_fifo(system: System) -> None:
    """As master.cf had it of old."""
    cleanup = Cleanup(system)
    post(system)
    with running(pickup.main, system, "pickup", "-l", kind="fifo"):
        fd = os.open(system.folder / "listener", os.O_WRONLY)
        os.write(fd, b"W")
        os.close(fd)
        cleanup.next()
