"""A message for postdrop(1), from sendmail -bs; shell scripts stand for postdrop."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.clients.postdrop import DroppedMessage
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.task import run_now

Make = Callable[..., str]
GREETING = r"printf 'protocol\0postdrop_protocol\0queue_id\0ABC123\0\0'"


@pytest.fixture
def program(tmp_path: Path) -> Make:
    def make(*commands: str) -> str:
        path = tmp_path / "postdrop"
        path.write_text("#!/bin/sh\n" + "\n".join(commands) + "\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_a_message(program: Make, tmp_path: Path) -> None:
    got = tmp_path / "got"
    path = program(
        GREETING, f"dd bs=1 count=200000 of={shlex.quote(str(got))} 2>/dev/null", r"printf 'status\0000\0reason\0\0\0'"
    )
    message = DroppedMessage.run(path)
    assert message.queue_id == "ABC123"
    message.write(b"x" * 100000)
    run_now(message.relieve())
    message.write(b"y" * 100000)
    status = run_now(message.finish())
    assert (status.status, status.reason) == (0, "")
    assert got.read_bytes() == b"x" * 100000 + b"y" * 100000


def test_both_lists_at_once(program: Make) -> None:
    message = DroppedMessage.run(program(GREETING[:-1] + r"status\0001\0reason\0no\0\0'"))
    assert message.queue_id == "ABC123"
    assert run_now(message.finish()).reason == "no"


def test_a_message_that_is_refused(program: Make) -> None:
    message = DroppedMessage.run(program(GREETING, "cat >/dev/null &", r"printf 'status\0004\0reason\0too big\0\0'"))
    status = run_now(message.finish())
    assert (status.status, status.reason) == (4, "too big")


@pytest.mark.parametrize("commands", [["exit 1"], [r"printf 'protocol\0other\0queue_id\0X\0\0'"], [r"printf '\0'"]])
def test_no_queue_id(program: Make, commands: list[str]) -> None:
    with pytest.raises(ServiceError, match=r"(no queue id|end of input)$"):
        DroppedMessage.run(program(*commands))


def test_no_program() -> None:
    with pytest.raises(ServiceError, match=r"^/nowhere/postdrop: No such file or directory$"):
        DroppedMessage.run("/nowhere/postdrop")


def test_a_postdrop_that_dies(program: Make) -> None:
    message = DroppedMessage.run(program(GREETING, "exec <&-", "exit 1"))
    message._child.wait()
    message.write(b"x" * 1000000)
    with pytest.raises(ServiceError, match="postdrop: Broken pipe"):
        run_now(message.relieve())
    with pytest.raises(ServiceError, match=r"postdrop: (end of input|.*Broken pipe)"):
        run_now(message.finish())


def test_canceling(program: Make, tmp_path: Path) -> None:
    """postdrop sees the end of input without an end record, and is waited for."""
    got = tmp_path / "got"
    message = DroppedMessage.run(program(GREETING, f"cat >{shlex.quote(str(got))}"))
    message.write(b"half")
    message.cancel()
    assert got.read_bytes() == b"half"
    assert message._child.returncode == 0
