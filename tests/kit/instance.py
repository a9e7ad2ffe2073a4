"""A private mail system of either side, with single programs of the other side in it if wanted.

    with Instance("reference", replace={"smtpd": "pyfix"}) as mta:
        mta.start()
        replies = mta.dialogue("HELO client.example", "QUIT")

What an instance has without asking: smtpd on a free port of 127.0.0.1, where only the client address TRUSTED may
relay; a virtual mailbox domain ``ours.example`` in which ``user@`` has a Maildir and ``mbox@`` a mailbox file; local
delivery for ``mail.ours.example``; no DNS.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from grp import getgrnam
from pathlib import Path
from pwd import getpwnam
from typing import Any, Self

from . import accounts as own_accounts
from . import guardian, processes, programs, services, smtp, spool
from .ports import ReservedPort
from .reference import RELEASES
from .writing import write_at_once

STRANGER = "127.0.0.1"
"""A client address outside mynetworks."""
TRUSTED = "127.0.0.2"
"""The client address inside mynetworks."""

MAILBOX_OWNER = 65534
"""Owner and group of the virtual mailboxes: nobody's."""

_MAILBOXES = """\
user@ours.example user/
second@ours.example second/
mbox@ours.example mbox
"""


class NotStarted(Exception):
    """The instance did not come up; the text has the end of its log."""


FOLDER_VARIABLE = "PYFIX_TEST_FOLDER"
"""Environment variable that names the folder of instances, instead of that of all temporary files."""


class Instance:
    """One private mail system, in a folder of its own that goes with it."""

    def __init__(
        self,
        kind: str = "pyfix",
        main: Mapping[str, str] | None = None,
        master: str | Mapping[str, str | None] | None = None,
        replace: Mapping[str, str] | None = None,
        files: Mapping[str, str | bytes] | None = None,
        user: int | None = None,
        accounts: Sequence[str] = (),
        mounts: Mapping[str, str] | None = None,
    ) -> None:
        """Lay the instance out; nothing runs yet.

        *kind* is ``pyfix``, ``reference`` (3.11) or ``reference37``.  *main* adds to or changes main.cf.  *master* is a
        whole master.cf, or changes by service name to the standard one (a full line, or None to leave the service out);
        ``{port}`` in it stands for the port of smtpd.  *replace* names programs to take from another side: ``{"smtpd":
        "pyfix"}``.  *files* are written into the configuration folder.  In values of *main*, ``{dir}`` stands for the
        instance's folder.  *mounts*: files that the mail system (not commands) sees in the place of others, as in
        ``{"/etc/resolv.conf": path}``; see ``tests.kit.dnsworld``.  *accounts* are users that only this instance knows
        (see ``accounts``).  With *user* (an id) the whole instance belongs to that user, who starts it: the way without
        root.  Raises ReferenceMissing or ProgramsMissing where a side can't run.
        """
        self.kind = kind
        self.user = user
        self._mounts = dict(mounts or {})
        self.replaced = dict(replace or {})
        self._port = ReservedPort()
        self.host, self.port = "127.0.0.1", self._port.number
        self._more_ports: list[ReservedPort] = []
        self.directory = Path(tempfile.mkdtemp(prefix="pyfix-", dir=os.environ.get(FOLDER_VARIABLE)))
        guardian.watch(self.directory)
        self.directory.chmod(0o755)
        self.config_directory = self.directory / "etc"
        self.queue_directory = self.directory / "spool"
        self.data_directory = self.directory / "data"
        self.mail_directory = self.directory / "mail"
        self.log_path = self.directory / "log" / "maillog"
        self.transcript: list[str] = []
        self.log_start = 0
        try:
            if self.replaced:
                self._programs = programs.mix(self.directory, kind, self.replaced)
            else:
                self._programs = programs.settings(kind)
            self._lay_out()
            if accounts:
                self._mounts["/etc/passwd"] = str(own_accounts.lay_out(self.directory, accounts))
            self.main: dict[str, str] = {**self._standard_main(), **(main or {})}
            for name, content in {"mailboxes": _MAILBOXES, **(files or {})}.items():
                self.write(name, content)
            self.write_main()
            text = master if isinstance(master, str) else services.edited(services.STANDARD, dict(master or {}))
            self.write("master.cf", text.replace("{port}", str(self.port)).replace("{dir}", str(self.directory)))
        except BaseException:
            self.remove()
            raise

    # -- layout ---------------------------------------------------------------------------------------------------

    def _standard_main(self) -> dict[str, str]:
        release = RELEASES.get(self.kind, RELEASES["reference"])
        return {
            **self._programs,
            "compatibility_level": release.compatibility_level,
            "queue_directory": str(self.queue_directory),
            "data_directory": str(self.data_directory),
            "maillog_file": str(self.log_path),
            "maillog_file_prefixes": str(self.directory),
            "myhostname": "mail.ours.example",
            "mydomain": "ours.example",
            "mydestination": "$myhostname, localhost.$mydomain, localhost",
            "mynetworks": f"{TRUSTED}/32",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "virtual_mailbox_domains": "ours.example",
            "virtual_mailbox_maps": f"texthash:{self.config_directory}/mailboxes",
            "virtual_mailbox_base": str(self.mail_directory),
            "virtual_uid_maps": f"static:{MAILBOX_OWNER}",
            "virtual_gid_maps": f"static:{MAILBOX_OWNER}",
            "mail_spool_directory": str(self.directory / "localmail"),
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "relay_domains": "relay.example",
            "smtpd_peername_lookup": "no",
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "default_database_type": "texthash",
            "biff": "no",
        }

    def _lay_out(self) -> None:
        root = os.getuid() == 0 and self.user is None
        owner = getpwnam("postfix") if root else None
        self.config_directory.mkdir()
        self.log_path.parent.mkdir()
        localmail = self.directory / "localmail"
        localmail.mkdir()
        localmail.chmod(0o1777)
        self.mail_directory.mkdir()
        self.queue_directory.mkdir()
        self.data_directory.mkdir(mode=0o700)
        group = getgrnam("postdrop").gr_gid if root else -1
        for name, mode in spool.DIRECTORIES.items():
            folder = self.queue_directory / name
            folder.mkdir()
            folder.chmod(mode)
            if owner is not None and name != "pid":
                os.chown(folder, owner.pw_uid, group if name in spool.SET_GID_DIRECTORIES else -1)
        if owner is not None:
            os.chown(self.data_directory, owner.pw_uid, -1)
            os.chown(self.mail_directory, MAILBOX_OWNER, MAILBOX_OWNER)
        if self.user is not None:
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, self.user, self.user)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file into the configuration folder (mode 644; a script 755) and return its path."""
        path = self.config_directory / name
        if isinstance(content, str):
            content = content.replace("{dir}", str(self.directory)).encode("utf-8", "surrogateescape")
        # A file changed within the last seconds is read again until it is older; a second more shows a change.
        changed = path.stat().st_mtime + 1 if path.exists() else time.time() - 3600
        write_at_once(path, content, mode=0o755 if content.startswith(b"#!") else 0o644, changed=changed)
        return path

    def write_main(self, **changes: str) -> None:
        """Write main.cf again with *changes*; a running instance sees them after ``reload``."""
        self.main |= changes
        text = "".join(f"{name} = {value}\n" for name, value in self.main.items())
        self.write("main.cf", text)

    def another_port(self) -> int:
        """Reserve one more port of 127.0.0.1 for as long as the instance lives."""
        self._more_ports.append(ReservedPort())
        return self._more_ports[-1].number

    def remove(self) -> None:
        """Delete the instance's folder and free its ports."""
        shutil.rmtree(self.directory, ignore_errors=True)
        for port in (self._port, *self._more_ports):
            port.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.kill()
        finally:
            self.remove()

    # -- running --------------------------------------------------------------------------------------------------

    @property
    def daemon_directory(self) -> Path:
        """The folder that master takes programs from."""
        return Path(self._programs["daemon_directory"])

    @property
    def command_directory(self) -> Path:
        """The folder of the commands."""
        return Path(self._programs["command_directory"])

    @property
    def environment(self) -> dict[str, str]:
        """What commands get: this instance's configuration, and nothing of the caller's but PATH."""
        return {
            "MAIL_CONFIG": str(self.config_directory),
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C",
            "TZ": "UTC",
        }

    def start(self, *, command: bool = False, seconds: float = 20.0) -> Self:
        """Start the mail system and wait until it answers.

        Runs ``master -w`` itself, which is quick; with *command* ``postfix start``, with all its checks.
        Raises NotStarted.
        """
        if command:
            argv = [str(self.command_directory / "postfix"), "-c", str(self.config_directory), "start"]
        else:
            argv = [str(self.daemon_directory / "master"), "-c", str(self.config_directory), "-w"]
        try:
            done = subprocess.run(
                [*self.namespace(), *argv],
                env=self.environment,
                cwd="/",
                capture_output=True,
                text=True,
                timeout=seconds,
                **self._identity(self.user),
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as slow:
            raise NotStarted(f"{argv[0]} did not return in {seconds} s\n{slow.stderr!r}\n{self._log_tail()}") from None
        if done.returncode != 0 or not processes.wait_until(self.is_running, seconds):
            raise NotStarted(f"{argv[0]} returned {done.returncode}\n{done.stdout}{done.stderr}\n{self._log_tail()}")
        # A fork of the real master that is not yet the daemon that it shall be lets a signal wait for a long time.
        processes.wait_until(lambda: len(self.pids_of("master")) <= 1, 2.0)
        return self

    def namespace(self) -> list[str]:
        """What stands before a command so that it sees other files: those of _mounts."""
        if not self._mounts:
            return []
        script = "".join(f"mount --bind '{ours}' '{place}' && " for place, ours in self._mounts.items())
        return ["unshare", "--mount", "sh", "-c", f'{script}exec "$@"', "sh"]

    def _identity(self, user: int | None) -> dict[str, Any]:
        """The arguments of subprocess.run that make it run as *user*; None: as we are."""
        return {} if user is None else {"user": user, "group": user, "extra_groups": []}

    def _log_tail(self) -> str:
        return "\n".join(self.log_lines(whole=True)[-30:])

    @property
    def master_pid(self) -> int | None:
        """The process id in master.pid, whether it runs or not."""
        try:
            return int((self.queue_directory / "pid/master.pid").read_text())
        except (OSError, ValueError):
            return None

    def is_running(self) -> bool:
        """Tell whether master runs."""
        pid = self.master_pid
        return pid is not None and processes.is_running(pid)

    def pids(self) -> list[int]:
        """Return the ids of all processes of the instance."""
        return processes.pids_inside(self.directory)

    def pids_of(self, program: str) -> list[int]:
        """Return the ids of the processes that run a program of daemon_directory, by its name."""
        return [pid for pid in self.pids() if processes.program_name(pid) == program]

    def stop(self, seconds: float = 10.0) -> None:
        """Stop the mail system as ``postfix stop`` does and wait until all its processes are gone.

        Raises AssertionError when some stay (they are killed).
        """
        pid = self.master_pid
        if pid is not None and processes.is_running(pid):
            present = self.pids()
            os.kill(pid, signal.SIGTERM)
            processes.wait_until_gone(present, self.pids, seconds)
        if left := self.pids():
            names = [processes.command_line(pid) for pid in left]
            self.kill()
            raise AssertionError(f"processes left after stop: {names}\n{self._log_tail()}")

    def kill(self) -> None:
        """End all processes of the instance, whatever it takes."""
        if (pid := self.master_pid) is not None and pid in (present := self.pids()):
            os.kill(pid, signal.SIGTERM)
            processes.wait_until_gone(present, self.pids, 1.0)
        processes.end(self.pids, 1.0)

    def reload(self) -> None:
        """Make master read its configuration again, and wait until it says so."""
        mark = self.log_mark()
        pid = self.master_pid
        assert pid is not None
        os.kill(pid, signal.SIGHUP)
        self.wait_for_log(r"reload -- version", since=mark)

    def run(
        self,
        command: str,
        *arguments: str | Path,
        input: bytes | None = None,
        user: int | None = None,
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one of the instance's commands, by its name, as *user* (an id; default: the instance's own)."""
        program = self.command_directory / command
        if not program.exists():  # mailq and newaliases stand elsewhere in the reference
            program = Path(self.main.get(f"{command}_path", program))
        side = self.replaced.get(command, self.kind)
        return subprocess.run(
            [program, *arguments],
            input=input,
            env=self.environment | programs.hasty(side),
            cwd="/",
            capture_output=True,
            timeout=timeout,
            **self._identity(self.user if user is None else user),
            check=False,
        )

    # -- log ------------------------------------------------------------------------------------------------------

    def log_mark(self) -> int:
        """Return the present end of the log, for *since* elsewhere."""
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def log_lines(self, since: int | None = None, *, whole: bool = False) -> list[str]:
        """Return the log lines since a mark; by default since the test began, *whole*: since the instance did."""
        if not self.log_path.exists():
            return []
        with self.log_path.open("rb") as log:
            log.seek(0 if whole else self.log_start if since is None else since)
            return log.read().decode("utf-8", "surrogateescape").splitlines()

    def wait_for_log(
        self, pattern: str, seconds: float = 15.0, count: int = 1, since: int | None = None
    ) -> re.Match[str]:
        """Wait for *count* log lines in which *pattern* is found, and return the last of these matches."""
        found: list[re.Match[str]] = []

        def seen() -> bool:
            found[:] = [match for line in self.log_lines(since) if (match := re.search(pattern, line))]
            return len(found) >= count

        if not processes.wait_until(seen, seconds):
            what = f"{len(found)} of {count} log lines with {pattern!r} in {seconds} s"
            raise AssertionError(f"{what}; the log:\n{self._log_tail()}")
        return found[count - 1]

    def settle(self, seconds: float = 10.0) -> None:
        """Wait until all processes wait for something from outside, or for a time: all is done and logged."""
        processes.wait_until_at_rest(self.pids, seconds)

    # -- mail -----------------------------------------------------------------------------------------------------

    def connect(self, client: str = STRANGER, port: int | None = None) -> smtp.Dialogue:
        """Open an SMTP connection from the address *client*."""
        return smtp.Dialogue(self.host, port or self.port, client)

    def dialogue(self, *lines: smtp.Line, client: str = STRANGER, port: int | None = None) -> list[str]:
        """Say the lines one by one and return the reply to each (see ``smtp.Line``); the greeting is not among them.

        What was said and replied is added to the transcript that ``parity`` compares.
        """
        greeting, replies = smtp.dialogue(self.host, port or self.port, lines, client)
        self.transcript += [greeting, *replies]
        return replies

    def send_message(
        self,
        recipients: str | Sequence[str] = "user@ours.example",
        content: str | bytes = "Subject: test\n\nHello.\n",
        sender: str = "sender@client.example",
        client: str = TRUSTED,
    ) -> str:
        """Send a message through SMTP and return its queue id.  Raises AssertionError when it is refused."""
        recipients = [recipients] if isinstance(recipients, str) else recipients
        body = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        rcpt = [f"RCPT TO:<{recipient}>" for recipient in recipients]
        envelope = ["EHLO client.example", f"MAIL FROM:<{sender}>", *rcpt]
        _, replies = smtp.dialogue(self.host, self.port, [*envelope, "DATA", smtp.dot_stuffed(body), "QUIT"], client)
        queued = re.match(r"250 2\.0\.0 Ok: queued as (\w+)", replies[-2])
        assert queued and all(reply[0] in "23" for reply in replies), f"message or recipient refused: {replies}"
        return queued[1]

    def queue(self) -> dict[str, list[str]]:
        """Return the queue ids in each queue that has some, hash folders or not."""
        return spool.listing(self.queue_directory)

    def spool_file(self, queue_id: str) -> Path:
        """Return the path of a queue file.  Raises FileNotFoundError."""
        return spool.find(self.queue_directory, queue_id)

    def wait_until_empty(self, seconds: float = 20.0) -> None:
        """Wait until no queue has a message (held, deferred and maildrop mail too), and all is logged."""
        self._wait_until_left([], seconds)

    def wait_until_only(self, queue_id: str, seconds: float = 20.0) -> None:
        """Wait until no queue has a message but this one, and all is logged."""
        self._wait_until_left([queue_id], seconds)

    def _wait_until_left(self, wanted: list[str], seconds: float) -> None:
        def reached() -> bool:
            return [one for ids in self.queue().values() for one in ids] == wanted

        # Folders are read one after the other: what is made in one already read, by a message in one that is not, is
        # seen by the second look; and the last log line comes after the last file is gone.
        while processes.wait_until(reached, seconds):
            self.settle(2.0)
            if reached():
                return
        raise AssertionError(f"after {seconds} s the queue still has {self.queue()}\n{self._log_tail()}")

    def deliveries(self) -> dict[str, list[bytes]]:
        """Return what was delivered, by mailbox: the messages of a Maildir in order of arrival, or the whole file."""
        return spool.deliveries(self.mail_directory) | spool.deliveries(self.directory / "localmail")

    def forget(self) -> None:
        """Begin a new test in a running instance: empty queue and mailboxes, log and transcript start here."""
        for queue_id in [queue_id for ids in self.queue().values() for queue_id in ids]:
            with suppress(FileNotFoundError):  # a message that was just being delivered
                spool.find(self.queue_directory, queue_id).unlink()
        for name in ("defer", "bounce", "trace", "flush"):
            for path in [path for path in (self.queue_directory / name).rglob("*") if path.is_file()]:
                path.unlink(missing_ok=True)
        for folder in (self.mail_directory, self.directory / "localmail"):
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.transcript.clear()
        self.log_start = self.log_mark()
