from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.content.milter_connection import Milter
from pyfix.content.milter_settings import MilterSpec
from pyfix.protocols.milter.machine import Event, State
from pyfix.protocols.milter.modification import AddHeader, Modification
from pyfix.protocols.milter.verdict import Refuse, Verdict
from tests.kit.milter import CONTINUE, HANG_UP, PROGRESS, Script, ScriptedMilter, add_header, reply
from tests.unit.clients.server import run


def spec(endpoint: str) -> MilterSpec:
    return MilterSpec(endpoint, 5, 5, 5, "tempfail", "6")


async def talk(milter: Milter, changes: list[Modification]) -> list[Verdict | None]:
    async def edit(change: Modification) -> None:
        changes.append(change)

    assert await milter.open()
    found = [await milter.tell(Event.CONNECT, [("j", "x")], b"host\0U")]
    found.append(await milter.tell(Event.RCPT, [], b"<a@b>\0"))
    found.append(await milter.tell(Event.END_OF_BODY, [], edit=edit))
    milter.abort()
    milter.quit()
    return found


def test_a_conversation(tmp_path: Path) -> None:
    script = Script({"rcpt": [PROGRESS, reply("550 5.1.1 no")], "eom": [add_header("A", "b"), CONTINUE]})
    changes: list[Modification] = []
    with ScriptedMilter(tmp_path / "socket") as server:
        server.script = script
        verdicts = run(talk(Milter(spec(server.endpoint)), changes))
        heard = server.events()
    assert verdicts == [None, Refuse("550 5.1.1 no"), None]
    assert changes == [AddHeader(b"A", b"b")]
    assert [line.split()[0] for line in heard[1:] if not line.startswith("macro")] == [
        "optneg", "connect", "rcpt", "eom", "abort", "quit",
    ]  # fmt: skip


def test_it_hangs_up() -> None:
    with ScriptedMilter() as server:
        server.script = Script({"rcpt": [HANG_UP]})
        milter = Milter(spec(server.endpoint))

        async def go() -> Verdict | None:
            await milter.open()
            await milter.tell(Event.CONNECT, [], b"host\0U")
            return await milter.tell(Event.RCPT, [], b"<a@b>\0")

        assert run(go()) == Refuse("451 4.7.1 Service unavailable - try again later")
    assert milter.machine.state == State.FAILED
    assert milter.stream is None


@pytest.mark.parametrize("endpoint", ["inet:127.0.0.1:1", "unix:/nonexistent", "what", "tcp:a:1", "inet:x"])
def test_nobody_is_there(endpoint: str) -> None:
    milter = Milter(spec(endpoint))
    assert not run(milter.open())
    assert milter.machine.state == State.FAILED
    assert isinstance(milter.machine.verdict, Refuse)
