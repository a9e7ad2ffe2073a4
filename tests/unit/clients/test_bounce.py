"""What bounce(8), defer(8) and trace(8) are asked, and what their failures mean."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.clients import bounce
from pyfix.formats.attributes import Long, decode_pairs
from pyfix.protocols.internal.bounce import Append, Flush
from pyfix.runtime.log import log
from tests.unit.clients.server import null_list, requests, run, serving

ENTRY = Append(
    flags=1, queue_id="ABC123", original_recipient="o@x", recipient="r@x", offset=Long(123), dsn_orig_rcpt="rfc822;o@x",
    notify_flags=4, status="5.1.1", diag_type="smtp", diag_text="550 no", mta_type="dns", mta_name="mx.x", action="failed",
    reason="host said: no",
)  # fmt: skip
FLUSH = Flush(
    nrequest=1, flags=0, queue_name="active", queue_id="ABC123", encoding="8bit", sendopts=0, sender="s@x", envelope_id="", ret_flags=0
)


def service(status: str, seen: list[bytes]) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "delivery_status_protocol"))
        seen.append(next(requests(connection)).encode() + b"\0\0")
        connection.sendall(null_list("status", status))

    return answer


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(log, "warning", found.append)
    return found


def test_append(tmp_path: Path) -> None:
    seen: list[bytes] = []
    with serving(tmp_path, "private/defer", service("0", seen)):
        assert run(bounce.append("defer", ENTRY, 5)) is True
    assert decode_pairs(seen[0]) == [
        ("nrequest", "0"), ("flags", "1"), ("queue_id", "ABC123"), ("original_recipient", "o@x"), ("recipient", "r@x"),
        ("offset", "123"), ("dsn_orig_rcpt", "rfc822;o@x"), ("notify_flags", "4"), ("status", "5.1.1"),
        ("diag_type", "smtp"), ("diag_text", "550 no"), ("mta_type", "dns"), ("mta_mname", "mx.x"), ("action", "failed"),
        ("reason", "host said: no"),
    ]  # fmt: skip


def test_flush(tmp_path: Path) -> None:
    seen: list[bytes] = []
    with serving(tmp_path, "private/bounce", service("0", seen)):
        assert run(bounce.flush("bounce", FLUSH, 5)) is True
    assert b"queue_name\0active\0queue_id\0ABC123\0" in seen[0]


def test_a_service_that_says_no(tmp_path: Path, lines: list[str]) -> None:
    with serving(tmp_path, "private/bounce", service("4294967295", [])):
        assert run(bounce.append("bounce", ENTRY, 5)) is False
    assert lines == [], "it has said why in its own log"


def test_a_service_that_is_gone(tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(bounce.append("bounce", ENTRY, 5)) is False
    assert lines == ["connect to private/bounce: No such file or directory"]


def test_a_service_that_hangs_up(tmp_path: Path, lines: list[str]) -> None:
    with serving(tmp_path, "private/bounce", lambda connection: None):
        assert run(bounce.flush("bounce", FLUSH, 5)) is False
        assert run(bounce.append("bounce", ENTRY, 5)) is False
    assert len(lines) == 1 and "private/bounce" in lines[0], "only of the second one: who asks for a notice tells himself"
