"""postsuper(1) about single messages; that it does what Postfix's does is in tests/parity/commands."""

from __future__ import annotations

import os

import pytest

from pyfix.commands.postsuper import messages
from pyfix.queue.spool import Spool
from pyfix.runtime.console import CommandError
from tests.unit.commands.postsuper.filling import files, put, run
from tests.unit.daemons.running import System


@pytest.mark.parametrize("action", ["-d", "-e", "-h", "-H", "-r"])
def test_what_is_being_written_is_left_alone(mail: System, action: str) -> None:
    put(mail, "hold", "ABC123", 0o600)
    put(mail, "incoming", "ABC123", 0o600)
    before = files(mail)
    assert run(action, "ABC123").err[0].endswith(": 0 messages")
    assert files(mail) == before


def test_a_link_is_no_message(mail: System) -> None:
    (mail.queue / "hold/ABC123").symlink_to("/etc/passwd")
    assert run("-H", "ABC123").err == [
        "postsuper: warning: hold/ABC123: uid 0: not a regular file" if os.getuid() == 0 else
        f"postsuper: warning: hold/ABC123: uid {os.getuid()}: not a regular file",
        "postsuper: Released from hold: 0 messages",
    ]  # fmt: skip


def test_a_file_with_two_names_is_not_expired(mail: System) -> None:
    path = put(mail, "hold", "ABC123")
    os.link(path, path.with_name("ABC124"))
    assert run("-e", "ABC123", "hold").err == [
        *["postsuper: warning: expire file hold/ABC123: file has 2 hard links"] * 2, "postsuper: Force-expired: 0 messages"
    ]  # fmt: skip


def test_it_moves_while_it_is_looked_for(mail: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """From deferred, which was not looked into yet, to incoming, which was."""
    path = put(mail, "deferred", "ABC123")
    looked = messages._is_message

    def moving(candidate: str) -> bool:
        if candidate == "active/ABC123" and path.exists():
            path.rename(mail.queue / "incoming/ABC123")
        return looked(candidate)

    monkeypatch.setattr(messages, "_is_message", moving)
    assert run("-h", "ABC123").err == ["postsuper: ABC123: placed on hold", "postsuper: Placed on hold: 1 message"]


def test_moving(mail: System) -> None:
    spool = Spool(("deferred",), 1, str(mail.queue))
    held = put(mail, "hold", "ABC123")
    assert messages.move(spool, str(held), spool.path("deferred", "ABC123"))
    assert (mail.queue / "deferred/A/ABC123").exists()
    assert not messages.move(spool, str(held), spool.path("deferred", "ABC123")), "it has gone"
    with pytest.raises(CommandError, match=r"rename file .*/deferred/A/ABC123 as .*: Not a directory"):
        messages.move(spool, spool.path("deferred", "ABC123"), str(mail.queue / "deferred/A/ABC123/x"))
