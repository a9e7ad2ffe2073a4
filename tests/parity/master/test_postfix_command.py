"""What postfix(1) says, logs and returns.  Source: postfix(1)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

from .probing import stable

pytestmark = [pytest.mark.reference, pytest.mark.root]

_ABOUT_PROGRAMS = re.compile(
    r"/(postdrop|postqueue)( is not a set-gid program)?$|postconf: warning|inet_addr_local|name_mask"
)
"""Lines about how the programs of one side were installed, and what only -v shows."""


def shown(mta: Instance, *arguments: str, user: int | None = None) -> tuple[int, list[str]]:
    """Run postfix and return exit status and lines."""
    done = mta.run("postfix", *arguments, user=user)
    text = (done.stdout + done.stderr).decode().replace(str(mta.master_pid), "<PID>")
    return done.returncode, [stable(mta, line) for line in text.splitlines() if not _ABOUT_PROGRAMS.search(line)]


def test_commands_while_running(parity: Parity) -> None:
    """status, start, start-fg, check, reload, flush, an unknown command and a program."""

    def case(mta: Instance) -> list[object]:
        commands = ("status", "start", "start-fg", "check", "reload", "flush", "status", "nonsense", "/bin/echo")
        return [(command, shown(mta, command)) for command in commands]

    parity(case, fresh=True)


def test_commands_while_stopped(parity: Parity) -> None:
    """stop, and then all commands that need a running system."""

    def case(mta: Instance) -> list[object]:
        status, lines = shown(mta, "stop")
        assert not mta.is_running()
        said = [line for line in lines if "waiting for" not in line]  # how long it takes differs
        commands = ("status", "stop", "quick-stop", "abort", "drain", "reload", "flush")
        return [status, said, *((command, shown(mta, command)) for command in commands)]

    parity(case, fresh=True)


@pytest.mark.parametrize("command", ["abort", "drain", "quick-stop"])
def test_other_ways_to_end(parity: Parity, command: str) -> None:
    """The mail system ends without the command waiting for it."""

    def case(mta: Instance) -> list[object]:
        said = shown(mta, command)
        return [said, wait_until(lambda: not mta.pids(), 10)]

    assert parity(case, fresh=True).result[1] is True


def test_start(parity: Parity) -> None:
    """start returns when the mail system runs."""

    def case(mta: Instance) -> list[object]:
        mta.run("postfix", "stop")
        said = shown(mta, "start")
        return [said, mta.is_running(), shown(mta, "status")]

    assert parity(case, fresh=True).result[1] is True


def test_log_lines(parity: Parity) -> None:
    """The commands of a running system appear in the log as postfix-script's."""

    def case(mta: Instance) -> list[str]:
        for command in ("status", "start", "reload"):
            shown(mta, command)
        mta.wait_for_log("refreshing")
        found = [re.search(r"(postfix/postfix-script)\[\d+\]: (.*)", line) for line in mta.log_lines()]
        return [re.sub(r"\d+", "<PID>", match[2]) for match in found if match]

    assert len(parity(case, fresh=True).result) == 3


def test_failing_start(parity: Parity) -> None:
    """Without master.cf, without the log service, with a bad master.cf."""

    def case(mta: Instance) -> list[object]:
        mta.run("postfix", "stop")
        path = mta.config_directory / "master.cf"
        good = path.read_text()
        said = []
        for content in (None, "", good.replace("postlog", "nolog"), "nonsense\n" + good):
            if content is None:
                path.unlink()
            else:
                path.write_text(content)
            for command in ("check", "start"):
                status, lines = shown(mta, command)
                said.append((command, status, lines if "nonsense" not in (content or "") else bool(lines)))
        path.write_text(good)
        return said

    parity(case, fresh=True)


def test_bad_parameters(parity: Parity) -> None:
    """Values of main.cf with which no command goes on."""

    def case(mta: Instance) -> list[object]:
        original = dict(mta.main)
        said = []
        for name, value in (
            ("mail_owner", "nosuchuser"),
            ("mail_owner", "root"),
            ("default_privs", "root"),
            ("default_privs", "postfix"),
            ("setgid_group", "root"),
            ("compatibility_level", "x"),
            ("syslog_facility", "x"),
            ("myhostname", "-"),
            ("setgid_group", "nosuchgroup"),
            ("queue_directory", "/nowhere/at/all"),
            ("daemon_directory", "/nowhere/at/all"),
            ("maillog_file", "/nowhere/log"),
            ("default_process_limit", "none"),
        ):
            mta.main = dict(original)
            mta.write_main(**{name: value})
            said.append((name, shown(mta, "status")))
        return said

    parity(case, fresh=True)


def test_old_compatibility_levels(parity: Parity) -> None:
    """Levels below the latest one are told of by each command."""

    def case(mta: Instance) -> list[object]:
        said: list[object] = []
        for level in ("0", "2", "3.10", "3.11", "4", "x"):
            mta.write_main(compatibility_level=level)
            said += [(level, shown(mta, command)) for command in ("status", "check", "nosuch")]
        return said

    parity(case, fresh=True)


def test_usage(parity: Parity) -> None:
    """No command, a bad option, a relative directory, a directory without main.cf, an ordinary user."""

    def case(mta: Instance) -> list[object]:
        attempts = ((), ("-x",), ("-c", "etc", "status"), ("-c", "/nowhere", "status"))
        return [*(shown(mta, *attempt) for attempt in attempts), shown(mta, "status", user=65534)]

    parity(case)


def copy_into_jail(mta: Instance, name: str, text: str, owner: int = 0) -> None:
    """Write what a chroot environment has of a file of the system."""
    path = mta.queue_directory / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    os.chown(path, owner, owner)


@pytest.mark.parametrize(
    "harm",
    [
        lambda mta: shutil.rmtree(mta.queue_directory / "trace"),
        lambda mta: shutil.rmtree(mta.queue_directory / "maildrop"),
        lambda mta: (mta.config_directory / "main.cf").chmod(0o664),
        lambda mta: os.chown(mta.config_directory / "master.cf", 65534, -1),
        lambda mta: os.chown(mta.queue_directory / "pid", 65534, -1),
        lambda mta: mta.queue_directory.chmod(0o777),
        lambda mta: os.chown(mta.queue_directory / "maildrop", -1, 0),
        lambda mta: (mta.queue_directory / "corrupt/0123456789").touch(),
        lambda mta: (mta.data_directory / "stray").touch(0o666),
        lambda mta: copy_into_jail(mta, "etc/passwd", "different"),
        lambda mta: copy_into_jail(mta, "etc/passwd", Path("/etc/passwd").read_text(), owner=65534),
        lambda mta: copy_into_jail(mta, "var/lib/dpkg/status", "not looked at", owner=65534),
        lambda mta: (mta.queue_directory / "defer/A").touch(),
    ],
    ids=[
        *("folder", "maildrop", "main.cf", "master.cf", "pid", "queue", "group", "corrupt", "data"),
        *("copy", "owner of copy", "other copy", "file for folder"),
    ],
)
def test_check(parity: Parity, harm: Callable[[Instance], object]) -> None:
    """check makes missing folders with Postfix's modes and owners, and warns of what is wrong."""

    def case(mta: Instance) -> list[object]:
        harm(mta)
        said = shown(mta, "check")
        folders = {}
        for folder in sorted(path for path in mta.queue_directory.iterdir() if path.is_dir()):
            status = folder.stat()
            mode = 0o730 if folder.name == "maildrop" and status.st_mode & 0o1000 else status.st_mode & 0o7777
            folders[folder.name] = (oct(mode), status.st_uid, status.st_gid)
        return [said, folders]

    parity(case, fresh=True)


def test_forced_stop(parity: Parity) -> None:
    """A master that does not react is killed after five seconds, and with pyfix's command all processes are gone."""

    def case(mta: Instance) -> list[str]:
        pid = mta.master_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        _, lines = shown(mta, "stop")
        assert mta.kind == "reference" or wait_until(lambda: not mta.pids(), 5)
        return lines

    parity(case, fresh=True)


def test_each_side_sees_the_other(new_instance: Callable[..., Instance]) -> None:
    """The locks are the same: neither side starts where the other runs, and each command ends the other's master."""
    for kind, other in (("reference", "pyfix"), ("pyfix", "reference")):
        mta = new_instance(kind)
        mta.start()
        stranger = new_instance(other)
        stranger.write("main.cf", (mta.config_directory / "main.cf").read_text())
        programs = {name: stranger.main[name] for name in ("daemon_directory", "command_directory")}
        stranger.write_main(**{**mta.main, **programs})
        stranger.write("master.cf", (mta.config_directory / "master.cf").read_text())
        environment = {**stranger.environment, "MAIL_CONFIG": str(stranger.config_directory)}

        def run(program: str, *arguments: str) -> int:
            done = subprocess.run(
                [program, *arguments],
                env=environment,
                capture_output=True,
                timeout=20,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            return done.returncode

        master, postfix = str(stranger.daemon_directory / "master"), str(stranger.command_directory / "postfix")
        assert run(master, "-t") == 1
        assert run(master, "-w") == 1
        assert run(postfix, "status") == 0
        assert run(postfix, "start") == 1
        assert run(postfix, "stop") == 0
        assert not mta.is_running()
        assert run(master, "-t") == 0


OLD_MASTER_CF = """\
# service type private unpriv chroot wakeup maxproc command
smtp inet n - - - - smtpd
  -o a=b
pickup fifo n n - 60 1 pickup
tlsmgr fifo - - n 300 1 tlsmgr
cleanup unix - - - - 0 cleanup
flush unix - - - 1000? 0 flush
trace unix - - - - 0 bounce
verify unix - - - - 0 verify
proxywrite unix - - n - - proxymap
# tlsproxy comes later
#dnsblog unix - - - - 0 dnsblog
"""


@pytest.mark.parametrize(
    "content", ["25 inet n - n - - smtpd\n", OLD_MASTER_CF, "smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n"],
    ids=["little", "old", "postscreen"],
)  # fmt: skip
def test_upgrade_configuration(parity: Parity, content: str) -> None:
    """What is added to an old master.cf, corrected in it, what main.cf gets, and nothing the second time."""

    def case(mta: Instance) -> list[object]:
        path = mta.config_directory / "master.cf"
        path.write_text(content)
        mta.write_main(hash_queue_names="incoming")
        text = (mta.config_directory / "main.cf").read_text()
        mta.write("main.cf", "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("inet_protocols")))
        said: list[object] = []
        for _ in range(2):
            said += [shown(mta, "upgrade-configuration"), path.read_text()]
            main = (mta.config_directory / "main.cf").read_text().splitlines()
            said.append([line for line in main if line.startswith(("inet_protocols", "hash_queue_names"))])
        return said

    parity(case, fresh=True)


def test_moving_from_berkeley_db(parity: Parity) -> None:
    """Each level after each other, and what does not make sense."""

    def case(mta: Instance) -> list[object]:
        said: list[object] = []
        levels = ("enable-redirect", "enable-reindex", "enable-reindex", "disable", "enable-redirect", "disable", "disable")
        for words in ((), ("x",), ("status", "x"), *((level,) for level in levels)):
            said += [(words, shown(mta, "non-bdb", *words)), shown(mta, "non-bdb", "status")]
            said.append([line.split() for line in (mta.config_directory / "master.cf").read_text().splitlines() if "nbdb" in line])
        for name, value in (("default_cache_db_type", "btree"), ("default_database_type", "hash"), ("non_bdb_migration_level", "x")):
            mta.write_main(**{name: value})
            said += [shown(mta, "non-bdb", level) for level in ("status", "enable-redirect", "enable-reindex", "disable")]
        return said

    parity(case, fresh=True, main={"default_cache_db_type": "lmdb"})


def test_rotating(parity: Parity) -> None:
    """A new log, the old one compressed; what goes wrong is told of."""

    def case(mta: Instance) -> list[object]:
        mta.run("postfix", "stop")
        said: list[object] = [shown(mta, "logrotate", "x")]
        for changes in (
            {"maillog_file_rotate_suffix": "old", "maillog_file_compressor": "/bin/gzip"},
            {"maillog_file_compressor": "/bin/false"},
            {"maillog_file_compressor": "/bin/true", "maillog_file_rotate_suffix": "a/b"},
            {"maillog_file": "/dev/stdout", "maillog_file_prefixes": "/dev"},
            {"maillog_file": ""},
        ):
            mta.write_main(**changes)
            mta.log_path.write_text("line\n")
            said.append(shown(mta, "logrotate"))
            said.append(sorted(path.name for path in mta.log_path.parent.iterdir() if path != mta.log_path))
        return said

    parity(case, fresh=True)
