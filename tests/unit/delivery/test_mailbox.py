from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.delivery.locks import parse_methods
from pyfix.delivery.mailbox import check_size_limit
from pyfix.delivery.outcome import BOUNCED, DEFERRED, SENT
from pyfix.delivery.output import Output
from pyfix.runtime.identity import Owner
from tests.unit.delivery.filing import ME, Turns, deliver, store


def test_a_mailbox_gets_messages_of_one_turn_under_one_lock(
    turns: Turns, tmp_path: Path, output: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    path = str(tmp_path / "mbox")
    made = store()
    outcomes = deliver(turns, *(made.target(ME, path, output()) for _ in range(3)))
    assert [outcome.text for outcome in outcomes] == ["delivered to mailbox"] * 3
    text = Path(path).read_bytes()
    assert text.count(b"\nReturn-Path: <s@x.example>\nX-Original-To: orig@x.example\nDelivered-To: a@x.example\n") == 3
    assert text.startswith(b"From s@x.example  ") and text.count(b"\n\n>From here\nhello\n\n") == 3
    assert len(synced) == 1
    assert sorted(os.listdir(tmp_path)) == ["mbox", "message0", "message1", "message2"]
    assert made.open_mailboxes == {}


def test_a_mailbox_is_synced_before_success_is_told(
    turns: Turns, tmp_path: Path, output: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    path = tmp_path / "mbox"
    path.write_bytes(b"old\n")
    monkeypatch.setattr(os, "fsync", fail)
    outcomes = deliver(turns, store().target(ME, str(path), output()))
    assert outcomes[0].kind == BOUNCED and "error writing message" in outcomes[0].text
    assert path.read_bytes() == b"old\n"


def test_a_mailbox_that_grows_too_large_is_cut_back(
    turns: Turns, tmp_path: Path, output: Callable[..., Output]
) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(b"o" * 900)
    made = store(limit=1200)
    outcomes = deliver(turns, *(made.target(ME, str(path), output()) for _ in range(3)))
    assert [outcome.kind for outcome in outcomes] == [SENT, BOUNCED, BOUNCED]
    assert [outcome.code for outcome in outcomes] == ["2.0.0", "5.2.2", "5.2.2"]
    assert outcomes[1].text == f"delivery failed to mailbox {path}: error writing message: File too large"
    assert path.read_bytes().count(b"hello") == 1


@pytest.mark.parametrize("kind", ["dotlock", "fcntl"])
def test_somebody_else_has_the_lock(turns: Turns, tmp_path: Path, output: Callable[..., Output], kind: str) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(b"")
    if kind == "dotlock":
        (tmp_path / "mbox.lock").write_text("")
        outcomes = deliver(turns, store().target(ME, str(path), output()))
        assert outcomes[0].text.endswith(f"unable to create lock file {path}.lock: File exists")
    else:
        child = os.fork()
        if not child:
            with path.open("r+") as holder:
                fcntl.lockf(holder, fcntl.LOCK_EX)
                (tmp_path / "ready").write_text("")
                while not (tmp_path / "over").exists():
                    pass
            os._exit(0)
        while not (tmp_path / "ready").exists():
            pass
        outcomes = deliver(turns, store().target(ME, str(path), output()))
        (tmp_path / "over").write_text("")
        os.waitpid(child, 0)
        assert "unable to lock for exclusive access" in outcomes[0].text
    assert outcomes[0].kind == DEFERRED and outcomes[0].code == "4.2.0"


def test_a_null_sender_and_lines_that_begin_with_from(
    turns: Turns, tmp_path: Path, output: Callable[..., Output]
) -> None:
    deliver(turns, store().target(ME, str(tmp_path / "mbox"), output(b"From x\nFrom y\n", "")))
    text = (tmp_path / "mbox").read_bytes()
    assert text.startswith(b"From MAILER-DAEMON  ") and b"Return-Path: <>\n" in text
    assert text.endswith(b"\n>From x\n>From y\n\n")


def test_settings() -> None:
    assert parse_methods("virtual_mailbox_lock", ("fcntl", "dotlock"), "fcntl, dotlock") == {"fcntl", "dotlock"}
    with pytest.raises(ConfigError):
        parse_methods("virtual_mailbox_lock", ("fcntl", "other"), "fcntl, other")
    check_size_limit("virtual_mailbox_limit", 0, 0)
    check_size_limit("virtual_mailbox_limit", 10, 10)
    with pytest.raises(ConfigError, match="is smaller than message_size_limit"):
        check_size_limit("virtual_mailbox_limit", 9, 10)
    with pytest.raises(ConfigError, match="is limited but message_size_limit is unlimited"):
        check_size_limit("virtual_mailbox_limit", 9, 0)


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_file(turns: Turns, tmp_path: Path, output: Callable[..., Output], kind: str) -> None:
    path = tmp_path / "mbox"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    (outcome,) = deliver(turns, store().target(ME, str(path), output()))
    text = "cannot open file: Is a directory" if kind == "folder" else "cannot open file: No such device or address"
    assert outcome.kind == DEFERRED and outcome.text == f"delivery failed to mailbox {path}: {text}"
    assert not (tmp_path / "mbox.lock").exists()


def test_a_mailbox_with_another_name(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    path = tmp_path / "mbox"
    path.touch()
    os.link(path, tmp_path / "another")
    outcomes = deliver(turns, store().target(ME, str(path), output()))
    assert outcomes[0].text == f"delivery failed to mailbox {path}: file has 2 hard links"
    assert outcomes[0].code == "4.2.0" and not path.stat().st_size


def test_a_device_is_no_mailbox(turns: Turns, output: Callable[..., Output]) -> None:
    (outcome,) = deliver(turns, store(locks=frozenset(["fcntl"])).target(ME, os.devnull, output()))
    assert (outcome.kind, outcome.code) == (BOUNCED, "5.2.0")
    assert outcome.text == "delivery failed to mailbox /dev/null: destination /dev/null is not a regular file"


def test_a_mailbox_of_somebody_else(
    turns: Turns, tmp_path: Path, output: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr("pyfix.delivery.mailbox.log.warning", lines.append)
    path = tmp_path / "mbox"
    path.touch()
    other = Owner(ME.uid + 1, ME.gid)
    (outcome,) = deliver(turns, store().target(ME, str(path), output(), file_owner=other))
    assert (outcome.kind, outcome.code) == (DEFERRED, "4.2.0")
    assert outcome.text == f"delivery failed to mailbox {path}: destination {path} is not owned by recipient"
    assert lines == ['specify "strict_mailbox_ownership = no" to ignore mailbox ownership mismatch']
    (outcome,) = deliver(turns, store(strict_ownership=False).target(ME, str(path), output(), file_owner=other))
    assert outcome.kind == SENT


def test_a_link_is_followed_only_when_it_is_roots(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    (tmp_path / "real").touch()
    link = tmp_path / "mbox"
    link.symlink_to("real")
    (outcome,) = deliver(turns, store().target(ME, str(link), output()))
    if os.geteuid() == 0:
        assert outcome.kind == SENT and b"hello" in (tmp_path / "real").read_bytes()
    else:
        assert outcome.code == "4.2.0"
        assert outcome.text == f"delivery failed to mailbox {link}: cannot open file: file is a symbolic link"
    link.unlink()
    link.symlink_to("nowhere")
    (outcome,) = deliver(turns, store().target(ME, str(link), output()))
    assert outcome.kind == DEFERRED and not (tmp_path / "nowhere").exists()


def test_a_folder_that_is_not_there(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    path = tmp_path / "none/mbox"
    (outcome,) = deliver(turns, store().target(ME, str(path), output()))
    assert (outcome.kind, outcome.code) == (DEFERRED, "4.2.0")
    assert outcome.text.endswith(f"unable to create lock file {path}.lock: No such file or directory")
    (outcome,) = deliver(turns, store(default_code="5.2.0").target(ME, str(path), output(), prefix="no: "))
    assert outcome.kind == BOUNCED and outcome.text.startswith("no: unable to create lock file ")


def test_mode_of_a_new_mailbox(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    deliver(turns, store().target(ME, str(tmp_path / "mbox"), output()))
    assert (tmp_path / "mbox").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "mbox").stat().st_uid == ME.uid
