"""A message on its way from local(8) back to cleanup(8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyfix.config.parameters.local import LocalSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.local.forward import forward
from pyfix.formats.attributes import Long
from pyfix.formats.records import encode_lines, encode_record
from pyfix.protocols.internal.cleanup import SMTPUTF8
from pyfix.protocols.internal.delivery import Recipient
from pyfix.queue.message import Message
from pyfix.runtime.ipc import ServiceError
from tests.kit.cleanup import CleanupStandIn
from tests.unit.clients.server import run, serving
from tests.unit.queue.test_message import build

SETTINGS = LocalSettings(Snapshot({"myhostname": "mail.ours.example", "compatibility_level": "3.11"}))


@pytest.fixture
def message(tmp_path: Path) -> Iterator[Message]:
    build(tmp_path / "m", ["list@x"], encode_lines([b"Subject: x", b"", b"long " * 2000]) + encode_record(ord("L"), b"end"))
    with Message(str(tmp_path / "m")) as found:
        yield found


def send(folder: Path, message: Message, status: int = 0, **changes: Any) -> tuple[int, list[tuple[str, bytes]]]:
    cleanup = CleanupStandIn(["NEW456"], status, "bad news")
    request: dict[str, Any] = {
        "sendopts": 0, "encoding": "8bit", "rewrite_context": "remote", "client_name": "c.example",
        "client_address": "192.0.2.1", "client_port": "", "helo_name": "h", "protocol_name": "ESMTP",
        "envelope_id": "", "ret_flags": 0,
        "offset": message.sizes.data_offset,
    }  # fmt: skip
    delivery: Any = type("Delivery", (), {
        "message": message, "request": type("Request", (), request | changes.pop("request", {})), "arrival_time": 1000.25,
    })  # fmt: skip
    told = {"original_recipient": "o@x"} | changes.pop("told", {})
    recipients = [Recipient(recipient=address, offset=Long(0), **told) for address in ("a@y", "b@y")]
    named: dict[str, Any] = {"sender": "s@x", "delivered_to": "list@x", "recipients": recipients}
    with serving(folder, "public/cleanup", cleanup.answer):
        run(forward(SETTINGS, delivery, **(named | changes)))
    taken = cleanup.next()
    return taken.flags, taken.records


def test_records(tmp_path: Path, message: Message) -> None:
    flags, records = send(tmp_path, message)
    assert flags == 32
    kinds = "".join(kind for kind, _data in records)
    assert kinds.startswith("TASAAAAAORORMNNNNN") and kinds.endswith("XE")
    assert records[:8] == [
        ("T", b"1000 250000"), ("A", b"rewrite_context=remote"), ("S", b"s@x"), ("A", b"encoding=8bit"),
        ("A", b"log_client_name=c.example"), ("A", b"log_client_address=192.0.2.1"), ("A", b"log_helo_name=h"),
        ("A", b"log_protocol_name=ESMTP"),
    ]  # fmt: skip
    assert records[8:12] == [("O", b"o@x"), ("R", b"a@y"), ("O", b"o@x"), ("R", b"b@y")]
    lines = [data for kind, data in records if kind == "N"]
    assert lines[0] == b"Received: by mail.ours.example (Postfix)"
    assert lines[1].startswith(b"\tid NEW456; ")
    assert lines[2:5] == [b"Delivered-To: list@x", b"Subject: x", b""]


def test_the_content_is_the_same_to_the_byte(tmp_path: Path, message: Message) -> None:
    _flags, records = send(tmp_path, message)
    at = [kind for kind, _data in records].index("M")
    content = b"".join([data + (b"\n" if kind == "N" else b"") for kind, data in records[at + 4 :] if kind in "NL"])
    assert content == b"Subject: x\n\n" + b"long " * 2000 + b"\nend"
    assert max(len(data) for kind, data in records) <= 2048


def test_a_list_does_not_tell_how_its_members_were_addressed(tmp_path: Path, message: Message) -> None:
    _flags, records = send(tmp_path, message, told={"original_recipient": ""}, sender="")
    assert "O" not in [kind for kind, _data in records]
    assert ("S", b"") in records


def test_no_delivered_to(tmp_path: Path, message: Message) -> None:
    """Source: postconf(5) prepend_delivered_header."""
    _flags, records = send(tmp_path, message, delivered_to="")
    assert [data for kind, data in records if kind == "N"][2:4] == [b"Subject: x", b""]


def test_demands_of_the_message(tmp_path: Path, message: Message) -> None:
    assert send(tmp_path, message, request={"sendopts": 1})[0] == 32 | SMTPUTF8


def test_cleanup_refuses(tmp_path: Path, message: Message) -> None:
    with pytest.raises(ServiceError, match="cleanup status 2 bad news"):
        send(tmp_path, message, status=2)


def test_wishes_for_notices_go_on(tmp_path: Path, message: Message) -> None:
    """RFC 3461 section 5.2: envelope id, RET, ORCPT and NOTIFY."""
    wishes = {"dsn_orig_rcpt": "rfc822;o@x", "notify_flags": 12}
    _, records = send(tmp_path, message, request={"envelope_id": "e", "ret_flags": 2}, told=wishes)
    attributes = [data for kind, data in records if kind == "A"]
    assert {b"envelope_id=e", b"ret_flags=2"} <= set(attributes)
    assert attributes.count(b"dsn_orig_rcpt=rfc822;o@x") == attributes.count(b"notify_flags=12") == 2
