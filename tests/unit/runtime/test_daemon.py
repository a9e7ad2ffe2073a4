"""The life of a daemon: master's protocol, limits, privileges, fatal lines.  anvil-like daemons of the test's own serve."""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

import pytest

from pyfix.config.errors import ConfigError
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, background, report_bug, run
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream
from pyfix.runtime.task import sleep
from tests.unit.commands.running import call
from tests.unit.daemons.running import SECONDS, Client, Main, System, running, start


class Echo(Daemon):
    """Says back what it hears, and obeys a few words."""

    program = "echo"
    capacity = 2

    async def serve(self, stream: Stream) -> None:
        while data := await stream.read():
            match data:
                case b"crash":
                    raise ZeroDivisionError
                case b"who":
                    data = f"{os.geteuid()} {os.getegid()} {os.getcwd()}".encode()
                case b"umask":
                    data = oct(os.umask(0o077)).encode()
                case b"hang":
                    while True:
                        time.sleep(1)
            stream.write(data)


def main_of(daemon: type[Daemon]) -> Main:
    def main(argv: Sequence[str]) -> int:
        return run(daemon, argv)

    return main


def say(client: Client, word: str) -> str:
    client.socket.sendall(word.encode())
    return client.socket.recv(1000).decode()


def test_a_client(system: System) -> None:
    with running(main_of(Echo), system, "echo") as daemon:
        assert say(daemon.connect(), "hello") == "hello"
        assert say(daemon.connect(), "umask") == "0o77"


def test_master_is_told_when_the_process_is_full(system: System) -> None:
    with running(main_of(Echo), system, "echo") as daemon:
        first, second = daemon.connect(), daemon.connect()
        assert say(first, "x") + say(second, "y") == "xy"
        assert daemon.states(1) == ["taken"]
        third = daemon.connect()
        third.socket.sendall(b"z")
        third.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            third.socket.recv(1)
        third.socket.settimeout(SECONDS)
        first.close()
        assert daemon.states(1) == ["available"]
        assert third.socket.recv(1) == b"z"


def test_master_hears_of_the_first_client_that_was_served(system: System) -> None:
    with running(main_of(Echo), system, "echo") as daemon:
        client = daemon.connect()
        say(client, "x")
        client.close()
        assert daemon.states(2) == ["taken", "available"]


def test_max_use(system: System) -> None:
    """Counted for each of the clients that are served at a time."""
    with running(main_of(Echo), system, "echo", "-m", "2") as daemon:
        for _ in range(4):
            client = daemon.connect()
            assert say(client, "x") == "x"
            client.close()
        assert daemon.wait() == 0


def test_max_idle(system: System) -> None:
    with running(main_of(Echo), system, "echo", "-i", "1") as daemon:
        assert daemon.wait() == 0


def test_a_pinned_process_stays(system: System) -> None:
    class Pinned(Echo):
        pinned = True

    with running(main_of(Pinned), system, "echo", "-m", "1", "-i", "1") as daemon:
        for _ in range(3):
            client = daemon.connect()
            assert say(client, "x") == "x"
            client.close()
        time.sleep(1.2)  # longer than max_idle
        assert say(daemon.connect(), "x") == "x"


def test_clients_are_served_to_their_end_when_master_goes(system: System) -> None:
    with running(main_of(Echo), system, "echo") as daemon:
        client = daemon.connect()
        assert say(client, "x") == "x"
        daemon.master_goes()
        assert say(client, "y") == "y"
        client.close()
        assert daemon.wait() == 0


def test_what_a_client_leaves_to_be_done_is_done(system: System) -> None:
    """A process that retires with its last client goes on until then; so does one that master leaves."""

    class Postman(Echo):
        capacity = 1

        async def serve(self, stream: Stream) -> None:
            word = (await stream.read()).decode()
            self.see_through(self._post(word))

        async def _post(self, word: str) -> None:
            await sleep(0.3)
            log.info(f"posted {word}")
            if word == "crash":
                raise ZeroDivisionError

    for options, word in (("-m1", "one"), ("-m1", "crash"), ("-m9", "nine")):
        with running(main_of(Postman), system, "echo", options) as daemon:
            client = daemon.connect()
            client.socket.sendall(word.encode())
            assert client.socket.recv(1) == b""
            if word == "nine":
                daemon.master_goes()
            assert daemon.wait() == 0
        assert f"echo: posted {word}" in system.logged(f"posted {word}")
    assert any("ZeroDivisionError" in line for line in system.lines)


def test_a_request_that_was_read_when_it_was_time_to_go_is_served(system: System) -> None:
    class Late(Echo):
        def retire(self) -> None:
            first = not self._retiring
            super().retire()
            if first:
                self.loop.arrived.append(self._begin)

        def _begin(self) -> None:
            self.client_began()
            background(self._work())

        async def _work(self) -> None:
            await sleep(0.2)
            log.info("late work done")
            self.client_ended()

    with running(main_of(Late), system, "echo") as daemon:
        daemon.master_goes()
        assert daemon.wait() == 0
    assert "echo: late work done" in system.logged("late")


def test_a_bug_costs_one_client(system: System) -> None:
    with running(main_of(Echo), system, "echo") as daemon:
        other = daemon.connect()
        assert say(other, "x") == "x"
        assert say(daemon.connect(), "crash") == ""
        lines = system.logged("ZeroDivisionError")
        assert "echo: error: Traceback (most recent call last):" in lines
        assert say(other, "y") == "y"


@pytest.mark.root
@pytest.mark.parametrize(("options", "user"), [([], 65534), (["-u"], 65534)])
def test_rights(system: System, options: list[str], user: int) -> None:
    with running(main_of(Echo), system, "echo", *options) as daemon:
        assert say(daemon.connect(), "who") == f"{user} {user} {system.queue}"


@pytest.mark.root
def test_a_jail(system: System) -> None:
    with running(main_of(Echo), system, "echo", "-u", "-c") as daemon:
        assert say(daemon.connect(), "who") == "65534 65534 /"


def test_a_jailed_process_ends_before_the_next_client_when_a_table_has_changed(system: System) -> None:
    class Old(Echo):
        def outdated(self) -> bool:
            return os.path.exists(f"{system.queue}/changed") or os.path.exists("/changed")

    options = ["-u", "-c"] if os.getuid() == 0 else ["-c"]
    with running(main_of(Old), system, "echo", *options) as daemon:
        client = daemon.connect()
        assert say(client, "x") == "x"
        (system.queue / "changed").touch()
        daemon.connect()  # this one is for the next process
        assert say(client, "y") == "y"
        client.close()
        assert daemon.wait() == 0


def test_the_watchdog(system: System) -> None:
    """A loop that does not turn any more ends the process."""
    system.write_main(daemon_timeout="1s")
    daemon = start(main_of(Echo), system, "echo")
    daemon.connect().socket.sendall(b"hang")
    assert daemon.wait() == 1
    assert "echo: fatal: watchdog timeout" in system.logged("fatal")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_at_once(system: System, number: int) -> None:
    daemon = start(main_of(Echo), system, "echo")
    say(daemon.connect(), "x")
    os.kill(daemon.pid, number)
    assert daemon.wait() == -number


@pytest.mark.parametrize(
    ("attributes", "options", "text"),
    [
        ({"process_limit": 1}, [], "service echo requires a process limit of 1"),
        ({"process_limit": 0}, ["-l"], "service echo requires a process limit of 0"),
        ({"privileged": True}, ["-u"], "service echo requires privileged operation"),
    ],
)
def test_what_master_cf_must_say(system: System, attributes: dict[str, object], options: list[str], text: str) -> None:
    assert start(main_of(type("Limited", (Echo,), attributes)), system, "echo", *options).wait() == 1
    assert f"echo: fatal: {text}" in system.logged("fatal")


@pytest.mark.parametrize(
    ("main", "text"),
    [
        ({"queue_directory": "/dev/null/nowhere", "maillog_file": ""}, ""),
        ({"syslog_facility": "local9"}, "parameter syslog_facility: unrecognized value: local9"),
        ({"ipc_timeout": "x"}, "ipc_timeout"), ({"myhostname": "a..b"}, "parameter myhostname: bad parameter value: a..b"),
    ],
)  # fmt: skip
def test_main_cf_that_cannot_be_used(system: System, main: dict[str, str], text: str) -> None:
    system.write_main(**main)
    assert start(main_of(Echo), system, "echo").wait() == 1
    if text:
        assert any(text in line for line in system.logged("fatal"))


def test_settings_that_the_daemon_refuses(system: System) -> None:
    class Picky(Echo):
        def __init__(self, invocation: Invocation, snapshot: object) -> None:
            raise ConfigError("no good", warnings=("look here",))

    assert start(main_of(Picky), system, "echo").wait() == 1
    assert system.logged("fatal")[-2:] == ["echo: warning: look here", "echo: fatal: no good"]


def test_a_bug_at_the_start(system: System) -> None:
    class Broken(Echo):
        def started(self) -> None:
            raise ZeroDivisionError

    assert start(main_of(Broken), system, "echo").wait() == 1
    assert any("ZeroDivisionError" in line for line in system.logged("ZeroDivisionError"))


def test_bad_options(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told where master(8) has said, for main.cf is not read before the options."""
    monkeypatch.setenv("POSTLOG_SERVICE", str(system.queue / "public/postlog"))
    assert start(main_of(Echo), system, "echo", "-x").wait() == 1
    assert "echo: fatal: invalid option: x" in system.logged("fatal")


@pytest.mark.parametrize(("option", "value"), [("-m", "x"), ("-i", "1y")])
def test_bad_limits(system: System, option: str, value: str) -> None:
    assert start(main_of(Echo), system, "echo", option, value).wait() == 1
    name = "max_use" if option == "-m" else "max_idle"
    assert any(name in line for line in system.logged("fatal"))


def test_by_hand(system: System) -> None:
    """Without the descriptors that master(8) gives."""

    def main(_argv: object) -> int:
        os.closerange(3, 50)
        return run(Echo, ["-V", "-t", "unix"])

    done = call(main, environment={"MAIL_CONFIG": str(system.folder)})
    assert (done.status, done.err) == (1, ["echo: fatal: do not run this command by hand"])


def test_stand_alone_is_not_for_all(system: System) -> None:
    done = call(main_of(Echo), "-S", "-V", environment={"MAIL_CONFIG": str(system.folder)})
    assert (done.status, done.err) == (1, ["postfix/echo: fatal: echo does not run stand-alone"])


def test_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(log, "error", lines.append)
    report_bug(ValueError("x"))
    assert lines == ["ValueError: x"]
    try:
        raise ValueError("y")
    except ValueError as error:
        report_bug(error)
    assert (lines[1], lines[-1]) == ("Traceback (most recent call last):", "ValueError: y")
    with pytest.raises(KeyboardInterrupt):
        report_bug(KeyboardInterrupt())

    async def fail() -> None:
        raise ValueError("y")

    background(fail())
    assert lines[-1] == "ValueError: y"


def test_replies_do_not_wait_for_acknowledgements(system: System) -> None:
    class Asked(Echo):
        async def serve(self, stream: Stream) -> None:
            stream.write(str(stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)).encode())
            await sleep(0)

    with running(main_of(Asked), system, "echo", kind="inet") as daemon:
        first = daemon.connect(), daemon.connect()  # they may have come before the daemon could say so to the listener
        assert [client.socket.recv(10) for client in first] == [b"1", b"1"]
        assert daemon.connect().socket.recv(10) == b"1"


def test_capacity_fits_the_descriptors(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that could have more clients than descriptors for them tells master that it is full before that."""

    class Popular(Echo):
        capacity = 1000

        async def serve(self, stream: Stream) -> None:
            await stream.read()
            stream.write(str(self.capacity).encode())

    monkeypatch.setattr("resource.getrlimit", lambda _what: (110, 110))
    with running(main_of(Popular), system, "echo") as daemon:
        assert say(daemon.connect(), "x") == "20"


def test_no_descriptor_for_a_client(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until there is one; the process does not turn round and round meanwhile."""
    monkeypatch.setattr("pyfix.runtime.daemon._DESCRIPTORS_PAUSE", 0.2)

    class Crowded(Echo):
        def started(self) -> None:
            self._held: list[int] = []
            most = max(map(int, os.listdir("/proc/self/fd"))) + 3
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            with suppress(OSError):
                while True:
                    self._held.append(os.dup(0))
            self.loop.later(0.5, self._make_room)

        def _make_room(self) -> None:
            for fd in self._held:
                os.close(fd)

    with running(main_of(Crowded), system, "echo") as daemon:
        assert say(daemon.connect(), "hello") == "hello"
    complaints = system.logged("accept connection: Too many open files")
    assert 1 <= len(complaints) <= 4
