"""Fixtures for deliveries to files, with the caller's own rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyfix.delivery import filebatch
from pyfix.delivery.output import Output
from pyfix.formats.records import encode_lines
from pyfix.queue.message import Message
from tests.unit.delivery.filing import CONTENT, FakeDelivery, Turns
from tests.unit.queue.test_message import build


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Callable[..., Output]]:
    opened: list[Message] = []

    def make(content: bytes = CONTENT, sender: str = "s@x.example") -> Output:
        path = tmp_path / f"message{len(opened)}"
        build(path, ["a@x.example"], encode_lines(content.split(b"\n")[:-1]))
        opened.append(Message(str(path)))
        delivery: Any = FakeDelivery(opened[-1])
        return Output(delivery, sender, "orig@x.example", "a@x.example")

    yield make
    for message in opened:
        message.close()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    made = Turns()
    monkeypatch.setattr(filebatch, "current", lambda: made)
    monkeypatch.setattr("pyfix.runtime.task.current", lambda: made)
    return made
