"""``make install PREFIX=DIR``: really run, as root and as an ordinary user, and mail goes through what it leaves."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import smtplib
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyfix.install.launchers import COMMANDS, DAEMONS, SET_GID_COMMANDS
from tests.install.machine import NOBODY, as_user, make
from tests.kit import processes, requirements
from tests.kit.ports import ReservedPort
from tests.kit.programs import CHECKOUT
from tests.kit.reference import reference

pytestmark = [pytest.mark.timeout(600)]

_COMPLAINT = re.compile(r"warning|error:|fatal|panic")


@dataclass(frozen=True)
class Installed:
    """An installed system and whose it is."""

    folder: Path
    user: int
    said: str
    """What ``make install`` printed."""

    @property
    def prefix(self) -> Path:
        return self.folder / "opt"

    @property
    def configuration(self) -> Path:
        return self.prefix / "etc/postfix"

    def run(
        self, command: str, *arguments: str, user: int | None = None, text: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run an installed command as *user* with no environment but *environment*."""
        argv = [*as_user(self.user if user is None else user), str(self.prefix / "sbin" / command), *arguments]
        return subprocess.run(
            argv, input=text, capture_output=True, text=True, timeout=60, env=environment, cwd="/", check=False
        )

    def ran(self, command: str, *arguments: str, **options: str) -> str:
        """Run a command that must succeed without a complaint; return what it printed."""
        done = self.run(command, *arguments, **options)
        assert done.returncode == 0 and not _COMPLAINT.search(done.stderr), (command, arguments, done)
        return done.stdout


def _whose(user: int) -> pytest.ParameterSet:
    name = "root" if not user else "user"
    return pytest.param(user, id=name, marks=pytest.mark.xdist_group(f"make install as {name}"))


@pytest.fixture(scope="module", params=[_whose(user) for user in sorted({os.getuid(), NOBODY})])
def installed(request: pytest.FixtureRequest) -> Iterator[Installed]:
    user: int = request.param
    as_user(user)
    if shutil.which("make") is None or not (shutil.which("cc") or shutil.which("gcc")):
        requirements.missing("needs make and a C compiler")
    folder = Path(tempfile.mkdtemp(prefix="pyfix-install-"))
    folder.chmod(0o755)
    if os.getuid() == 0:
        os.chown(folder, user, user)
    try:
        done = make(folder, user, "install", f"PREFIX={folder}/opt")
        assert done.returncode == 0, done.stdout
        yield Installed(folder, user, done.stdout)
        processes.end(lambda: processes.pids_inside(folder))
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def port() -> Iterator[int]:
    reserved = ReservedPort()
    yield reserved.number
    reserved.release()


@pytest.fixture
def running(installed: Installed, port: int) -> Iterator[Installed]:
    """The system, started, with SMTP on *port*, and with its log and its mailboxes in files of the test."""
    folder = installed.folder
    mail = folder / "mail"
    mail.mkdir(exist_ok=True)
    mail.chmod(0o1777)
    (folder / "log").unlink(missing_ok=True)
    settings = {
        "maillog_file": folder / "log",
        "maillog_file_prefixes": folder,
        "mail_spool_directory": f"{mail}/",
        "home_mailbox": "",
        "mydestination": "localhost",
        "inet_interfaces": "loopback-only",
    }
    installed.ran("postconf", *(f"{name}={value}" for name, value in settings.items()))
    installed.ran("postconf", "-M", f"{smtp_service(installed.configuration)}=127.0.0.1:{port} inet n - n - - smtpd")
    installed.ran("postfix", "start")
    yield installed
    installed.ran("postfix", "stop")
    assert processes.wait_until(lambda: not processes.pids_inside(folder), 10.0)


def smtp_service(configuration: Path) -> str:
    """Return the entry that listens for SMTP as ``postconf -M`` names it."""
    (name,) = re.findall(r"(?m)^([^#\s]\S*)\s+inet\s", (configuration / "master.cf").read_text())
    return f"{name}/inet"


def mailbox(installed: Installed, name: str, text: str) -> Path:
    """Wait for a message with *text* in the Maildir of *name* and return its file."""
    found: list[Path] = []

    def arrived() -> bool:
        found[:] = [path for path in (installed.folder / "mail" / name / "new").glob("*") if text in path.read_text()]
        return bool(found)

    assert processes.wait_until(arrived, 20.0), (installed.folder / "log").read_text()
    return found[0]


def test_everything_is_in_its_place(installed: Installed) -> None:
    """Commands, daemons, pages, configuration; and neither the home folder nor the checkout got anything."""
    prefix = installed.prefix
    assert sorted(path.name for path in prefix.iterdir()) == ["etc", "lib", "libexec", "sbin", "share", "var"]
    assert sorted(path.name for path in (prefix / "lib").iterdir()) == ["pyfix"]
    assert sorted(path.name for path in (prefix / "sbin").iterdir()) == sorted(COMMANDS)
    assert sorted(path.name for path in (prefix / "libexec/postfix").iterdir()) == sorted(DAEMONS)
    pages = sorted(path.name for path in CHECKOUT.glob("man/man*/*"))
    assert sorted(path.name for path in prefix.glob("share/man/man*/*")) == pages
    assert sorted(path.name for path in installed.configuration.iterdir()) == [
        "aliases",
        "aliases.db",
        "main.cf",
        "main.cf.proto",
        "master.cf",
        "master.cf.proto",
    ]
    # pip asks a Rust compiler for its version where there is one, and rustup's makes this folder.
    assert {path.name for path in (installed.folder / "home").iterdir()} <= {".rustup"}
    assert list((installed.folder / "tmp").iterdir()) == []
    warnings = re.findall(r"pyfix: warning: (.*)", installed.said)
    assert len(warnings) == (0 if installed.user == 0 else 2), warnings


def test_owners_and_modes(installed: Installed) -> None:
    """Programs and configuration belong to who installed them; nobody else may change anything."""
    for path in (installed.prefix, *installed.prefix.rglob("*")):
        if path.is_symlink() or path.is_relative_to(installed.prefix / "var"):
            continue
        status = path.stat()
        assert status.st_uid == installed.user, path
        assert not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH), path
        assert status.st_mode & stat.S_IROTH or "sbin" in path.parts, path
        set_gid = installed.user == 0 and path.parent == installed.prefix / "sbin" and path.name in SET_GID_COMMANDS
        assert bool(status.st_mode & stat.S_ISGID) == set_gid, path
        assert not status.st_mode & stat.S_ISUID, path
    assert installed.ran("postfix", "check") == ""


def test_owners_and_modes_are_those_of_the_reference(installed: Installed) -> None:
    """What the reference's list for set-permissions says of each file that both have."""
    if installed.user != 0:
        return  # without root all is its owner's, as the test before this one sees
    requirements.need_reference()
    table = reference().root / "usr/share/postfix/postfix-files"
    checked = check_against(table, installed)
    assert len(checked) > 50
    for path in (installed.prefix / "var/spool/postfix/active", installed.prefix / "sbin/postdrop"):
        os.chown(path, 0, 0)
        path.chmod(0o777)
    assert installed.run("postfix", "check").stderr.count("warning") >= 3
    installed.ran("postfix", "set-permissions")
    assert check_against(table, installed) == checked


def check_against(table: Path, installed: Installed) -> list[str]:
    """Compare owners, groups and modes with the table's; return what was compared."""
    prefix = installed.prefix
    places = {
        "config_directory": installed.configuration,
        "data_directory": prefix / "var/lib/postfix",
        "daemon_directory": prefix / "libexec/postfix",
        "command_directory": prefix / "sbin",
        "queue_directory": prefix / "var/spool/postfix",
        "sendmail_path": prefix / "sbin/sendmail",
        "manpage_directory": prefix / "share/man",
    }
    checked: list[str] = []
    for line in table.read_text().splitlines():
        name, kind, *rest = f"{line}:::::".split(":")
        if kind not in ("f", "d") or "o" in rest[3]:
            continue
        variable, slash, below = name.removeprefix("$").partition("/")
        if variable not in places:
            continue
        path = Path(f"{places[variable]}{slash}{below}")
        if not path.exists():
            continue
        status = path.stat()
        owner, group, mode = rest[:3]
        assert path.owner() == {"$mail_owner": "postfix"}.get(owner, owner), path
        if group != "-":
            assert path.group() == "postdrop", path
        assert f"{stat.S_IMODE(status.st_mode):o}" == mode, path
        checked.append(name)
    return checked


def test_mail(running: Installed, port: int) -> None:
    """By SMTP and by sendmail, with no environment; nobody changes uid where there is no root."""
    installed = running
    name = pwd.getpwuid(installed.user or NOBODY).pw_name
    with smtplib.SMTP("127.0.0.1", port, "localhost", timeout=20) as client:
        client.sendmail("sender@localhost", [f"{name}@localhost"], "Subject: by SMTP\n\nHello.\n")
    path = mailbox(installed, name, "Subject: by SMTP")
    assert path.stat().st_uid == (NOBODY if installed.user == 0 else installed.user)
    author = NOBODY if installed.user == 0 else installed.user
    done = installed.run("sendmail", f"{name}@localhost", user=author, text="Subject: by sendmail\n\nHello.\n")
    assert (done.returncode, done.stderr) == (0, ""), done
    mailbox(installed, name, "Subject: by sendmail")
    assert processes.wait_until(lambda: installed.ran("mailq") == "Mail queue is empty\n", 10.0)
    done = installed.run("postlog", "-t", "postfix/note", "from a user", user=author)
    assert (done.returncode, done.stderr) == (0, "postfix/postlog: from a user\n")
    log = installed.folder / "log"
    assert processes.wait_until(lambda: "from a user" in log.read_text(), 10.0)
    users = {os.stat(f"/proc/{pid}").st_uid for pid in processes.pids_inside(installed.prefix)}
    assert users == ({installed.user} if installed.user else {0, pwd.getpwnam("postfix").pw_uid})
    assert not _COMPLAINT.search(log.read_text())


def test_another_configuration(running: Installed) -> None:
    """-c and MAIL_CONFIG name it, and the folders are those that it names."""
    installed = running
    other = installed.folder / "other"
    etc = other / "etc"
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(installed.configuration, etc)
    (other / "spool").mkdir()
    shutil.copytree(installed.prefix / "libexec/postfix", other / "libexec")
    changes = {
        "queue_directory": other / "spool",
        "data_directory": other / "data",
        "daemon_directory": other / "libexec",
        "maillog_file": other / "log",
    }
    if os.getuid() == 0:
        for path in (other, *other.rglob("*")):
            os.chown(path, installed.user, -1)
    installed.ran("postconf", "-c", str(etc), *(f"{name}={value}" for name, value in changes.items()))
    installed.ran("postconf", "-c", str(etc), "-MX", smtp_service(etc))
    try:
        installed.ran("postfix", "-c", str(etc), "start")
        assert (other / "spool/pid/master.pid").exists() and (other / "data/master.lock").exists()
        said = installed.run("postfix", "status", MAIL_CONFIG=str(etc)).stderr
        master = re.search(r"is running: PID: (\d+)\n", said)
        assert master, said
        assert str(other / "libexec/master") in processes.command_line(int(master[1]))
        name = pwd.getpwuid(installed.user or NOBODY).pw_name
        installed.ran("sendmail", f"{name}@localhost", text="Subject: elsewhere\n\n.\n", MAIL_CONFIG=str(etc))
        mailbox(installed, name, "Subject: elsewhere")
        log = other / "log"
        assert processes.wait_until(lambda: f"to=<{name}@localhost>" in log.read_text(), 10.0)
    finally:
        stopped = installed.run("postfix", "stop", MAIL_CONFIG=str(etc))
    assert stopped.returncode == 0, stopped
    assert "is running" in installed.run("postfix", "status").stderr


def test_a_strangers_configuration(installed: Installed) -> None:
    """The set-gid commands do nothing that a main.cf of somebody else says."""
    if installed.user != 0:
        assert not any((installed.prefix / "sbin" / name).stat().st_mode & stat.S_ISGID for name in SET_GID_COMMANDS)
        return
    evil = installed.folder / "evil"
    evil.mkdir()
    (evil / "main.cf").write_text(f"queue_directory = {evil}\n")
    for name, status, arguments in (("postqueue", 69, ["-p"]), ("postdrop", 1, []), ("postlog", 1, ["text"])):
        for options, environment in ((["-c", str(evil)], {}), ([], {"MAIL_CONFIG": str(evil)})):
            done = installed.run(name, *options, *arguments, user=NOBODY, **environment)
            assert done.returncode == status, done
            assert f"error: unauthorized configuration directory name: {evil}\n" in done.stderr
            assert f'fatal: specify "alternate_config_directories = {evil}" or "multi_instance' in done.stderr


def test_privileged_ports(installed: Installed) -> None:
    """Without root port 25 is refused, with the reason, and nothing stays behind."""
    if installed.user == 0:
        return
    master = installed.configuration / "master.cf"
    old = master.read_text()
    try:
        master.write_text(re.sub(r"(?m)^[^#\s]\S*(?=\s+inet\s)", "25", old))
        done = installed.run("postfix", "start")
        assert done.returncode == 1
        assert re.search(r"fatal: bind \S+ port 25: .*without root, a port must be above 1023", done.stderr), done
        assert processes.wait_until(lambda: not processes.pids_inside(installed.folder), 10.0)
    finally:
        master.write_text(old)


def test_again_over_it(installed: Installed) -> None:
    """A second installation renews the programs and leaves configuration, queue and modes alone."""
    etc = installed.configuration
    main = etc / "main.cf"
    main.write_text(f"{main.read_text()}# mine\n")
    kept = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in etc.iterdir()}
    queued = installed.prefix / "var/spool/postfix/hold/zzzz1"  # not the name of a message
    queued.touch()
    command = installed.prefix / "sbin/postcat"
    command.write_text("#!/bin/sh\nexit 99\n")
    done = make(installed.folder, installed.user, "install", f"PREFIX={installed.prefix}")
    assert done.returncode == 0, done.stdout
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in etc.iterdir()} == kept
    assert queued.exists()
    queued.unlink()
    assert "pyfix.launch" in command.read_text()
    test_owners_and_modes(installed)


def test_wrong_prefixes(tmp_path: Path) -> None:
    for word, complaint in (("", "usage: make install PREFIX=DIR"), ("a", "absolute path"), (f"{tmp_path}/a b", "blanks")):
        done = subprocess.run(
            ["make", "-s", "-C", str(CHECKOUT), "install", f"PREFIX={word}"], capture_output=True, text=True, check=False
        )
        assert done.returncode != 0 and complaint in done.stderr, done
    assert list(tmp_path.iterdir()) == []
