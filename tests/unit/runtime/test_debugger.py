"""Option -D; parity is in tests/parity/master/test_calling.py."""

from __future__ import annotations

from pyfix.daemons.anvil import daemon as anvil
from tests.unit.daemons.running import System, running, start


def test_the_command_is_run_before_the_daemon_serves(system: System) -> None:
    system.write_main(debugger_command=f"echo $process_name $process_id > {system.folder}/found")
    with running(anvil.main, system, "anvil", "-l", "-D", encoding="plain") as daemon:
        daemon.greeted("anvil_protocol")
        assert (system.folder / "found").read_text() == f"anvil {daemon.pid}\n"
    assert f"anvil: running: echo anvil {daemon.pid} > {system.folder}/found" in system.logged("running")


def test_no_command(system: System) -> None:
    assert start(anvil.main, system, "anvil", "-l", "-D").wait() == 1
    assert "anvil: fatal: no debugger_command variable set up" in system.logged("fatal")
