"""Flow-control tokens."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pyfix.queue import flow
from pyfix.queue.flow import Flow


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    monkeypatch.setattr(flow, "FLOW_READ", read)
    monkeypatch.setattr(flow, "FLOW_WRITE", write)
    yield read, write
    os.close(read)
    os.close(write)


def test_tokens_are_taken_while_there_are_some(pipe: tuple[int, int]) -> None:
    tokens = Flow()
    assert tokens.take() == 0
    tokens.put(3)
    assert tokens.take() == 1
    assert tokens.take(5) == 2
    assert tokens.take() == 0


def test_a_full_pipe_takes_no_more(pipe: tuple[int, int]) -> None:
    tokens = Flow()
    for _ in range(40):
        tokens.put(4096)
    assert tokens.take(4096) == 4096


def test_without_a_pipe_there_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "FLOW_READ", 9999)
    tokens = Flow()
    tokens.put()
    assert tokens.take(7) == 7


def test_what_is_no_pipe_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    monkeypatch.setattr(flow, "FLOW_READ", null)
    monkeypatch.setattr(flow, "FLOW_WRITE", null)
    assert Flow().take() == 1
    os.close(null)
