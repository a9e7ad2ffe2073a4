"""Reading the configuration again while clients are connected.  Source: master(8) SIGHUP."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.instance import Instance, NotStarted
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.kit.services import STANDARD, edited

from .probing import FILES, PROGRAM, Visitor, exists, master_lines, starts, visit

pytestmark = [pytest.mark.reference, pytest.mark.root]

SERVICES = {
    "kept": f"kept unix n - n - 5 {PROGRAM}",
    "changed": f"changed unix n - n - 5 {PROGRAM} old",
    "removed": f"removed unix n - n - 5 {PROGRAM}",
    "moved": f"moved unix n - n - 5 {PROGRAM}",
}


def rewrite(mta: Instance, changes: dict[str, str | None]) -> None:
    text = edited(STANDARD, {**SERVICES, **changes})
    mta.write("master.cf", text.replace("{port}", str(mta.port)).replace("{dir}", str(mta.directory)))


def test_services_change(parity: Parity) -> None:
    """Connected clients of services that stay are served on; a service that is gone loses its processes at once."""

    def case(mta: Instance) -> dict[str, object]:
        clients = {name: Visitor(mta, f"public/{name}") for name in SERVICES}
        pids = {name: client.report()["pid"] for name, client in clients.items()}
        smtp = mta.connect()
        rewrite(
            mta,
            {
                "changed": f"changed unix n - n - 5 {PROGRAM} new",
                "removed": None,
                "moved": f"moved unix y - n - 5 {PROGRAM}",
                "added": f"added unix n - n - 5 {PROGRAM}",
            },
        )
        mta.reload()
        assert wait_until(lambda: (mta.queue_directory / "public/added").exists(), 5)
        assert wait_until(lambda: not exists(pids["removed"]) and not exists(pids["moved"]), 5)
        result: dict[str, object] = {
            "alive": sorted(name for name, pid in pids.items() if exists(pid)),
            "smtp": smtp.say("NOOP"),
        }
        clients["kept"].order("t")
        clients["kept"].close()
        clients["changed"].close()
        assert wait_until(lambda: not exists(pids["kept"]) and not exists(pids["changed"]), 5)
        result["changed"] = visit(mta, "public/changed")["arguments"]
        result["kept"] = visit(mta, "public/kept")["arguments"]
        result["moved"] = visit(mta, "private/moved")["arguments"]
        result["added"] = visit(mta, "public/added")["arguments"]
        result["old sockets"] = [(mta.queue_directory / "public" / name).exists() for name in ("removed", "moved")]
        result["log"] = [line for line in master_lines(mta) if "reload" not in line]
        result["starts"] = len(starts(mta))
        return result

    result = parity(case, master=SERVICES, files=FILES, fresh=True).result
    assert result["alive"] == ["changed", "kept"]
    assert result["changed"][-1] == "new"


def test_what_a_reload_cannot_change(parity: Parity) -> None:
    """Other values of queue_directory and inet_protocols are refused with a warning, and the old ones stay."""

    def case(mta: Instance) -> list[str]:
        mta.wait_for_log("daemon started", since=0)  # postlogd has read the right main.cf
        mta.write_main(inet_protocols="all", queue_directory=str(mta.directory))
        mta.reload()
        mta.wait_for_log("to change inet_protocols, stop and start Postfix")
        return sorted(line for line in master_lines(mta) if "reload" not in line)

    parity(case, fresh=True)


@pytest.mark.parametrize("service", ["{port}", "127.0.0.1:{port}", "localhost:{port}"])
def test_inet_interfaces_change(parity: Parity, service: str) -> None:
    """Each inet service tells that it keeps the addresses that it has, and a new one takes those of master's start."""

    def case(mta: Instance) -> list[object]:
        for value in ("127.0.0.1, 127.0.0.1, ::1", "127.0.0.1,", "127.0.0.1", "", "loopback-only"):
            mta.write_main(inet_interfaces=value)
            mta.reload()
        port = mta.another_port()
        mta.write("master.cf", (mta.config_directory / "master.cf").read_text() + f"{port} inet n - n - - smtpd\n")
        mta.reload()
        mta.wait_for_log("to change inet_interfaces, stop and start Postfix", count=6)
        lines = [line.replace(str(port), "<NEW>") for line in master_lines(mta)]
        table = "".join(Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6"))
        return [lines, re.findall(rf" (\w+):{port:04X} \w+:0000 0A ", table), mta.dialogue("NOOP")]

    main = {"inet_interfaces": "127.0.0.1", "inet_protocols": "all"}
    line = f"{service} inet n - n - - smtpd"
    seen = parity(case, main=main, master={"127.0.0.1:{port}": line}, fresh=True).result
    assert seen[1] == ["0100007F"]  # type: ignore[index]  # the result of case


def test_inet_interfaces_that_are_not_there(parity: Parity) -> None:
    """Only master stays, and clients wait; when main.cf is right again, the next reload brings all back.

    Without a log file: postlogd(8) goes too, and the reference's master then waits for ever for one that reads its lines.
    """

    def case(mta: Instance) -> list[object]:
        pid = mta.master_pid
        assert pid is not None
        mta.settle()
        mta.write_main(inet_interfaces="192.0.2.1")
        os.kill(pid, signal.SIGHUP)
        alone = wait_until(lambda: mta.pids() == [pid], 5)
        client = socket.create_connection((mta.host, mta.port))
        time.sleep(0.5)
        mta.settle()
        waits = not select.select([client], [], [], 0)[0] and mta.is_running()
        mta.write_main(inet_interfaces="127.0.0.1")
        os.kill(pid, signal.SIGHUP)
        with client:
            client.settimeout(10)
            return [alone, waits, client.recv(3), wait_until(lambda: bool(mta.pids_of("qmgr")), 5)]

    assert parity(case, main={"maillog_file": "", "service_throttle_time": "3s"}, fresh=True).result == [True, True, b"220", True]


def _add_line(line: str) -> Callable[[Instance], None]:
    def add(mta: Instance) -> None:
        mta.write("master.cf", (mta.config_directory / "master.cf").read_text() + line + "\n")

    return add


def _take_port(mta: Instance) -> None:
    port = mta.another_port()
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    taken.listen()
    taken.set_inheritable(False)
    _TAKEN.append(taken)
    _add_line(f"127.0.0.1:{port} inet n - n - - smtpd")(mta)


_TAKEN: list[socket.socket] = []
"""Sockets of ports that are taken, until the end."""

BREAKING: dict[str, Callable[[Instance], object]] = {
    "nonsense": lambda mta: mta.write("master.cf", "nonsense\n"),
    "bad field": _add_line("x unix n - n x - smtpd"),
    "no host": _add_line("no.such.host.invalid:2525 inet n - n - - smtpd"),
    "no address": _add_line("192.0.2.1:2525 inet n - n - - smtpd"),
    "no port": _add_line("127.0.0.1:nosuchport inet n - n - - smtpd"),
    "port taken": _take_port,
    "no master.cf": lambda mta: (mta.config_directory / "master.cf").unlink(),
    "bad main.cf": lambda mta: mta.write("main.cf", "nonsense\n"),
    "bad number": lambda mta: mta.write_main(default_process_limit="many"),
    "no main.cf": lambda mta: (mta.config_directory / "main.cf").unlink(),
    "no group": lambda mta: mta.write_main(setgid_group="no-such-group"),
}


@pytest.mark.parametrize("what", BREAKING)
def test_configuration_that_ends_master(parity: Parity, what: str) -> None:
    """What is fatal at the start is fatal at a reload; all processes go, and the next start works."""

    def case(mta: Instance) -> list[object]:
        files = {name: (mta.config_directory / name).read_text() for name in ("main.cf", "master.cf")}
        pid = mta.master_pid
        assert pid is not None
        mta.wait_for_log("daemon started", since=0)
        BREAKING[what](mta)
        os.kill(pid, signal.SIGHUP)
        ended = wait_until(lambda: not mta.pids(), 5)
        try:
            mta.start(seconds=5)
        except NotStarted as error:
            code = re.match(r"\S+ returned (\d+)", str(error))
        left = not wait_until(lambda: not mta.pids(), 2)
        for name, text in files.items():
            mta.write(name, text)
        mta.start()
        mta.settle()
        reloads = [line for line in mta.log_lines(whole=True) if "reload --" in line]
        return [ended, code and code[1], left, mta.dialogue("NOOP"), len(reloads)]

    assert parity(case, fresh=True).result == [True, "1", False, ["250 2.0.0 Ok"], 1]


def test_a_program_that_is_gone(parity: Parity) -> None:
    """Its service waits, the others go on."""

    def case(mta: Instance) -> list[object]:
        _add_line("gone unix n - n 5 - no-such-program")(mta)
        mta.reload()
        mta.wait_for_log("bad command startup")
        lines = [re.sub(r"\S+/no-such", "no-such", line) for line in master_lines(mta) if "reload" not in line]
        return [lines, mta.dialogue("NOOP")]

    assert len(parity(case, fresh=True).result[0]) == 3  # type: ignore[index]  # the result of case


def test_processes_finish_without_master(parity: Parity) -> None:
    """When only master ends (postfix drain), a client that is being served is served on, and then all are gone."""

    def case(mta: Instance) -> list[object]:
        smtp = mta.connect()
        pid = mta.master_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not mta.pids_of("pickup"), 5)
        reply = smtp.say("NOOP")
        smtp.say("QUIT")
        smtp.close()
        return [reply, wait_until(lambda: not mta.pids(), 5)]

    assert parity(case, fresh=True).result == [["250 2.0.0 Ok"], True]
