from __future__ import annotations

import os
import socket
import struct
import threading
import time

from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import gather, spawn
from tests.unit.runtime.forked import on_loop, pair, pause


async def outcome(awaitable: object) -> str:
    try:
        return repr(await awaitable)  # type: ignore[misc]  # a coroutine of any kind
    except (StreamTimeout, StreamClosed) as error:
        return type(error).__name__


async def collected(stream: Stream) -> bytes:
    pieces = []
    while data := await stream.read():
        pieces.append(data)
    return b"".join(pieces)


def test_reads_what_is_there_and_what_comes_later() -> None:
    async def test() -> list[bytes]:
        ours, theirs = pair()
        theirs.send(b"early")
        stream = Stream(ours)
        seen = [await stream.read()]
        current().later(0.02, theirs.send, b"late")
        seen.append(await stream.read())
        current().later(0.02, theirs.close)
        return [*seen, await stream.read(), await stream.read()]

    assert on_loop(test) == [b"early", b"late", b"", b""]


def test_last_bytes_and_the_end_come_in_one_event() -> None:
    async def test() -> list[bytes]:
        ours, theirs = pair()
        stream = Stream(ours)
        theirs.send(b"last words")
        theirs.close()
        await pause()
        return [await stream.read(), await stream.read()]

    assert on_loop(test) == [b"last words", b""]


def test_end_that_comes_while_a_read_waits() -> None:
    async def test() -> list[bytes]:
        ours, theirs = pair()
        stream = Stream(ours)

        def end() -> None:
            theirs.send(b"x")
            theirs.close()

        current().later(0.02, end)
        return [await stream.read(), await stream.read()]

    assert on_loop(test) == [b"x", b""]


def test_more_than_one_read_holds_loses_no_edge() -> None:
    """A full read may leave bytes behind for which no event will come."""

    async def test() -> list[int]:
        sizes = []
        for size in (16383, 16384, 16385, 32768, 100000):
            ours, theirs = pair()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
            stream = Stream(ours, timeout=10)
            theirs.sendall(b"x" * size)
            got = 0
            while got < size:
                got += len(await stream.read())
            theirs.close()
            sizes.append(got + len(await stream.read()))
        return sizes

    assert on_loop(test) == [16383, 16384, 16385, 32768, 100000]


def test_bytes_that_arrive_between_reads_are_found() -> None:
    async def test() -> list[bytes]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        seen = []
        for number in range(20):
            theirs.send(b"%d" % number)
            if number % 2:
                await pause(0.002)
            seen.append(await stream.read())
        return seen

    assert on_loop(test) == [b"%d" % number for number in range(20)]


def test_unread_and_peek() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        seen: list[object] = [stream.peek_input(), stream.pending]
        theirs.send(b"one two")
        await pause()
        seen += [stream.pending, stream.peek_input(), stream.peek_input(), await stream.read()]
        stream.unread(b"two")
        stream.unread(b"one ")
        theirs.send(b" three")
        seen += [await stream.read(), await stream.read(), stream.read_now()]
        theirs.close()
        await pause()
        return [*seen, stream.peek_input(), stream.read_now()]

    assert on_loop(test) == [
        b"", False, True, b"one two", b"one two", b"one two", b"one two", b" three", None, b"", b""
    ]  # fmt: skip


def test_timeout_of_each_read() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=0.3)
        seen: list[object] = []
        for _ in range(5):
            current().later(0.1, theirs.send, b"x")
            seen.append(await outcome(stream.read()))
        begin = current().now
        seen.append(await outcome(stream.read()))
        return [*seen, time.monotonic() - begin >= 0.3]

    assert on_loop(test) == ["b'x'"] * 5 + ["StreamTimeout", True]


def test_timeouts_that_change_between_reads() -> None:
    """What the loop knows of is the earliest deadline: a later one is found then, an earlier one is told."""

    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=0.1)
        seen: list[object] = [await outcome(stream.read())]
        theirs.send(b"a")
        seen.append(await outcome(stream.read()))
        current().later(0.05, theirs.send, b"b")
        seen.append(await outcome(stream.read()))
        stream.timeout = 0.5
        current().later(0.3, theirs.send, b"c")
        seen.append(await outcome(stream.read()))
        stream.timeout = 0.1
        begin = time.monotonic()
        seen += [await outcome(stream.read()), 0.09 < time.monotonic() - begin < 0.45]
        current().later(0.05, theirs.send, b"d")
        seen.append(await outcome(stream.read()))
        stream.timeout = 0
        current().later(0.3, theirs.send, b"e")
        return [*seen, await outcome(stream.read())]

    assert on_loop(test) == [
        "StreamTimeout", "b'a'", "b'b'", "b'c'", "StreamTimeout", True, "b'd'", "b'e'"
    ]  # fmt: skip


def test_read_in_two_parts() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        stream.write(b"question")
        seen: list[object] = [stream.begin_read(), theirs.recv(100)]
        current().later(0.01, theirs.send, b"answer")
        await stream
        seen.append(stream.received())
        theirs.send(b"more")
        await pause()
        seen.append(stream.begin_read())
        stream.unread(b"again")
        seen.append(stream.begin_read())
        stream.close()
        try:
            stream.begin_read()
        except StreamClosed as error:
            seen.append(str(error))
        return seen

    assert on_loop(test) == [None, b"question", b"answer", b"more", b"again", "closed"]


def test_deadline_of_several_reads() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        begin = time.monotonic()
        stream.until = begin + 0.3
        seen: list[object] = []
        for _ in range(3):
            current().later(0.01, theirs.send, b"x")
            seen.append(await outcome(stream.read()))
        seen += [await outcome(stream.read()), 0.29 < time.monotonic() - begin < 9.5]
        stream.until = 0
        theirs.send(b"y")
        return [*seen, await outcome(stream.read())]

    assert on_loop(test) == ["b'x'", "b'x'", "b'x'", "StreamTimeout", True, "b'y'"]


def test_large_write_to_a_slow_reader() -> None:
    data = os.urandom(1000) * 3000

    async def test() -> bool:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        got: list[bytes] = []

        def read_slowly() -> None:
            while piece := theirs.recv(50000):
                got.append(piece)
                time.sleep(0.001)

        reader = threading.Thread(target=read_slowly)
        reader.start()
        for start in range(0, len(data), 100000):
            stream.write(data[start : start + 100000])
            if stream.unsent > 65536:
                await stream.drain()
        await stream.close_when_sent()
        reader.join()
        return b"".join(got) == data

    assert on_loop(test) is True


def test_large_write_leaves_while_a_read_waits() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        got: list[int] = []

        def read_then_answer() -> None:
            left = 2_000_000
            while left:
                got.append(len(theirs.recv(65536)))
                left -= got[-1]
            theirs.send(b"thanks")

        reader = threading.Thread(target=read_then_answer)
        reader.start()
        stream.write(b"x" * 2_000_000)
        answer = await stream.read()
        theirs.send(b"again")
        again = await stream.read()
        reader.join()
        return [answer, again, sum(got), stream.unsent]

    assert on_loop(test) == [b"thanks", b"again", 2_000_000, 0]


def test_reader_that_takes_nothing() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=0.1)
        stream.write(b"x" * 5_000_000)
        begin = current().now
        seen: list[object] = [await outcome(stream.drain()), time.monotonic() - begin >= 0.1]
        await stream.close_when_sent()
        theirs.close()
        return [*seen, stream.closed, stream.fileno()]

    assert on_loop(test) == ["StreamTimeout", True, True, -1]


def test_writing_to_a_peer_that_is_gone() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        theirs.close()
        stream.write(b"x")
        seen: list[object] = [await outcome(stream.drain())]
        other, peer = pair()
        waiting = Stream(other, timeout=10)
        waiting.write(b"x" * 5_000_000)
        current().later(0.05, peer.close)
        return [*seen, await outcome(waiting.drain())]

    assert on_loop(test) == ["StreamClosed", "StreamClosed"]


def test_reset_connection() -> None:
    async def test() -> list[object]:
        listener = socket.create_server(("127.0.0.1", 0))
        peer = socket.create_connection(listener.getsockname())
        ours, _address = listener.accept()
        ours.setblocking(False)
        stream = Stream(ours, timeout=10)

        def reset() -> None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()

        current().later(0.02, reset)
        return [await outcome(stream.read())]

    assert on_loop(test) == ["StreamClosed"]


def test_closing_wakes_who_waits() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        current().later(0.02, stream.close)
        seen: list[object] = [await outcome(stream.read()), await outcome(stream.read())]
        stream.close()
        theirs.close()
        return seen

    assert on_loop(test) == ["StreamClosed", "StreamClosed"]


def test_close_sends_what_was_written() -> None:
    async def test() -> bytes:
        ours, theirs = pair()
        stream = Stream(ours)
        stream.write(b"one ")
        stream.write(b"two")
        stream.close()
        return theirs.recv(100) + theirs.recv(100)

    assert on_loop(test) == b"one two"


def test_replies_leave_together_when_the_next_read_waits() -> None:
    async def test() -> list[bytes]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        stream.write(b"250 ok\r\n")
        stream.write(b"250 ok again\r\n")
        theirs.setblocking(False)
        try:
            before = theirs.recv(100)
        except BlockingIOError:
            before = b"nothing"
        theirs.setblocking(True)

        async def talk() -> bytes:
            return await stream.read()

        async def listen() -> bytes:
            await pause()
            said = theirs.recv(100)
            theirs.send(b"next")
            return said

        return [before, *await gather(talk(), listen())]

    assert on_loop(test) == [b"nothing", b"next", b"250 ok\r\n250 ok again\r\n"]


def test_descriptors_both_ways() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        stream = Stream(ours, timeout=10)
        fd = os.memfd_create("test")
        os.write(fd, b"text")
        stream.write(b"before ")
        await stream.send_descriptor(fd)
        data, fds, _flags, _address = socket.recv_fds(theirs, 100, 1)
        data2, fds2, _flags, _address = (b"", [], 0, None) if fds else socket.recv_fds(theirs, 100, 1)
        [passed] = [*fds, *fds2]
        seen: list[object] = [(data + data2).rstrip(b"\0"), os.pread(passed, 10, 0)]

        def pass_back() -> None:
            socket.send_fds(theirs, [b"\0"], [passed])

        current().later(0.02, pass_back)
        back = await stream.receive_descriptor()
        seen.append(os.pread(back, 10, 0))
        theirs.send(b"plain")
        seen.append(await outcome(stream.read()))
        theirs.close()
        return [*seen, await outcome(stream.receive_descriptor())]

    assert on_loop(test) == [b"before ", b"text", b"text", "b'plain'", "StreamClosed"]


def test_many_streams_at_once() -> None:
    async def test() -> int:
        async def echo(stream: Stream) -> None:
            while data := await stream.read():
                stream.write(data.upper())
            stream.close()

        peers = []
        for _ in range(100):
            ours, theirs = pair()
            spawn(echo(Stream(ours, timeout=10)))
            peers.append(theirs)
        right = 0
        for turn in range(3):
            for number, peer in enumerate(peers):
                peer.send(b"a%d.%d" % (turn, number))
            await pause(0.05)
            right += sum(peer.recv(100) == b"A%d.%d" % (turn, number) for number, peer in enumerate(peers))
        for peer in peers:
            peer.close()
        await pause()
        return right

    assert on_loop(test) == 300


def test_end_of_all_input_is_found_by_collecting() -> None:
    async def test() -> int:
        ours, theirs = pair()

        def send() -> None:
            theirs.sendall(b"y" * 1_000_000)
            theirs.close()

        threading.Thread(target=send).start()
        return len(await collected(Stream(ours, timeout=10)))

    assert on_loop(test) == 1_000_000


def test_peeking_at_much_loses_no_edge() -> None:
    async def test() -> list[int]:
        ours, theirs = pair()
        stream = Stream(ours, 5)
        theirs.send(b"x" * 20000)
        await pause()
        found = [len(stream.peek_input())]
        first = await stream.read()
        return [*found, len(first), len(await stream.read())]

    assert on_loop(test) == [16384, 16384, 3616]
