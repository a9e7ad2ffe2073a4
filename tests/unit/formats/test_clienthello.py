from __future__ import annotations

import random
import ssl

from pyfix.formats.clienthello import ClientHello, read_client_hello


def vector(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width, "big") + content


def hello(session_id: bytes = b"", extensions: bytes = b"") -> bytes:
    body = b"\x03\x03" + bytes(32) + vector(1, session_id) + vector(2, b"\x13\x01") + b"\x01\x00" + vector(2, extensions)
    message = b"\x01" + vector(3, body)
    return b"".join(b"\x16\x03\x01" + vector(2, message[at : at + 40]) for at in range(0, len(message), 40))


TICKET = b"\x00\x23" + vector(2, b"ticket")
VERSIONS = b"\x00\x2b" + vector(2, b"\x04\x03\x04\x03\x03")
KEYS = b"\x00\x29" + vector(2, vector(2, vector(2, b"first") + bytes(4) + vector(2, b"second") + bytes(4)) + vector(2, b"binders"))


def test_what_a_client_wants_to_resume() -> None:
    assert read_client_hello(hello(b"i" * 32)) == ClientHello(b"i" * 32)
    assert read_client_hello(hello(b"", TICKET)) == ClientHello(b"", (b"ticket",))
    assert read_client_hello(hello(b"i", VERSIONS + KEYS)) == ClientHello(b"i", (b"first", b"second"), modern=True)


def test_it_comes_in_pieces() -> None:
    whole = hello(b"i" * 32, TICKET + KEYS)
    for cut in range(len(whole)):
        assert read_client_hello(whole[:cut]) is None
    assert read_client_hello(whole + b"more") == read_client_hello(whole)


def test_what_is_none() -> None:
    for data in (b"EHLO x\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", b"\x16" * 70000):
        assert read_client_hello(data) == ClientHello()
    assert read_client_hello(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff") == ClientHello()


def test_damaged_ones() -> None:
    chance, whole = random.Random(5), hello(b"i" * 32, TICKET + VERSIONS + KEYS)
    for _ in range(2000):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        assert isinstance(read_client_hello(bytes(damaged)), ClientHello | None)


def test_that_of_a_library() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(incoming, outgoing, server_hostname="mx.example")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    found = read_client_hello(outgoing.read())
    assert found is not None and found.modern and len(found.session_id) == 32 and found.tickets == ()
    assert found.name == b"mx.example"


def named(*entries: bytes) -> bytes:
    found = read_client_hello(hello(b"", b"\x00\x00" + vector(2, vector(2, b"".join(entries)))))
    assert found is not None
    return found.name


def test_names() -> None:
    name = b"\0" + vector(2, b"mx.example")
    assert named(name) == b"mx.example"
    assert named() == named(b"\1" + name[1:]) == named(b"\0" + vector(2, b"mx\0example")) == b""
    assert named(name, b"\0" + vector(2, b"mx2.example")) == named(b"\0" + vector(2, b"a" * 256)) == b""
