from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.daemons.master.loop import MasterLoop
from pyfix.daemons.master.service import Child, Service
from pyfix.runtime.identity import Owner

from .definitions import definition

US = Owner(os.geteuid(), os.getegid())


class FakeLoop(MasterLoop):
    """A loop whose clock stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 5000.0
        super().__init__()

    @property
    def now(self) -> float:
        return self.time


class Crew:
    """Starts processes that do not exist."""

    def __init__(self) -> None:
        self.loop: MasterLoop = FakeLoop()
        self.throttle_time = 60
        self.started: list[Child] = []
        self.stress: list[str] = []
        self.fails = False

    def start(self, service: Service) -> Child:
        if self.fails:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        self.stress.append(service.stress)
        child = Child(service, 100 + len(self.started), len(self.started), 0.0, forked=False)
        self.started.append(child)
        return child


@pytest.fixture
def crew() -> Crew:
    return Crew()


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "public").mkdir()
    return tmp_path


@pytest.fixture
def visit(spool: Path) -> Iterator[object]:
    clients: list[socket.socket] = []

    def connect() -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.connect("public/x")
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


def serve(crew: Crew, line: str = "x unix n - n - 2 smtpd", **main: str) -> Service:
    made = definition(line, **main)
    service = Service(made, crew, made.listen(US))
    service.open()
    return service


def say(service: Service, crew: Crew, child: Child, state: int, generation: int | None = None) -> None:
    number = child.generation if generation is None else generation
    os.write(service.status_write, struct.pack("=iIi", child.pid, number, state))
    crew.loop.turn(0)


def accept(service: Service) -> None:
    """Take one client, as a process would."""
    with socket.socket(fileno=os.dup(service.listeners[0])) as listener:
        listener.accept()[0].close()


def test_a_client_brings_a_process(crew: Crew, visit: object) -> None:
    service = serve(crew)
    crew.loop.turn(0)
    assert crew.started == []
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    crew.loop.turn(0)
    assert len(crew.started) == 1
    assert service.available == 1


def test_taken_and_available(crew: Crew, visit: object) -> None:
    service = serve(crew)
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    first = crew.started[0]
    say(service, crew, first, 0)  # the client still waits: it is for another process
    assert service.available == 0
    crew.loop.turn(0)
    assert len(crew.started) == 2
    say(service, crew, crew.started[1], 0)
    crew.loop.turn(0)
    assert len(crew.started) == 2  # the limit
    say(service, crew, first, 1)
    assert service.available == 1
    assert first.uses == 1
    assert crew.stress == ["", ""]


def test_wrong_reports(crew: Crew, visit: object, lines: list[str]) -> None:
    service = serve(crew)
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    child = crew.started[0]
    say(service, crew, child, 0, generation=77)
    assert service.available == 1
    say(service, crew, child, 5)
    os.write(service.status_write, b"abc")
    crew.loop.turn(0)
    assert lines == [
        "ignoring status update from child pid 100 generation 77",
        "warning: master_status_event: ignoring unknown status: 5 allegedly from pid: 100",
        "warning: service x(public/x): partial status update (3 bytes)",
    ]


def test_throttle(crew: Crew, visit: object, lines: list[str]) -> None:
    service = serve(crew)
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    service.ended(crew.started[0], failed=True)
    crew.loop.turn(0)
    assert len(crew.started) == 1
    assert lines == ["warning: /daemons/smtpd: bad command startup -- throttling"]
    crew.loop.time += 61  # type: ignore[attr-defined]  # the loop of the fixture has it
    crew.loop.turn(0)
    crew.loop.turn(0)
    assert len(crew.started) == 2


def test_no_fork_now(crew: Crew, visit: object, lines: list[str]) -> None:
    serve(crew)
    crew.fails = True
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    assert lines == ["warning: master_spawn: fork: Resource temporarily unavailable -- throttling"]
    crew.fails = False
    crew.loop.turn(0)
    assert crew.started == []


def test_quiet_end(crew: Crew, visit: object, lines: list[str]) -> None:
    service = serve(crew)
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    service.ended(crew.started[0], failed=False)
    assert service.available == 0
    crew.loop.turn(0)
    assert len(crew.started) == 2  # for the client that nobody took
    assert lines == []


def test_stress(crew: Crew, visit: object, lines: list[str]) -> None:
    service = serve(crew, "x pass n - n - 2 smtpd")
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    old_channel = os.dup(service.status_write)
    say(service, crew, crew.started[0], 0)
    crew.loop.turn(0)
    assert crew.stress == ["", "yes"]
    assert lines[0] == (
        'warning: service "x" (public/x) has reached its process limit "2": '
        "new clients may experience noticeable delays"
    )
    assert len(lines) == 3
    with pytest.raises(BrokenPipeError):
        os.write(old_channel, b"the processes of before are to go")
    os.close(old_channel)
    service.ended(crew.started[0], failed=False)
    say(service, crew, crew.started[1], 0)
    crew.loop.turn(0)
    assert crew.stress == ["", "yes", "yes"]
    assert len(lines) == 3  # said once
    crew.loop.time += 1001  # type: ignore[attr-defined]  # the loop of the fixture has it
    assert service.stress == ""


def test_wakeups(crew: Crew, spool: Path) -> None:
    serve(crew, "x unix n - n 60 1 pickup")
    crew.loop.turn(0)
    assert len(crew.started) == 1


def test_conditional_wakeups(crew: Crew, visit: object) -> None:
    service = serve(crew, "x unix n - n 60? 5 flush")
    crew.loop.time += 100  # type: ignore[attr-defined]  # the loop of the fixture has it
    crew.loop.turn(0)
    assert crew.started == []
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    accept(service)
    say(service, crew, crew.started[0], 0)
    crew.loop.turn(0)
    assert len(crew.started) == 1
    crew.loop.time += 61  # type: ignore[attr-defined]  # the loop of the fixture has it
    crew.loop.turn(0)
    crew.loop.turn(0)
    assert len(crew.started) == 2


def test_failing_wakeup(crew: Crew, spool: Path, lines: list[str]) -> None:
    serve(crew, "x unix-dgram n - n 60 1 postlogd")
    assert lines == ["warning: master_wakeup_timer_event: service x(public/x): Operation not supported"]


def test_reload(crew: Crew, visit: object, lines: list[str]) -> None:
    service = serve(crew)
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    listeners = service.listeners
    service.reload(definition("x unix n - n - 5 smtpd -o a=b"))
    assert service.listeners == listeners
    assert service.available == 0  # the old process goes; the waiting client gets a new one
    crew.loop.turn(0)
    assert len(crew.started) == 2
    service.ended(crew.started[0], failed=False)
    assert service.available == 1
    assert lines == []


def test_close(crew: Crew, visit: object, lines: list[str]) -> None:
    service = serve(crew)
    visit()  # type: ignore[operator]  # the fixture is a function
    crew.loop.turn(0)
    fds = service.listeners
    service.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fds[0])
    service.ended(crew.started[0], failed=True)
    assert lines == []  # nobody cares any more
