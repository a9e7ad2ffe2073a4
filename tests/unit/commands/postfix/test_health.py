from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pyfix.commands.postfix import health
from tests.unit.commands.postfix.conftest import Run, System

_HANDSHAKE = b"protocol\0trivial_rewrite_protocol\0\0"
_ANSWER = b"flags\x000\0address\0postmaster@x.example\0\0"


@pytest.fixture
def service(system: System) -> Iterator[list[bytes]]:
    """A rewrite service that says what is in the list, and then waits for the client to go."""
    said = [_HANDSHAKE, _ANSWER]
    (system.spool / "private").mkdir()
    (system.spool / "maildrop").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(system.spool / "private/rewrite"))
    listener.listen()
    listener.settimeout(10)

    def serve() -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            client.settimeout(10)
            client.sendall(b"".join(said))
            while client.recv(1000):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    yield said
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def said(run: Run, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def call(*words: str) -> tuple[int, str]:
        from pyfix.commands import postfix

        status = postfix.main(["health", *words])
        found = capfd.readouterr()
        assert not found.err
        return status, found.out

    return call


Said = Callable[..., tuple[int, str]]


@pytest.mark.usefixtures("service")
def test_healthy(said: Said, running: Callable[..., int]) -> None:
    running()
    assert said() == (0, "healthy\n")


@pytest.mark.usefixtures("service")
def test_as_json(system: System, said: Said, running: Callable[..., int]) -> None:
    running()
    status, text = said("--json")
    assert (status, json.loads(text)) == (0, {"healthy": True, "faults": []})


def test_it_does_not_run(system: System, said: Said) -> None:
    (system.spool / "maildrop").mkdir()
    assert said() == (1, "the mail system is not running\n")
    status, text = said("--json")
    assert (status, json.loads(text)) == (1, {"healthy": False, "faults": ["the mail system is not running"]})


def test_a_service_that_is_gone(system: System, said: Said, running: Callable[..., int]) -> None:
    (system.spool / "maildrop").mkdir()
    running()
    assert said() == (1, "service rewrite does not answer: [Errno 2] No such file or directory\n")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ([b""], "service rewrite does not answer within 0 seconds"),
        ([b"protocol\0other\0\0"], "service rewrite does not answer: unexpected protocol (expecting: trivial_rewrite_protocol)"),
        ([_HANDSHAKE, b"odd\0one\0\0"], "service rewrite does not answer: "),
    ],
)
def test_a_service_that_does_not_answer(
    service: list[bytes], said: Said, running: Callable[..., int], answer: list[bytes], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_PATIENCE", 0.3)
    service[:] = answer
    running()
    status, text = said()
    assert status == 1
    assert text.startswith(fault)


@pytest.mark.usefixtures("service")
def test_no_room(system: System, said: Said, running: Callable[..., int]) -> None:
    running()
    system.write(queue_minfree=1 << 62)
    assert said() == (1, f"{system.spool}: no room for another message\n")


@pytest.mark.usefixtures("service")
def test_mail_that_nobody_takes(system: System, said: Said, running: Callable[..., int]) -> None:
    """An hour old, and complete; one that is younger, or still being written, is nobody's fault."""
    running()
    hour = time.time() - 3600
    for name, mode, changed in (("written", 0o600, hour), ("young", 0o700, time.time())):
        path = system.spool / "maildrop" / name
        path.touch()
        path.chmod(mode)
        os.utime(path, (changed, changed))
    assert said() == (0, "healthy\n")


@pytest.mark.usefixtures("service")
def test_mail_that_has_been_forgotten(system: System, said: Said, running: Callable[..., int]) -> None:
    running()
    path = system.spool / "maildrop/old"
    path.touch()
    path.chmod(0o700)
    os.utime(path, (time.time() - 3600,) * 2)
    assert said() == (1, "mail has waited in maildrop for 60 minutes\n")


def test_usage(run: Run) -> None:
    assert run("health", "--all") == (1, ["postfix/postlog: fatal: health: usage: postfix health [--json]"])
