from __future__ import annotations

from pyfix.runtime.libssl.objects import Connection, Context, TlsError
from pyfix.tls.credentials import load_pem
from pyfix.tls.states import follow
from tests.kit.tls import World

from .meeting import talk


def test_steps(world: World, lines: list[str]) -> None:
    server, client = Context(), Context()
    with open(world.file("rsa.chain"), "rb") as file:
        load_pem(server, file.read(), "x")
    server.on_state(follow)
    client.on_state(follow)
    ours, theirs = Connection(server), Connection(client)
    ours.accepts()
    theirs.connects()
    assert talk(theirs, ours)
    assert "SSL_accept:SSLv3/TLS read client hello" in lines and "SSL_connect:SSLv3/TLS read server hello" in lines
    assert not any("error in" in line for line in lines)  # to wait for more is none


def test_failures(world: World, lines: list[str]) -> None:
    server, client = Context(), Context()
    server.on_state(follow)
    client.on_state(follow)
    ours, theirs = Connection(server), Connection(client)  # the server has no certificate
    ours.accepts()
    theirs.connects()
    assert not talk(theirs, ours)
    assert "SSL3 alert write:fatal:handshake failure" in lines and "SSL_accept:error in error" in lines
    try:
        theirs.receive(ours.take_output())
        theirs.shake_hands()
    except TlsError:
        pass
    assert "SSL3 alert read:fatal:handshake failure" in lines
