"""Daemons that answer attribute lists, with one of the test's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest

from pyfix.formats.attributes import Attributes
from pyfix.runtime.daemon import run
from pyfix.runtime.log import log
from pyfix.runtime.requests import RequestDaemon
from pyfix.runtime.stream import Stream
from tests.unit.daemons.running import Running, System, running


@dataclass(frozen=True, slots=True)
class Ask(Attributes):
    request: Literal["ask"] = field(default="ask", init=False)
    number: int


@dataclass(frozen=True, slots=True)
class Silent(Attributes):
    request: Literal["silent"] = field(default="silent", init=False)


@dataclass(frozen=True, slots=True)
class Reply(Attributes):
    status: int
    text: str


class Asked(RequestDaemon):
    program = "asked"
    PROTOCOL = "test_protocol"
    REQUESTS = {"ask": Ask, "silent": Silent}  # noqa: RUF012  # a literal table of the class, never changed

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        match request:
            case Ask(number=number):
                return Reply(0, str(10 // number))
        stream.write(Reply(0, "by itself").encode())
        return None

    def refuse(self, name: str) -> Attributes | None:
        return Reply(1, name)

    def client_gone(self, stream: Stream) -> None:
        log.info("client gone")


class Strict(Asked):
    DROPS_MALFORMED = DROPS_NAMELESS = True
    NEEDED = ("number",)


class Patient(Asked):
    IGNORES_UNKNOWN = True


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    return run(Asked, argv)


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    with running(main, system, "asked") as found:
        yield found


def reply(status: int, text: str) -> list[tuple[str, str]]:
    return [("status", str(status)), ("text", text)]


def test_requests_one_after_the_other(daemon: Running) -> None:
    client = daemon.greeted("test_protocol")
    assert client.ask(("request", "ask"), ("number", "2")) == reply(0, "5")
    assert client.ask(("request", "silent")) == reply(0, "by itself")
    assert client.ask(("request", "ask"), ("number", "5")) == reply(0, "2")
    client.close()
    daemon.system.logged("client gone")


def test_requests_that_are_sent_together(daemon: Running) -> None:
    client = daemon.greeted("test_protocol")
    client.socket.sendall(Ask(1).encode() + Ask(2).encode() + Silent().encode()[:5])
    assert [client.receive(), client.receive()] == [reply(0, "10"), reply(0, "5")]
    client.socket.sendall(Silent().encode()[5:])
    assert client.receive() == reply(0, "by itself")


@pytest.mark.parametrize(
    ("pairs", "answer", "line"),
    [
        ([("request", "dance")], reply(1, "dance"), 'unrecognized request: "dance", ignored'),
        ([("request", "ask")], reply(1, "ask"), "missing attribute number in input from asked socket"),
        ([("request", "ask"), ("number", "x")], reply(1, "ask"), "malformed numerical data from asked socket while reading input attribute value: x"),
        ([("request", "ask"), ("x", "y")], reply(1, "ask"), "unexpected attribute x from asked socket (expecting: number)"),
        ([("number", "1")], reply(1, ""), "unexpected attribute number from asked socket (expecting: request)"),
        ([], reply(1, ""), "missing attribute request in input from asked socket"),
    ],
)  # fmt: skip
def test_what_is_refused(daemon: Running, pairs: list[tuple[str, str]], answer: object, line: str) -> None:
    client = daemon.greeted("test_protocol")
    assert client.ask(*pairs) == answer
    assert any(line in found for found in daemon.system.logged("warning"))
    assert client.ask(("request", "ask"), ("number", "1")) == reply(0, "10"), "the connection goes on"


def test_what_ends_a_connection(system: System) -> None:
    with running(lambda argv: run(Strict, argv), system, "asked") as daemon:
        client = daemon.greeted("test_protocol")
        assert client.ask(("request", "dance"), ("number", "1")) == reply(1, "dance")
        assert client.ask(("request", "ask")) is None
        system.logged("client gone")
        for pairs in ([], [("x", "y")], [("request", "dance")]):
            assert daemon.greeted("test_protocol").ask(*pairs) is None


def test_what_is_passed_over(system: System) -> None:
    with running(lambda argv: run(Patient, argv), system, "asked") as daemon:
        client = daemon.greeted("test_protocol")
        client.send()
        client.send(("request", "dance"))
        assert client.ask(("request", "ask"), ("number", "1")) == reply(0, "10")
        assert client.ask(("x", "y")) == reply(1, ""), "what does not begin with its name is malformed"
        assert not [line for line in system.logged("expecting") if "dance" in line or "missing" in line]


def test_half_a_list(daemon: Running) -> None:
    client = daemon.greeted("test_protocol")
    client.socket.sendall(b"request\0as")
    client.close()
    assert "asked: warning: asked: end of input in an attribute list" in daemon.system.logged("warning")


def test_a_bug_costs_one_connection(daemon: Running) -> None:
    client, other = daemon.greeted("test_protocol"), daemon.greeted("test_protocol")
    assert client.ask(("request", "ask"), ("number", "0")) is None
    lines = daemon.system.logged("ZeroDivisionError")
    assert "asked: error: Traceback (most recent call last):" in lines
    assert other.ask(("request", "ask"), ("number", "1")) == reply(0, "10")
