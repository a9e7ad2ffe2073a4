"""Services, processes and the configuration, in a master of its own."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.unit.daemons.master.systems import System


def test_reload(system: System) -> None:
    """SIGHUP renews the service at once; a malformed file is fatal."""
    process = system.master("-d")
    system.wait(system.calls)
    system.program("other", "exec sleep 60")
    system.write_master("probe unix n - n 60 5 probe", "other unix n - n 60 1 other")
    process.send_signal(signal.SIGHUP)
    system.wait(lambda: len(system.calls()) == 3)
    assert sorted(system.calls()[1:]) == ["other -l -t unix -d -u 3", "probe -t unix -d -u 2"]
    system.write_master("nonsense")
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 1


def test_environment(system: System) -> None:
    """Only what import_environment names, and what daemons need, is handed on."""
    system.program("probe", f"env > {system.folder}/environment; exec sleep 60")
    system.master("-d")
    system.wait((system.folder / "environment").exists)
    system.wait(lambda: "GENERATION" in (system.folder / "environment").read_text())
    found = dict(line.split("=", 1) for line in (system.folder / "environment").read_text().splitlines())
    for name in ("PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"):  # the shell's own
        found.pop(name, None)
    assert found == {
        "MAIL_CONFIG": str(system.folder / "etc"),
        "MAIL_LOGTAG": "postfix",
        "LANG": "C",
        "GENERATION": "1",
    }


def test_failures_are_logged_and_throttled(system: System) -> None:
    system.program("probe", "exit 3")
    process = system.master("-d", "-e", "1")
    assert process.wait(20) == 0
    said = process.communicate()[1]
    program = system.folder / "programs/probe"
    assert f"master: warning: process {program} pid " in said
    assert f"master: warning: {program}: bad command startup -- throttling" in said
    assert len(system.calls()) == 1


def test_services_that_are_gone_end_with_a_reload(system: System) -> None:
    system.write_master("probe unix n - n 60 1 probe", "other unix n - n 60 1 other")
    system.program("other", "exec sleep 60")
    process = system.master("-d")
    system.wait(lambda: len(system.calls()) == 2)
    pid = system.pid()
    children = Path(f"/proc/{pid}/task/{pid}/children")
    assert len(children.read_text().split()) == 2
    system.write_master("probe unix n - n 60 1 probe")
    process.send_signal(signal.SIGHUP)
    system.wait(lambda: len(children.read_text().split()) == 1)


def test_what_a_reload_cannot_change(system: System) -> None:
    process = system.master("-d")
    system.wait(system.calls)
    system.write_main(inet_protocols="ipv4")
    process.send_signal(signal.SIGHUP)
    assert process.stderr is not None
    said = ""
    while "stop and start Postfix" not in said:
        said += process.stderr.readline()
    assert "master: reload -- version 3.11.7, configuration " in said
    assert 'master: warning: ignoring inet_protocols parameter value change\nmaster: warning: old value: "' in said
    assert "master: warning: to change inet_protocols, stop and start Postfix" in said


def test_services_may_be_disabled(system: System) -> None:
    system.write_main(master_service_disable="other.unix")
    system.write_master("probe unix n - n 60 1 probe", "other unix n - n 60 1 other")
    system.program("other", "exec sleep 60")
    system.master("-d")
    system.wait(system.calls)
    assert not (system.spool / "public/other").exists() and system.calls()[0].startswith("probe")


def test_a_process_that_was_killed_is_no_failure_of_its_service(system: System) -> None:
    """Who was of use may end as it likes: the next client gets another one."""
    system.program("probe", "exit 0")
    process = system.master("-d", "-e", "1")
    process.wait(20)
    assert "throttling" not in process.communicate()[1]


def test_all_processes_end_with_master(system: System) -> None:
    process = system.master("-d")
    system.wait(system.calls)
    pid = system.pid()
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == -signal.SIGTERM
    system.wait(lambda: not Path(f"/proc/{child}").exists())
    assert "master: terminating on signal 15" in process.communicate()[1]
