"""Notices and probes on their way to cleanup(8)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.internalmail import option_flags, send_internal
from pyfix.formats.records import encode_attribute
from pyfix.protocols.internal.cleanup import MAP_OK, REQUIRE_TLS, SMTPUTF8
from pyfix.runtime.ipc import ServiceError
from tests.kit.cleanup import CleanupStandIn
from tests.unit.clients.server import run, serving

Sent = list[tuple[str, bytes]]


def send(folder: Path, **changes: Any) -> tuple[str, int, Sent]:
    """Send a message; return its id, the flags, and the records."""
    arguments: dict[str, Any] = {
        "hostname": "mail.ours.example", "mail_name": "Postfix", "sender": "", "recipients": ["a@x"], "timeout": 5,
        "lines": [b"Subject: x", b"", b"hello"],
    }  # fmt: skip
    cleanup = CleanupStandIn(["ABC123"])
    with serving(folder, "public/cleanup", cleanup.answer):
        queue_id = run(send_internal("cleanup", **(arguments | changes)))
    taken = cleanup.next()
    return queue_id, taken.flags, taken.records


def test_a_message(tmp_path: Path) -> None:
    opened: list[str] = []
    queue_id, flags, records = send(tmp_path, recipients=["a@x", "\udcff@x"], trace_flags=7, opened=opened.append)
    assert (queue_id, opened, flags) == ("ABC123", ["ABC123"], MAP_OK)
    assert "".join(kind for kind, _data in records) == "TAASRRMNNNNNNXE"
    assert records[1:6] == [
        ("A", b"log_message_origin=local"), ("A", b"trace_flags=7"), ("S", b""), ("R", b"a@x"), ("R", b"\xff@x"),
    ]  # fmt: skip
    lines = [data for kind, data in records if kind == "N"]
    assert lines[0] == b"Received: by mail.ours.example (Postfix)"
    date = rb"\w{3}, [ \d]\d \w{3} \d{4} \d\d:\d\d:\d\d [-+]\d{4} \(\S+\)"
    assert re.fullmatch(rb"\tid ABC123; " + date, lines[1]), lines[1]
    assert re.fullmatch(rb"Date: " + date, lines[2]), lines[2]
    assert lines[3:] == [b"Subject: x", b"", b"hello"]


def test_records_of_the_envelope_and_flags(tmp_path: Path) -> None:
    _id, flags, records = send(tmp_path, envelope=encode_attribute("notify_flags", "1"), more_flags=SMTPUTF8)
    assert flags == MAP_OK | SMTPUTF8
    kinds = [(kind, data) for kind, data in records if kind in "AR"]
    assert kinds[-2:] == [("A", b"notify_flags=1"), ("R", b"a@x")]


def test_a_long_message_goes_in_portions(tmp_path: Path) -> None:
    lines = [b"%d " % number + b"x" * 900 for number in range(5000)]
    _id, _flags, records = send(tmp_path, lines=iter(lines))
    assert [data for kind, data in records if kind == "N"][3:] == lines


def test_a_probe_has_no_lines(tmp_path: Path) -> None:
    assert "".join(kind for kind, _data in send(tmp_path, lines=[])[2]) == "TAASRMNNNXE"


@pytest.mark.parametrize(
    ("status", "reason", "text"), [(4, "", "cleanup status 4"), (8, "5.7.1 no", "cleanup status 8 5.7.1 no")]
)
def test_a_message_that_cleanup_refuses(tmp_path: Path, status: int, reason: str, text: str) -> None:
    with (
        serving(tmp_path, "public/cleanup", CleanupStandIn([], status, reason).answer),
        pytest.raises(ServiceError, match=f"^{re.escape(text)}$"),
    ):
        run(
            send_internal(
                "cleanup", hostname="h", mail_name="m", sender="", recipients=["a"], lines=[], timeout=5,
            )
        )  # fmt: skip


@pytest.mark.parametrize(("options", "flags"), [(0, 0), (1, SMTPUTF8), (32, REQUIRE_TLS), (33, SMTPUTF8 | REQUIRE_TLS), (30, 0)])
def test_demands_that_a_notice_inherits(options: int, flags: int) -> None:
    assert option_flags(options) == flags
