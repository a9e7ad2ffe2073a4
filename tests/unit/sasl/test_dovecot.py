"""Dovecot's service: connections, and many dialogues over one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyfix.protocols.sasl.properties import Demands
from pyfix.protocols.sasl.step import Challenge, Failure, Step, Success
from pyfix.runtime.log import log
from pyfix.runtime.task import gather, sleep
from pyfix.sasl.dovecot import DovecotService
from pyfix.sasl.service import Peer
from tests.kit.authdouble import AuthDouble, encoded
from tests.unit.runtime.forked import on_loop

PEER = Peer("192.0.2.1", "192.0.2.9", secured=False)


def outcome(step: Step) -> str:
    if isinstance(step, Success):
        return step.username
    assert isinstance(step, Failure)
    return f"{'temporary: ' if step.temporary else ''}{step.reason}"


async def logged_in(service: DovecotService, user: str) -> Step:
    await service.mechanisms()
    return await service.dialogue("PLAIN", PEER, Demands()).start(encoded("", user, "pw"))


async def by_login(service: DovecotService, user: str) -> Step:
    dialogue = service.dialogue("LOGIN", PEER, Demands())
    step = await dialogue.start(None)
    assert isinstance(step, Challenge)
    step = await dialogue.respond(encoded(user))
    assert isinstance(step, Challenge)
    return await dialogue.respond(encoded("pw"))


def test_many_at_once_over_one_connection(tmp_path: Path) -> None:
    with AuthDouble(tmp_path / "auth", ["PLAIN\tplaintext", "LOGIN\tplaintext"]) as double:

        async def test() -> int:
            service = DovecotService(f"unix:{tmp_path}/auth", "smtp")
            first = await gather(*(logged_in(service, "joe" if number % 2 else "bare") for number in range(1000)))
            second = await gather(*(by_login(service, "joe") for _ in range(200)))
            assert first == [Success("joe") if number % 2 else Failure("(reason unavailable)") for number in range(1000)]
            assert second == [Success("joe")] * 200
            return len(first + second)

        assert on_loop(test) == 1200
        assert double.connections == 1


def test_a_slow_dialogue_keeps_nobody_waiting(tmp_path: Path) -> None:
    with AuthDouble(tmp_path / "auth"):

        async def test() -> list[str]:
            service = DovecotService(f"{tmp_path}/auth", "smtp", timeout=0.5)
            order: list[str] = []

            async def one(user: str) -> None:
                step = await logged_in(service, user)
                order.append(user if isinstance(step, Success) else f"{user}: {step!r}")

            await logged_in(service, "joe")
            await gather(one("silent"), one("joe"), one("renamed"))
            order.append("after" if isinstance(await logged_in(service, "joe"), Success) else "lost")
            return order

        found = on_loop(test)
        assert found[:2] == ["joe", "renamed"]
        assert found[2].startswith("silent: Failure(reason='Connection lost to authentication server'")
        assert found[3] == "after"


def test_a_dialogue_without_reply_ends_alone(tmp_path: Path) -> None:
    with AuthDouble(tmp_path / "auth") as double:

        async def test() -> list[str]:
            service = DovecotService(f"{tmp_path}/auth", "smtp", timeout=0.6)
            await service.mechanisms()

            async def later() -> str:
                await sleep(0.3)
                step = service.dialogue("LOGIN", PEER, Demands())
                await step.start(encoded("joe"))
                await sleep(0.5)  # the silent one's time is over
                return outcome(await step.respond(encoded("pw")))

            async def silent() -> str:
                return outcome(await logged_in(service, "silent"))

            return await gather(silent(), later())

        assert on_loop(test) == ["temporary: Connection lost to authentication server", "joe"]
        assert double.connections == 1


def test_a_service_that_was_restarted(tmp_path: Path) -> None:
    async def test() -> list[str]:
        service = DovecotService(f"{tmp_path}/auth", "smtp")
        found = []
        with AuthDouble(tmp_path / "auth") as double:
            found.append(await logged_in(service, "joe"))
            double.hang_up()
            found.append(await logged_in(service, "joe"))
        found.append(await logged_in(service, "joe"))
        with AuthDouble(tmp_path / "auth"):
            found.append(await logged_in(service, "joe"))
        return [outcome(step) for step in found]

    steps = on_loop(test)
    assert steps[0] == steps[3] == "joe"
    assert steps[2] == "temporary: "


def test_half_a_reply_is_none(tmp_path: Path) -> None:
    async def test() -> list[str]:
        service = DovecotService(f"{tmp_path}/auth", "smtp")
        return [outcome(await logged_in(service, user)) for user in ("half", "joe")]

    with AuthDouble(tmp_path / "auth"):
        assert on_loop(test) == ["temporary: Connection lost to authentication server", "joe"]


def test_over_the_network() -> None:
    with AuthDouble() as double:

        async def test() -> str:
            return outcome(await logged_in(DovecotService(f"inet:127.0.0.1:{double.port}", "smtp"), "joe"))

        assert on_loop(test) == "joe"


@pytest.mark.parametrize("path", ["unix:/nowhere/auth", "inet:127.0.0.1:1"])
def test_nobody_there(monkeypatch: Any, path: str) -> None:
    async def test() -> list[str]:
        lines: list[str] = []
        monkeypatch.setattr(log, "warning", lines.append)
        assert not await DovecotService(path, "smtp").mechanisms()
        return lines

    assert on_loop(test)[0].startswith(f"SASL: Connect to Dovecot auth socket '{path}' failed: ")


@pytest.mark.parametrize("greeting", [b"", b"VERSION\t9\t0\n", b"x" * 100000, b"MECH\tPLAIN\nMECH"], ids=range(4))
def test_a_server_of_something_else(monkeypatch: Any, tmp_path: Path, greeting: bytes) -> None:
    with AuthDouble(tmp_path / "auth", greeting=greeting):

        async def test() -> str:
            monkeypatch.setattr(log, "warning", lambda _text: None)
            return outcome(await logged_in(DovecotService(f"{tmp_path}/auth", "smtp", timeout=0.3), "joe"))

        assert on_loop(test) in ("Invalid authentication mechanism: 'PLAIN'", "temporary: ")
