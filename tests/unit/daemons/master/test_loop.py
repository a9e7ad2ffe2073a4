from __future__ import annotations

import os
import signal

from pyfix.daemons.master.loop import MasterLoop


def test_descriptor(loop: MasterLoop) -> None:
    read, write = os.pipe()
    got: list[bytes] = []
    loop.watch(read, lambda: got.append(os.read(read, 10)))
    os.write(write, b"x")
    loop.turn(1)
    loop.unwatch(read)
    os.write(write, b"y")
    loop.turn(0)
    os.close(read)
    os.close(write)
    assert got == [b"x"]


def test_number_of_another_descriptor(loop: MasterLoop) -> None:
    """A descriptor that gets the number of one that was ready in the same turn is not taken for ready."""
    first, second = os.pipe(), os.pipe()
    called = []

    def replace() -> None:
        for read, write in (first, second):
            loop.unwatch(read)
            os.close(read)
            os.close(write)
        for _ in range(2):
            read, write = os.pipe()
            assert read in (first[0], first[1], second[0], second[1])
            made.extend((read, write))
            loop.watch(read, lambda: called.append(read))

    made: list[int] = []
    for read, write in (first, second):
        loop.watch(read, replace)
        os.write(write, b"x")
    loop.turn(1)
    loop.turn(0)
    assert not called
    for fd in made:
        os.close(fd)


def test_unwatched_in_the_same_turn(loop: MasterLoop) -> None:
    pipes = [os.pipe() for _ in range(2)]
    got = []

    def ready() -> None:
        got.append(1)
        for read, _ in pipes:
            loop.unwatch(read)

    for read, write in pipes:
        loop.watch(read, ready)
        os.write(write, b"x")
    loop.turn(1)
    for pipe in pipes:
        os.close(pipe[0])
        os.close(pipe[1])
    assert got == [1]


def test_timers_in_order(loop: MasterLoop) -> None:
    got: list[str] = []
    loop.later(0.02, lambda: got.append("late"))
    loop.later(0.01, lambda: got.append("early"))
    cancelled = loop.later(0.005, lambda: got.append("never"))
    cancelled.cancel()
    loop.later(0.03, loop.stop)
    loop.run()
    assert got == ["early", "late"]


def test_turn_waits_no_longer_than_asked(loop: MasterLoop) -> None:
    loop.later(100, loop.stop)
    begin = loop.now
    loop.turn(0.01)
    assert loop.now - begin < 5


def test_signals_come_through_the_loop(loop: MasterLoop) -> None:
    got: list[int] = []
    loop.on_signal(signal.SIGUSR1, lambda: got.append(1))
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert got == []
        loop.turn(1)
        assert got == [1]
    finally:
        loop.abandon()
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
