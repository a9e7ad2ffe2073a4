from __future__ import annotations

import os
import socket

from pyfix.content.milter_handover import taken_over
from pyfix.content.milters import Milters
from pyfix.protocols.internal.milters import PassedMilter
from pyfix.protocols.milter.machine import Event
from pyfix.protocols.milter.verdict import Verdict
from tests.unit.clients.server import run

STAGES = ("connect", "helo", "mail", "rcpt", "data", "end_of_header", "end_of_data", "unknown")


def test_a_connection_goes_on_and_is_given_back_as_it_was() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"\0\0\0\1c")
    passed = PassedMilter("inet:x:1", 6, 511, 0, 0, 4, 5, 5, 5, "accept", {})

    async def go() -> Verdict | None:
        milter = taken_over(passed, os.dup(ours.fileno()))
        milters = Milters([milter], dict.fromkeys(STAGES, ()), {}, lambda name: None)
        assert milters.active == [milter]
        verdict = await milters.end_of_header(milter)
        milter.release()
        return verdict

    with ours, theirs:
        assert run(go()) is None
        assert os.get_blocking(ours.fileno())
        assert theirs.recv(100).endswith(b"\0\0\0\1N")
    assert Event.END_OF_HEADER.command == b"N"
