from __future__ import annotations

import random
import socket
from typing import Any

import pytest

from pyfix.runtime.libssl.library import lib
from pyfix.runtime.libssl.names import TLS1_2_VERSION
from pyfix.runtime.libssl.objects import Connection, Context, TlsError
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import gather, sleep
from pyfix.runtime.tls import HandshakeFailed, TlsLayer, shake_hands
from pyfix.tls.credentials import CredentialFiles, load_credentials
from tests.kit.tls import World, make_world
from tests.unit.runtime.forked import on_loop


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def connections(world: World, highest: int = 0) -> tuple[Connection, Connection]:
    """Return a server's and a client's."""
    contexts = [Context(), Context()]
    load_credentials(contexts[0], CredentialFiles(ec=(world.file("ec.pem"), world.file("ec.key"))))
    if highest:
        contexts[0].set_versions(0, highest)
    server, client = (Connection(context) for context in contexts)
    server.accepts()
    client.connects()
    return server, client


def sockets(*, small: bool = False) -> list[Any]:
    ends: list[Any] = list(socket.socketpair())
    for end in ends:
        end.setblocking(False)
        if small:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return ends


async def secured(world: World, *, small: bool = False, highest: int = 0) -> tuple[Stream, Stream]:
    ours, theirs = (Stream(end, 10) for end in sockets(small=small))
    server, client = connections(world, highest)
    await gather(shake_hands(ours, server, 10), shake_hands(theirs, client, 10))
    return ours, theirs


async def collected(stream: Stream) -> bytes:
    pieces = []
    while data := await stream.read():
        pieces.append(data)
    return b"".join(pieces)


async def told(stream: Stream, content: bytes, pieces: int) -> None:
    """Send content in pieces of all sizes, then close."""
    sizes = random.Random(pieces)
    while content:
        size = sizes.choice((1, 2, 100, 16384, 16385, 70000, 200000))
        stream.write(content[:size])
        content = content[size:]
        if sizes.random() < 0.5:
            await stream.drain()
    await stream.drain()
    stream.peek_input()  # session tickets: to close with something unread would reset the connection
    await stream.close_when_sent()


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("highest", [0, TLS1_2_VERSION])
def test_much_in_both_directions(world: World, small: bool, highest: int) -> None:
    """What is big comes whole, although the kernel takes it bit by bit."""

    async def test() -> list[bool]:
        content = random.Random(1).randbytes(1_500_000)
        results = []
        for turn in (0, 1):
            ends = list(await secured(world, small=small, highest=highest))
            if turn:
                ends.reverse()
            _, seen = await gather(told(ends[0], content, turn), collected(ends[1]))
            results.append(seen == content)
            ends[1].close()
        return results

    assert on_loop(test) == [True, True]


def test_lines_back_and_forth(world: World) -> None:
    async def test() -> list[bytes]:
        ours, theirs = await secured(world)
        found = []
        for number in range(50):
            theirs.write(b"question %d\r\n" % number)
            theirs.send_early()
            found.append(await ours.read())
            ours.write(b"answer")
            ours.send_soon()
            assert await theirs.read() == b"answer"
        assert ours.read_now() is None and not ours.pending
        theirs.write(b"x" * 20000)
        theirs.flush()
        seen = b""
        while len(seen := ours.peek_input()) < 20000:
            await sleep(0.01)
        assert seen == b"x" * 20000
        theirs.close()
        assert await ours.read() == seen
        return [found[0], found[-1], await ours.read()]

    assert on_loop(test) == [b"question 0\r\n", b"question 49\r\n", b""]


def test_what_was_said_before_is_dropped(world: World) -> None:
    async def test() -> list[bytes]:
        ours, theirs = (Stream(end, 10) for end in sockets())
        theirs.write(b"STARTTLS\r\nRSET\r\n")
        theirs.flush()
        assert await ours.read() == b"STARTTLS\r\nRSET\r\n"
        ours.unread(b"RSET\r\n")
        server, client = connections(world)
        await gather(shake_hands(ours, server, 10), shake_hands(theirs, client, 10))
        theirs.write(b"inside")
        theirs.flush()
        return [await ours.read()]

    assert on_loop(test) == [b"inside"]


def test_replies_before_tls_are_not_encrypted(world: World) -> None:
    async def test() -> list[bytes]:
        ours, theirs = (Stream(end, 10) for end in sockets())
        server, client = connections(world)
        ours.write(b"220 go\r\n")
        seen: list[bytes] = []

        async def asking() -> None:
            seen.append(await theirs.read())
            await shake_hands(theirs, client, 10)
            seen.append(await theirs.read())

        async def answering() -> None:
            await shake_hands(ours, server, 10)
            ours.write(b"inside")
            ours.flush()

        await gather(answering(), asking())
        return seen

    assert on_loop(test) == [b"220 go\r\n", b"inside"]


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        (b"EHLO x\r\n", "-1 error:0A00010B:SSL routines::wrong version number:"),
        (b"", "lost connection "),
        (b"\x16\x03\x01", "lost connection "),
        (None, "timeout"),
    ],
)
def test_failures(world: World, what: bytes | None, outcome: str) -> None:
    async def test() -> str:
        ours, theirs = (Stream(end, 10) for end in sockets())
        if what is not None:
            theirs.write(what)
            theirs.close()
        try:
            await shake_hands(ours, connections(world)[0], 0.2 if what is None else 10)
        except HandshakeFailed as error:
            return f"{error} {' '.join(error.problems)}"
        except StreamTimeout:
            return "timeout"
        return "success"

    assert on_loop(test) == outcome


def test_the_end_without_goodbye_and_with_it(world: World) -> None:
    async def test() -> list[object]:
        found: list[object] = []
        for polite in (True, False):
            ours, theirs = await secured(world)
            theirs.write(b"last")
            theirs.flush()
            while theirs.readable:
                theirs.peek_input()  # session tickets: to close with something unread would reset the connection
            if polite:
                theirs.close()
            else:
                theirs.socket.close()
            found += [await ours.read(), await ours.read()]
            ours.write(b"nobody hears it")
            try:
                await ours.drain()
                found.append("sent")
            except StreamClosed:
                found.append("closed")
            ours.close()
        return found

    result: Any = on_loop(test)
    assert result[:2] == result[3:5] == [b"last", b""] and result[5] == "closed"


def test_records_that_are_none(world: World) -> None:
    """Bytes that nobody has encrypted end the stream; what came before them counts."""

    async def test() -> list[bytes]:
        ours, theirs = await secured(world)
        theirs.write(b"good")
        theirs.flush()
        theirs.socket.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        await sleep(0.05)
        return [await ours.read(), await ours.read()]

    assert on_loop(test) == [b"good", b""]


def test_no_renegotiation(world: World) -> None:
    """A client of TLS 1.2 can't begin anew."""

    async def test() -> bool:
        ours, theirs = (Stream(end, 10) for end in sockets())
        server, client = connections(world, TLS1_2_VERSION)
        await gather(shake_hands(ours, server, 10), shake_hands(theirs, client, 10))
        assert not lib.SSL_renegotiate(client.handle) or lib.SSL_do_handshake(client.handle) <= 0
        lib.ERR_clear_error()
        theirs.write(b"x")
        try:
            theirs.flush()
        except StreamClosed:
            theirs.close()
        assert await ours.read() in (b"x", b"")
        return not server.resumed and not server.protocol.endswith("3")

    assert on_loop(test) is True


def test_random_bytes(world: World) -> None:
    """Whatever comes, at whatever moment, cut or changed: an end or a failure, and never another exception."""

    async def test() -> int:
        chance = random.Random(7)
        outcomes = 0
        for _ in range(150):
            near, far = sockets()
            ours = Stream(near, 5)
            server, client = connections(world, chance.choice((0, TLS1_2_VERSION)))
            layer = TlsLayer(far, client, lambda: None)
            damage_at = chance.randrange(0, 2500)
            sent = 0

            async def attacked(layer: TlsLayer = layer, client: Connection = client, far: Any = far) -> None:
                nonlocal sent
                for _step in range(12):
                    try:
                        client.shake_hands()
                        client.encrypt(b"EHLO x\r\n" * chance.randrange(1, 400))
                    except TlsError:
                        pass
                    raw = bytearray(layer.output())
                    if raw and sent <= damage_at < sent + len(raw):
                        kind = chance.randrange(3)
                        place = damage_at - sent
                        if kind == 0:
                            raw[place] ^= 1 << chance.randrange(8)
                        elif kind == 1:
                            del raw[place:]
                        else:
                            raw[place:place] = chance.randbytes(chance.randrange(1, 40))
                    sent += len(raw)
                    try:
                        far.sendall(raw)
                    except OSError:
                        return
                    await sleep(0)
                    try:
                        client.receive(far.recv(65536))
                    except (BlockingIOError, ConnectionError, TlsError):
                        pass
                far.close()

            async def serving(ours: Stream = ours, server: Connection = server) -> None:
                nonlocal outcomes
                try:
                    await shake_hands(ours, server, 2)
                    while data := await ours.read():
                        assert set(data) <= set(b"EHLO x\r\n")
                        ours.write(data)
                except (HandshakeFailed, StreamClosed, StreamTimeout):
                    pass
                ours.close()
                outcomes += 1

            await gather(attacked(), serving())
        return outcomes

    assert on_loop(test) == 150


def test_many_at_once(world: World) -> None:
    """A hundred sessions in one process come along side by side."""

    async def test() -> int:
        async def session(number: int) -> bytes:
            ours, theirs = await secured(world)
            theirs.write(b"%d" % number)
            theirs.flush()
            return await ours.read()

        found = await gather(*[session(number) for number in range(100)])
        return sum(data == b"%d" % number for number, data in enumerate(found))

    assert on_loop(test) == 100
