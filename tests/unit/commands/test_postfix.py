"""postfix(1), with shell scripts in the place of other programs."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyfix.commands import postfix
from pyfix.commands.postfix import COMMANDS, stop
from pyfix.runtime.log import log
from pyfix.runtime.masterlock import MasterLock

ROOT = os.getuid() == 0


class System:
    """A mail system without programs of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc, self.spool, self.data = folder / "etc", folder / "spool", folder / "data"
        self.programs = folder / "programs"
        for path in (self.etc, self.spool, self.programs):
            path.mkdir()
        self.main = {
            "queue_directory": self.spool,
            "data_directory": self.data,
            "daemon_directory": self.programs,
            "command_directory": self.programs,
            "shlib_directory": "no",
            "meta_directory": self.etc,
            "mail_owner": "nobody",
            "setgid_group": "mail",
            "default_privs": "daemon",
            "myhostname": "mail.ours.example",
            "compatibility_level": "3.11",
            "syslog_facility": "local7",
        }
        (self.etc / "master.cf").write_text("pickup unix n - n 60 1 pickup\n")
        self.write()

    def write(self, **changes: object) -> None:
        self.main |= changes
        (self.etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in self.main.items()))

    def program(self, name: str, commands: str = "") -> None:
        """Make a script that notes how it was called."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> {self.folder}/called\n{commands}\n')
        path.chmod(0o755)

    def called(self) -> list[str]:
        path = self.folder / "called"
        return [line.strip() for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    made = System(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAIL_CONFIG", str(made.etc))
    monkeypatch.delenv("MAIL_VERBOSE", raising=False)
    monkeypatch.delenv("MAIL_DEBUG", raising=False)
    umask, tag = os.umask(0o022), log.tag
    yield made
    os.umask(umask)
    log.close()
    log.tag = tag
    log.to_stderr(False)
    log.fall_back_to("")
    os.environ.pop("MAIL_VERBOSE", None)
    os.environ.pop("MAIL_DEBUG", None)


@pytest.fixture
def run(system: System, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[str]]]:
    def call(*argv: str) -> tuple[int, list[str]]:
        status = postfix.main(argv)
        return status, capfd.readouterr().err.splitlines()

    return call


Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def running(system: System) -> Iterator[Callable[..., int]]:
    """Start a process that holds the lock, as master does."""
    pids = []

    def start(reaction: int = signal.SIG_DFL) -> int:
        (system.spool / "pid").mkdir(exist_ok=True)
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            MasterLock(str(system.spool / "pid/master.pid")).write_pid(os.getpid())
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL if reaction == signal.SIG_DFL else signal.SIG_IGN)
            os.write(tell, b"x")
            signal.alarm(30)
            while True:
                signal.pause()
        os.read(ready, 1)
        pids.append(pid)
        return pid

    yield start
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def ended_by(pid: int) -> int:
    return -os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_every_command_is_there() -> None:
    import importlib

    for module, function in COMMANDS.values():
        assert callable(getattr(importlib.import_module(f"pyfix.commands.postfix.{module}"), function))


@pytest.mark.parametrize("command", ["stop", "abort", "drain", "reload"])
def test_nothing_runs(run: Run, command: str) -> None:
    assert run(command) == (1, ["postfix/postlog: fatal: the Postfix mail system is not running"])


@pytest.mark.parametrize("command", ["stop", "abort", "drain", "reload"])
@pytest.mark.parametrize("text", ["", "-1\n", "no number\n"])
def test_a_master_whose_process_id_is_not_known(
    system: System, run: Run, command: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gets a signal: number 0 or less would reach whole groups of processes."""
    monkeypatch.setattr("pyfix.commands.postfix.system._PAUSE", 0)
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a signal was sent"))
    (system.spool / "pid").mkdir()
    lock = MasterLock(str(system.spool / "pid/master.pid"))
    (system.spool / "pid/master.pid").write_text(text)
    status, lines = run(command)
    os.close(lock.fd)
    assert (status, lines[-1]) == (
        1,
        "postfix/postlog: fatal: pid/master.pid does not tell the process id of the Postfix mail system",
    )


def test_status(run: Run, running: Callable[..., int]) -> None:
    assert run("status") == (1, ["postfix/postlog: the Postfix mail system is not running"])
    pid = running()
    assert run("status") == (0, [f"postfix/postlog: the Postfix mail system is running: PID: {pid}"])


def test_stop(run: Run, running: Callable[..., int]) -> None:
    pid = running()
    assert run("stop") == (0, ["postfix/postlog: stopping the Postfix mail system"])
    assert ended_by(pid) == signal.SIGTERM


def test_forced_stop(run: Run, running: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(stop, "_PATIENCE", 2)
    pid = running(signal.SIG_IGN)
    status, lines = run("stop")
    assert status == 0
    assert lines[1:] == [
        "postfix/postlog: waiting for the Postfix mail system to terminate",
        "postfix/postlog: waiting for the Postfix mail system to terminate",
        "postfix/postlog: warning: stopping the Postfix mail system with force",
    ]
    assert ended_by(pid) == signal.SIGKILL


@pytest.mark.parametrize(
    ("command", "number", "text"),
    [
        ("abort", signal.SIGTERM, "aborting the Postfix mail system"),
        ("drain", signal.SIGKILL, "stopping the Postfix mail system"),
        ("quick-stop", signal.SIGTERM, "stopping the Postfix mail system"),
    ],
)
def test_other_ends(run: Run, running: Callable[..., int], command: str, number: int, text: str) -> None:
    pid = running()
    assert run(command) == (0, [f"postfix/postlog: {text}"])
    assert ended_by(pid) == number


def test_reload(system: System, run: Run, running: Callable[..., int]) -> None:
    system.program("postsuper")
    pid = running()
    assert run("reload") == (0, ["postfix/postlog: refreshing the Postfix mail system"])
    assert ended_by(pid) == signal.SIGHUP
    assert system.called()[0] == "postsuper active"


def test_reload_of_a_broken_queue(system: System, run: Run, running: Callable[..., int]) -> None:
    system.program("postsuper", "exit 1")
    running()
    assert run("reload")[0] == 1


def test_start(system: System, run: Run, running: Callable[..., int]) -> None:
    system.program("master")
    system.program("postsuper")
    status, lines = run("-v", "-D", "start")
    assert status == 0
    assert "postfix/postlog: starting the Postfix mail system" in lines
    assert system.called() == ["postsuper", "master -w"]
    assert os.environ["MAIL_VERBOSE"] == "1"
    running()
    assert run("start") == (1, ["postfix/postlog: fatal: the Postfix mail system is already running"])


def test_failing_start(system: System, run: Run) -> None:
    system.program("master", "exit 1")
    status, lines = run("start")
    assert status == 1
    assert "postfix/postlog: fatal: mail system startup failed" in lines


def test_failing_check(system: System, run: Run) -> None:
    system.program("master")
    (system.etc / "master.cf").unlink()
    assert run("start") == (
        1,
        [
            f"postfix/postlog: fatal: no {system.etc}/master.cf file found",
            "postfix/postlog: fatal: Postfix integrity check failed!",
        ],
    )
    assert system.called() == []


def test_environment_of_programs(system: System, run: Run) -> None:
    system.program("master", f"env > {system.folder}/environment")
    system.write(maillog_file="/var/log/nothing")
    (system.etc / "master.cf").write_text("postlog unix-dgram n - n - 1 postlogd\n")
    run("start")
    found = dict(line.split("=", 1) for line in (system.folder / "environment").read_text().splitlines())
    assert found["MAIL_CONFIG"] == str(system.etc)
    assert found["MAIL_LOGTAG"] == "postfix"
    assert found["LANG"] == "C"
    assert found["POSTLOG_SERVICE"] == f"{system.spool}/public/postlog"
    assert found["POSTLOG_HOSTNAME"] == "mail.ours.example"
    assert found["queue_directory"] == str(system.spool)
    assert "HOME" not in found


def test_check_makes_folders(system: System, run: Run) -> None:
    assert run("check")[0] == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in system.spool.iterdir()}
    assert modes["pid"] == 0o755
    assert modes["active"] == modes["private"] == 0o700
    assert modes["maildrop"] == (0o1733 if ROOT else 0o730)
    assert stat.S_IMODE(system.data.stat().st_mode) == 0o700


def test_check_warns(system: System, run: Run) -> None:
    run("check")
    (system.spool / "corrupt" / "0123").touch()
    (system.etc / "main.cf").chmod(0o666)
    _, lines = run("check")
    assert f"postfix/postlog: warning: group or other writable: {system.etc}/./main.cf" in lines
    assert "postfix/postlog: warning: damaged message: corrupt/0123" in lines


@pytest.mark.root
def test_check_warns_of_owners(system: System, run: Run) -> None:
    run("check")
    os.chown(system.spool / "active", 1, 1)
    os.chown(system.spool / "pid", 1, 1)
    os.chown(system.spool / "public", -1, 0)
    (system.programs / "postdrop").write_bytes(b"\x7fELF")
    _, lines = run("check")
    assert f"postfix/postlog: warning: not owned by nobody: {system.spool}/active" in lines
    assert f"postfix/postlog: warning: not owned by root: {system.spool}/pid" in lines
    assert f"postfix/postlog: warning: not owned by group mail: {system.spool}/public" in lines
    postdrop = system.programs / "postdrop"
    assert f"postfix/postlog: warning: not set-gid or not owner+group+world executable: {postdrop}" in lines


@pytest.mark.root
def test_check_without_set_gid_programs(system: System, run: Run) -> None:
    system.program("postdrop")
    system.program("postqueue")
    _, lines = run("check")
    postdrop = system.programs / "postdrop"
    text = f"maildrop is open to all users: {postdrop} is not a set-gid program"
    assert lines == [f"postfix/postlog: warning: {text}"]


def test_missing_log_service(system: System, run: Run) -> None:
    system.write(maillog_file="/var/log/nothing")
    assert run("check")[1][-1] == (
        "postfix/postlog: fatal: missing 'postlog' service in master.cf - run 'postfix upgrade-configuration'"
    )


def test_malformed_master_cf(system: System, run: Run) -> None:
    system.write(maillog_file="/var/log/nothing")
    (system.etc / "master.cf").write_text("word\n")
    status, lines = run("check")
    assert status == 1
    assert f"{system.etc}/master.cf" in lines[-1]


def test_set_permissions(system: System, run: Run) -> None:
    run("check")
    (system.spool / "active").chmod(0o755)
    (system.spool / "pid").chmod(0o700)
    assert run("set-permissions")[0] == 0
    assert stat.S_IMODE((system.spool / "active").stat().st_mode) == 0o700
    assert stat.S_IMODE((system.spool / "pid").stat().st_mode) == 0o755
    assert run("set-permissions", "mail_owner=x")[0] == 1


def test_log_rotation(system: System, run: Run, running: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    system.program("compress")
    logfile = system.folder / "maillog"
    system.write(
        maillog_file=logfile,
        maillog_file_prefixes=system.folder,
        maillog_file_rotate_suffix="old",
        maillog_file_compressor=system.programs / "compress",
    )
    assert run("logrotate")[0] == 0
    logfile.write_text("line\n")
    pid = running()
    assert run("logrotate") == (0, [])
    assert ended_by(pid) == signal.SIGHUP
    assert system.called() == [f"compress {logfile}.old"]
    assert not logfile.exists()
    assert Path(f"{logfile}.old").read_text() == "line\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "empty 'maillog_file' parameter value - logfile rotation failed"),
        ("/dev/stdout", "not rotating '/dev/stdout'"),
    ],
)
def test_nothing_to_rotate(system: System, run: Run, value: str, text: str) -> None:
    system.write(maillog_file=value)
    assert run("logrotate") == (1, [f"postfix/postlog: fatal: {text}"])


def test_upgrade_configuration(
    system: System, run: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = system.etc / "master.cf"
    path.write_text("# mine\ntlsmgr fifo - - n 300 1 tlsmgr\nflush\tunix - - - 1000? 0 flush\n  -v")
    path.chmod(0o640)
    assert postfix.main(["upgrade-configuration"]) == 0
    said = capfd.readouterr().out.splitlines()
    assert said[:3] == [
        f"Editing {path}, updating the tlsmgr from fifo to unix service",
        f"Editing {path}, making the flush service public",
        f"Editing {path}, adding missing entry for relay service",
    ]
    lines = path.read_text().splitlines()
    assert lines[:4] == ["# mine", "tlsmgr unix - - n 300? 1 tlsmgr", "flush\tunix n - - 1000? 0 flush", "  -v"]
    assert "postlog   unix-dgram n  -       n       -       1       postlogd" in lines
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert run("upgrade-configuration") == (0, [])
    assert path.read_text().splitlines() == lines
    assert run("upgrade-configuration", "a=b")[0] == 1


def test_usage(run: Run) -> None:
    usage = "postfix: fatal: usage: postfix [-c config_dir] [-Dv] command"
    assert run("-x") == (1, ["postfix: invalid option -- 'x'", usage])
    assert run("-c", "relative", "status") == (1, ["postfix: fatal: -c requires absolute pathname"])
    assert run("-c", "/nowhere", "status") == (
        1,
        ["postfix: fatal: open /nowhere/main.cf: No such file or directory"]
        if ROOT
        else [
            "postfix: error: to submit mail, use the Postfix sendmail command",
            "postfix: fatal: the postfix command is reserved for the superuser",
        ],
    )


def test_unknown_command(run: Run) -> None:
    status, (line,) = run("nonsense")
    assert status == 1
    assert line.startswith("postfix/postlog: fatal: unknown command: 'nonsense'. Usage: postfix start (or stop, ")


def test_bad_folders(system: System, run: Run) -> None:
    system.write(daemon_directory="/nowhere/at/all")
    assert run("status") == (1, ["postfix: fatal: chdir(/nowhere/at/all): No such file or directory"])


def executed(act: Callable[[], object]) -> int:
    """Run what becomes another program in a child; return the exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_becoming_another_program(system: System) -> None:
    system.program("postqueue", "exit 5")
    system.program("master", "exit 6")
    assert executed(lambda: postfix.main(["flush"])) == 5
    assert executed(lambda: postfix.main(["start-fg"])) == 6
    assert executed(lambda: postfix.main([str(system.programs / "postqueue"), "word"])) == 5
    assert system.called() == ["postqueue -f", "master -s", "postqueue word"]


def test_several_instances(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wrapper runs unless -c or MAIL_CONFIG choose one instance."""
    import pyfix

    system.program("wrapper", "exit 7")
    system.write(multi_instance_directories="/etc/other", multi_instance_wrapper=f"{system.programs}/wrapper -p --")
    monkeypatch.setattr(pyfix, "CONFIG_DIRECTORY", str(system.etc))
    assert executed(lambda: postfix.main(["-c", str(system.etc), "status"])) == 99
    monkeypatch.delenv("MAIL_CONFIG")
    assert executed(lambda: postfix.main(["status", "x"])) == 7
    assert system.called() == ["wrapper -p -- status x"]


@pytest.mark.root
def test_an_ordinary_user(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the user to whom the spool belongs may go on without root."""
    for path in (system.folder, *system.folder.parents[:-2]):
        path.chmod(path.stat().st_mode | 0o055)
    said = system.folder / "said"

    def as_nobody() -> None:
        with said.open("w") as stream:
            monkeypatch.setattr("sys.stderr", stream)
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            status = postfix.main(["status"])
        os._exit(status)

    assert executed(as_nobody) == 1
    assert "reserved for the superuser" in said.read_text()
    os.chown(system.spool, 65534, 65534)
    assert executed(as_nobody) == 1
    assert "is not running" in said.read_text()
