"""Reading the configuration again while clients are connected.  Source: master(8) SIGHUP."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit.instance import Instance
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


def test_inet_interfaces_change(parity: Parity) -> None:
    """A service that would listen on another number of addresses keeps those that it has."""

    def case(mta: Instance) -> list[object]:
        mta.write_main(inet_interfaces="127.0.0.1, 127.0.0.1, ::1")
        mta.reload()
        mta.wait_for_log("to change inet_interfaces, stop and start Postfix")
        return [line for line in master_lines(mta) if "reload" not in line]

    main = {"inet_interfaces": "127.0.0.1", "inet_protocols": "all"}
    parity(case, main=main, master={"127.0.0.1:{port}": "{port} inet n - n - - smtpd"}, fresh=True)


def test_bad_master_cf_ends_master(parity: Parity) -> None:
    """A reload with a malformed master.cf is fatal."""

    def case(mta: Instance) -> bool:
        mta.write("master.cf", "nonsense\n")
        pid = mta.master_pid
        assert pid is not None
        os.kill(pid, signal.SIGHUP)
        return wait_until(lambda: not mta.is_running(), 5) and wait_until(lambda: not mta.pids(), 5)

    assert parity(case, fresh=True).result is True


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
