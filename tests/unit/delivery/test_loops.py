from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyfix.delivery.loops import delivered_before
from pyfix.formats.records import encode_lines
from pyfix.queue.message import Message
from tests.unit.queue.test_message import build


@pytest.fixture
def delivery(tmp_path: Path) -> Iterator[Any]:
    opened: list[Message] = []

    def make(content: bytes) -> Any:
        sizes = build(tmp_path / "m", ["a@x"], encode_lines(content.split(b"\n")[:-1]))
        opened.append(Message(str(tmp_path / "m")))
        request = type("Request", (), {"offset": sizes.data_offset})
        return type("Delivery", (), {"message": opened[-1], "request": request})

    yield make
    for message in opened:
        message.close()


@pytest.mark.parametrize(
    ("content", "looped"),
    [
        (b"Delivered-To: a@x\n\n", True),
        (b"Received: x\ndelivered-TO:   A@X\nSubject: x\n\nbody\n", True),
        (b'Delivered-To: "a"@x\n\n', True),
        (b"Delivered-To: b@x\n\n", False),
        (b"X-Delivered-To: a@x\n\n", False),
        (b"Delivered-To: a@x.y\n\n", False),
        (b"Subject: x\n\nDelivered-To: a@x\n", False),
        (b"Subject: Delivered-To: a@x\n\n", False),
        (b"\n", False),
        (b"Delivered-To: b@x\nDelivered-To: a@x\n", True),
    ],
)
def test_recipients_that_had_the_message(delivery: Any, content: bytes, looped: bool) -> None:
    assert delivered_before(delivery(content), "a@x") is looped


def test_a_header_too_long_to_read_at_once(delivery: Any) -> None:
    many = b"".join(b"X-%d: %s\n" % (number, b"x" * 900) for number in range(100))
    assert delivered_before(delivery(b"Delivered-To: b@x\n" + many + b"Subject: x\n\n"), "a@x") is False
