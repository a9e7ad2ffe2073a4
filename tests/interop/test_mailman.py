"""Debian's mailman3 behind both mail systems, as its README.Debian sets Postfix up.

mailman makes postfix_lmtp and postfix_domains whenever a list is made, and calls ``postmap path`` for each, without a type;
the mail system takes recipients by them and hands mail to mailman's LMTP runner.  One list is a real one, with members
and the runners behind that: in, pipeline, out, which sends by SMTP, and bounces.  Source: README.Debian of mailman3.
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
smtp_host: 127.0.0.1
smtp_port: {smtp}
configuration: {base}/postfix.cfg
[runner.bounces]
sleep_time: 1s
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
        (self.base / "mailman.cfg").write_text(SETTINGS.format(base=self.base, port=self.port, smtp=mta.port))
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
        return self._call("create", name)

    def add_members(self, name: str, *addresses: str) -> None:
        """Let a list have members, who are not asked."""
        self._call("addmembers", "-W", "-", name, text="".join(f"{address}\n" for address in addresses))

    def _call(self, *words: str, text: str = "") -> str:
        done = subprocess.run(
            self._argv("mailman", *words), env=self._environment, cwd="/", input=text, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done
        return done.stdout + done.stderr

    @contextmanager
    def running(self, *names: str) -> Iterator[None]:
        """Let runners run, one of them that of LMTP."""
        started = [
            subprocess.Popen(
                self._argv(RUNNER, "-r", f"{name}:0:1"), env=self._environment, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for name in names
        ]
        try:
            assert processes.wait_until(self._answers, 60), [process.poll() for process in started]
            yield
        finally:
            for process in started:  # each takes seconds to end
                process.terminate()
            for process in started:
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

    def log(self, name: str) -> list[str]:
        """Return the lines of one of its logs, without times and processes."""
        path = self.base / "var/logs" / name
        return [re.sub(r"^.*?\(\d+\) ", "", line) for line in path.read_text().splitlines()] if path.exists() else []

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
            with mailman.running("lmtp"):
                mta.settle()
                recipients = [f"RCPT TO:<{recipient}>" for recipient in RECIPIENTS]
                mta.dialogue("EHLO c", "MAIL FROM:<a@b.example>", *recipients, "DATA", MESSAGE, "QUIT")
                mta.wait_until_empty()
            mta.transcript += mailman.queued()
        found = [match[1] for line in mta.log_lines() if (match := re.search(r"/lmtp\[\d+\]: \w+: (to=<.*)", line))]
        mta.transcript += sorted(re.sub(r"delays?=[\d./]+", "", line.replace(f":{mailman.port}", ":PORT")) for line in found)
        assert len(found) >= 10 and all("status=sent" in line for line in found), found

    parity(case, main=MAIN, fresh=True)


POST = """\
From: User <user@ours.example>
To: team@mail.ours.example
Subject: to the list
Message-ID: <post@ours.example>
Date: Mon, 1 Jan 2024 10:00:00 +0000

Hello, list.
"""
LIST_MAIN = MAIN | {
    "mynetworks": "127.0.0.0/8",
    "alias_maps": 'inline:{ {gone = "|exit 67"} }',
    "local_recipient_maps": f"$alias_maps {DATA}/postfix_lmtp",
}
MEMBERS = ("user@ours.example", "second@ours.example", "mbox@ours.example", "gone@mail.ours.example")
_MADE = re.compile(rb"(?m)^(?:Received|Date|Message-ID|X-Message-ID-Hash|X-MailFrom):.*\n(?:[ \t].*\n)*")


@pytest.mark.timeout(600)
def test_a_list(parity: Parity) -> None:
    """A member's post comes to the members by mailman's SMTP; the notice of the one who is gone comes back, and mailman reads it."""
    need_program("mailman", "mailman3")

    def case(mta: Instance) -> None:
        mailman = Mailman(mta)
        mailman.create("team@mail.ours.example")
        mailman.add_members("team@mail.ours.example", *MEMBERS)
        mta.settle()
        with mailman.running("lmtp", "in", "pipeline", "out", "bounces"):
            mta.send_message("team@mail.ours.example", POST, sender="user@ours.example")
            # To mailman, to each member, and the notice to mailman again.
            mta.wait_for_log(r"/qmgr\[\d+\]: \w+: removed", count=3, seconds=120)
            assert processes.wait_until(lambda: any("bounce score" in line for line in mailman.log("bounce.log")), 60), mailman.log("bounce.log")
        mta.wait_until_empty()
        mta.transcript += mailman.log("bounce.log")
        for mailbox, messages in sorted(mta.deliveries().items()):
            for message in messages:
                assert b"Hello, list." in message and b"List-Id: " in message, message
                mta.transcript += [mailbox, *_MADE.sub(b"", message).decode().splitlines()]
        for agent in ("lmtp", "virtual", "local"):
            found = [match[1] for line in mta.log_lines() if (match := re.search(rf"/{agent}\[\d+\]: \w+: (to=<.*)", line))]
            mta.transcript += sorted(re.sub(r"delays?=[\d./]+", "", line.replace(f":{mailman.port}", ":PORT")) for line in found)
        mta.transcript += [line for line in mailman.queued() if not line.endswith(": 0")]

    seen = parity(case, main=LIST_MAIN, fresh=True)
    assert [line for line in seen.transcript if line.startswith("Member ")] == [
        "Member gone@mail.ours.example on list team.mail.ours.example, bounce score = 1."
    ]
    assert sum("status=sent" in line for line in seen.transcript) == 5
