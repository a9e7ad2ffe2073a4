from __future__ import annotations

from typing import Any

import pytest

from pyfix.clients.policy_service import PolicyService, PolicyServiceSettings
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.task import gather, sleep
from pyfix.runtime.wire import Endpoint
from tests.kit.policyserver import HANG_UP, SILENCE, PolicyServer
from tests.unit.runtime.forked import on_loop

REQUEST = b"request=smtpd_access_policy\n\n"


def settings(**changes: Any) -> PolicyServiceSettings:
    usual = {
        "timeout": 0.3, "max_idle": 300.0, "max_ttl": 1000.0, "request_limit": 0, "try_limit": 2, "retry_delay": 0.01,
    }  # fmt: skip
    return PolicyServiceSettings(**(usual | changes))


async def asked(answer: bytes, count: int = 1, pause: float = 0.0, **changes: Any) -> object:
    lines: list[str] = []
    log.keep_apart(lines)
    with PolicyServer() as server:
        server.answer = lambda _asked: answer
        service = PolicyService("there", Endpoint("127.0.0.1", str(server.port)), settings(**changes))
        actions = []
        for _ in range(count):
            try:
                actions.append(await service.ask(REQUEST))
            except ServiceError:
                actions.append("failed")
            if pause:
                await sleep(pause)
        service.close()
        return actions, server.connections, [line.partition("warning: ")[2] for line in lines]


def test_many_requests_over_one_connection() -> None:
    assert on_loop(asked, b"action=dunno\n\n", 3) == (["dunno"] * 3, 1, [])


def test_side_by_side() -> None:
    async def test() -> object:
        with PolicyServer() as server:
            service = PolicyService("there", Endpoint("127.0.0.1", str(server.port)), settings(timeout=10))
            return await gather(*[service.ask(REQUEST) for _ in range(10)]), server.connections <= 10

    assert on_loop(test) == (["dunno"] * 10, True)


@pytest.mark.parametrize(
    ("changes", "pause", "connections"),
    [({"request_limit": 2}, 0.0, 2), ({"max_ttl": 0.01}, 0.05, 4), ({"max_idle": 0.01}, 0.05, 4)],
)
def test_when_a_connection_is_given_up(changes: dict[str, Any], pause: float, connections: int) -> None:
    async def test() -> object:
        return await asked(b"action=ok\n\n", 4, pause, timeout=10, **changes)

    assert on_loop(test) == (["ok"] * 4, connections, [])


def test_what_comes_behind_an_answer_is_not_the_next() -> None:
    assert on_loop(asked, b"action=dunno\n\naction=ok\n\n", 2) == (["dunno"] * 2, 2, [])


@pytest.mark.parametrize(
    ("answer", "warnings"),
    [
        (HANG_UP, ["problem talking to server there: Application error"]),
        (SILENCE, ["problem talking to server there: Connection timed out"] * 2),
        (b"nonsense\n\n", [
            "missing attribute action in input from there", "missing attribute action in input from there",
            "problem talking to server there: Application error",
        ]),
        (b"action=x" + HANG_UP, [
            *["premature end-of-input on there while reading input attribute value"] * 2,
            "problem talking to server there: Application error",
        ]),
        (b"action=x\n", [
            *["timeout on there while reading input attribute name", "problem talking to server there: Connection timed out"] * 2,
        ]),
    ],
)  # fmt: skip
def test_failures(answer: bytes, warnings: list[str]) -> None:
    assert on_loop(asked, answer) == (["failed"], 2, warnings)


def test_nobody_there() -> None:
    async def test() -> object:
        lines: list[str] = []
        log.keep_apart(lines)
        service = PolicyService("there", Endpoint(path="/no/such/socket"), settings())
        try:
            await service.ask(REQUEST)
        except ServiceError as error:
            return str(error), [line.partition("warning: ")[2] for line in lines]
        return None

    reason = "No such file or directory"
    connect = f"connect to there: {reason}"
    assert on_loop(test) == (f"there: {reason}", [connect, connect, f"problem talking to server there: {reason}"])
