from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pyfix.runtime.poll import READ, WRITE, Poll

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    with ExitStack() as stack:
        made = [socket.socketpair() for _ in range(2)]
        for pair in made:
            for one in pair:
                stack.enter_context(one)
        yield made


def test_descriptors(pairs: list[Pair]) -> None:
    poll = Poll()
    ours, theirs = pairs[0]
    seen: list[int] = []

    def act(event: int) -> None:
        seen.append(event)
        if event == READ:
            assert ours.recv(10) == b"a"
            poll.rewatch(ours.fileno(), WRITE)
        else:
            poll.forget(ours.fileno())
            poll.rewatch(ours.fileno(), READ)  # nobody waits any more

    poll.watch(ours.fileno(), act)
    theirs.send(b"a")
    poll.run()
    assert seen == [READ, WRITE]


def test_it_ends_when_nothing_can_come() -> None:
    poll = Poll()
    seen: list[int] = []
    poll.later(0.002, lambda: seen.append(2))
    poll.later(0.001, lambda: seen.append(1))
    poll.cancel(poll.later(0.001, lambda: seen.append(3)))
    poll.run()
    assert seen == [1, 2]
    assert not poll.stopped


def test_it_is_stopped(pairs: list[Pair]) -> None:
    poll = Poll()
    poll.watch(pairs[0][0].fileno(), lambda _event: None)
    poll.later(0.001, poll.stop)
    poll.run()
    assert poll.stopped


def test_what_was_closed_by_another_is_not_called(pairs: list[Pair]) -> None:
    poll = Poll()
    called: list[int] = []

    def forget_all(event: int) -> None:
        called.append(event)
        for ours, _ in pairs:
            poll.forget(ours.fileno())

    for ours, theirs in pairs:
        poll.watch(ours.fileno(), forget_all)
        theirs.send(b"x")
    poll.run()
    assert called == [READ]
