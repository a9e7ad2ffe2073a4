"""Debian's mailman3 behind both mail systems, as its README.Debian sets Postfix up.

mailman makes postfix_lmtp and postfix_domains whenever a list is made, and calls ``postmap path`` for each, without a type;
the mail system takes recipients by them and hands mail to mailman's LMTP runner.  What the runner puts into mailman's own
queue is compared; the runners behind it (they send by plain SMTP) do not run here.  Source: README.Debian of mailman3.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import processes
from tests.kit.dovecot import need_program
from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

RUNNER = "/usr/lib/mailman3/bin/runner"
SETTINGS = """\
[mailman]
site_owner: postmaster@localhost
layout: test
[paths.test]
var_dir: {base}/var
bin_dir: /usr/lib/mailman3/bin
[database]
url: sqlite:///{base}/mailman.db
[mta]
incoming: mailman.mta.postfix.LMTP
lmtp_host: 127.0.0.1
lmtp_port: {port}
configuration: {base}/postfix.cfg
"""
POSTFIX = "[postfix]\npostmap_command: {postmap}\ntransport_file_type: hash\n"
DATA = "hash:{dir}/mailman/var/data"
MAIN = {
    "default_database_type": "hash",
    "recipient_delimiter": "+",
    "unknown_local_recipient_reject_code": "550",
    "owner_request_special": "no",
    "transport_maps": f"{DATA}/postfix_lmtp",
    "local_recipient_maps": f"proxy:unix:passwd.byname $alias_maps {DATA}/postfix_lmtp",
    "relay_domains": f"${{{{$compatibility_level}} < {{2}} ? {{$mydestination}} : {{}}}} {DATA}/postfix_domains",
}
RECIPIENTS = (
    "team@mail.ours.example", "TEAM@mail.ours.example", "team-request@mail.ours.example", "team-bounces+user=x.example@mail.ours.example",
    "team-confirm+0123456789abcdef@mail.ours.example", "team-owner@mail.ours.example", "team-nosuch@mail.ours.example", "root@mail.ours.example",
    "list@lists.example", "list-join@lists.example", "x@sub.lists.example",
)  # fmt: skip
MESSAGE = "Subject: x\r\nMessage-ID: <m@b.example>\r\nFrom: a@b.example\r\n\r\nhi\r\n."


class Mailman:
    """An installation of its own, in a folder, as nobody."""

    def __init__(self, mta: Instance) -> None:
        self._mta, self.base, self.port = mta, mta.directory / "mailman", mta.another_port()
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir()
        (self.base / "mailman.cfg").write_text(SETTINGS.format(base=self.base, port=self.port))
        (self.base / "postfix.cfg").write_text(POSTFIX.format(postmap=mta.command_directory / "postmap"))
        for path in (self.base, *self.base.iterdir()):
            shutil.chown(path, MAILBOX_OWNER, MAILBOX_OWNER)

    def _argv(self, program: str, *arguments: str) -> list[str]:
        return ["setpriv", f"--reuid={MAILBOX_OWNER}", f"--regid={MAILBOX_OWNER}", "--clear-groups", program, "-C", str(self.base / "mailman.cfg"), *arguments]

    @property
    def _environment(self) -> dict[str, str]:
        return {**self._mta.environment, "HOME": str(self.base), "LC_ALL": "C.UTF-8"}

    def create(self, name: str) -> str:
        """Make a list, and with it the maps; return what was said."""
        done = subprocess.run(
            self._argv("mailman", "create", name), env=self._environment, cwd="/", capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done
        return done.stdout + done.stderr

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Let the LMTP runner run."""
        process = subprocess.Popen(
            self._argv(RUNNER, "-r", "lmtp:0:1"), env=self._environment, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert processes.wait_until(self._answers, 60), process.poll()
            yield
        finally:
            processes.end_child(process, 30.0)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def maps(self) -> list[str]:
        """Return the lines of the maps, and the names of the files."""
        data: Path = self.base / "var/data"
        lines = [line for name in ("postfix_lmtp", "postfix_domains") for line in (data / name).read_text().splitlines() if line[:1] not in ("", "#")]
        return [*(line.replace(f":{self.port}", ":PORT") for line in lines), *sorted(path.name for path in data.iterdir())]

    def queued(self) -> list[str]:
        """Return how many messages are in each queue of mailman."""
        return [f"{folder.name}: {len(list(folder.iterdir()))}" for folder in sorted((self.base / "var/queue").iterdir())]


def test_lists(parity: Parity) -> None:
    """A list in a domain of local mail, then one in a domain of lists only: who is taken, and where mail goes."""
    need_program("mailman", "mailman3")

    def case(mta: Instance) -> None:
        mailman = Mailman(mta)
        for name in ("team@mail.ours.example", "list@lists.example"):
            said = mailman.create(name)
            assert "error" not in said.lower(), said
            mta.transcript += mailman.maps()
            for key in ("team@mail.ours.example", "lists.example"):
                for table in ("postfix_lmtp", "postfix_domains"):
                    done = mta.run("postmap", "-q", key, mailman.base / "var/data" / table)
                    mta.transcript.append(f"{key} {table} {done.returncode} {done.stdout.decode().replace(str(mailman.port), 'PORT')}")
            with mailman.receiving():
                mta.settle()
                recipients = [f"RCPT TO:<{recipient}>" for recipient in RECIPIENTS]
                mta.dialogue("EHLO c", "MAIL FROM:<a@b.example>", *recipients, "DATA", MESSAGE, "QUIT")
                mta.wait_until_empty()
            mta.transcript += mailman.queued()
        found = [match[1] for line in mta.log_lines() if (match := re.search(r"/lmtp\[\d+\]: \w+: (to=<.*)", line))]
        mta.transcript += sorted(re.sub(r"delays?=[\d./]+", "", line.replace(f":{mailman.port}", ":PORT")) for line in found)
        assert len(found) >= 10 and all("status=sent" in line for line in found), found

    parity(case, main=MAIN, fresh=True)
