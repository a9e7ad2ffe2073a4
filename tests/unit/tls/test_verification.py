from __future__ import annotations

import pytest

from pyfix.config.parameters.tls import TlsSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.libssl.names import TLS1_2_VERSION
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.libssl.sessions import resume, session_of
from pyfix.tls.context import load_authorities
from pyfix.tls.credentials import load_pem
from pyfix.tls.loglevel import LogLevel
from pyfix.tls.verification import Verification, is_trusted, note_problems
from tests.kit.tls import World

from .meeting import talk


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (18, "certificate verification failed for p: self-signed certificate"),
        (19, "certificate verification failed for p: self-signed certificate"),
        (20, "certificate verification failed for p: untrusted issuer /CN=i"),
        (9, "client certificate verification failed for p: certificate not yet valid"),
        (10, "client certificate verification failed for p: certificate has expired"),
        (26, "certificate verification failed for p: not designated for use as a client certificate"),
        (22, "certificate verification failed for p: certificate chain longer than limit(10)"),
        (7, "client certificate verification failed for p: num=7:certificate signature failure"),
    ],
)
def test_lines(problem: int, line: str) -> None:
    found = Verification("p", LogLevel(), 9, "client", problem, "/CN=i", "certificate signature failure")
    assert found.explain() == line


def test_what_is_wrong_is_noted(world: World, lines: list[str]) -> None:
    """Each certificate of the chain is told of, the first problem is kept, and a session that is resumed remembers."""
    for name, problem, trusted in (("client", 19, False), ("self", 18, False), ("client", 0, True)):
        server, client = Context(), Context()
        for context, file in ((server, "rsa"), (client, name)):
            with open(world.file(f"{file}.chain"), "rb") as stream:
                load_pem(context, stream.read(), "x")
        if trusted:
            load_authorities(server, TlsSettings(Snapshot({"tls_append_default_CA": "no"})), world.file("ca.pem"), "")
        note_problems(server, asks=True)
        server.set_session_id(b"x")
        client.set_versions(0, TLS1_2_VERSION)
        session = None
        for resumed in (False, True):
            lines.clear()
            ours, theirs = Connection(server), Connection(client)
            state = Verification("p", LogLevel(verbose=True), 9, "client")
            ours.data = state
            ours.accepts()
            theirs.connects()
            if session is not None:
                assert resume(theirs, session)
            assert talk(theirs, ours)
            session = session_of(theirs)
            for side in (ours, theirs):
                side.say_goodbye()  # a session without goodbye is not resumed
            assert is_trusted(ours) is trusted and ours.peer_certificate is not None
            assert state.problem == (0 if resumed else problem)
            assert bool(lines) is not resumed


def test_nobody_wants_to_know(world: World) -> None:
    server, client = Context(), Context()
    with open(world.file("rsa.chain"), "rb") as stream:
        load_pem(server, stream.read(), "x")
    note_problems(client, asks=False)
    ours, theirs = Connection(server), Connection(client)
    ours.accepts()
    theirs.connects()
    assert talk(theirs, ours) and not is_trusted(theirs)
