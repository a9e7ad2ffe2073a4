"""What local(8) writes into mailboxes, whom it tells, and where it stops: both agents do the same.

Source: local(8); postconf(5) prepend_delivered_header, mailbox_size_limit, mailbox_delivery_lock, home_mailbox, biff.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"local": "pyfix"}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "deliver_lock_attempts": "1",
    "message_size_limit": "30000",
    "mailbox_size_limit": "30000",
}
USERS = {name: getpwnam(name) for name in ("games", "daemon", "news", "uucp")}


def _deliver(mta: Instance, recipients: str | list[str], content: str | bytes = "Subject: x\n\nx\n", sender: str = "") -> None:
    queue_id = mta.send_message(recipients, content, sender)
    mta.wait_for_log(rf"{queue_id}: to=<", count=1 if isinstance(recipients, str) else len(recipients))


CONTENTS = [
    b"Subject: x\n\nFrom me\n>From you\nFrom\nfrom x\n From y\nFrom: z\n\n\nFrom last\n",
    b"\nFrom at once\n",
    b"Subject: long\n\n" + b"x" * 2048 + b"From in the line\n" + b"y" * 2047 + b"\nFrom x\n" + b"z" * 5000 + b"\n",
    b"Subject: nul\n\na\0b\n\0\nFrom \0\n\0From\n",
    b"Subject: controls\n\na\rb\n\x01\xff\xfe\n\n\n",
    b"From x@y Thu Jan  1 00:00:00 1970\nSubject: a mailbox\n\nx\n",
    b"Return-Path: <a@b>\nDelivered-To: b@c\nX-Original-To: d@e\nSubject: x\n\nx\n",
    b"Subject: empty\n\n",
]
SENDERS = ["", "s@x.example", '"a b"@x.example', '"a\\"b"@x.example', "MAILER-DAEMON@x.example", "a+b=c/d@x.example"]


def test_contents_and_senders(exchanged: Parity) -> None:
    """The From line, lines that look like one, and bytes that are rare in mail."""

    def case(mta: Instance) -> None:
        for content in CONTENTS:
            _deliver(mta, "games@localhost", content, "s@x.example")
        for sender in SENDERS:
            _deliver(mta, "Games+Ext@localhost", sender=sender)
        mta.wait_until_empty()

    exchanged(case, main=MAIN, replace=OURS, logs="local", deliveries=True)


@pytest.mark.parametrize("content", ["x", "Subject: x\n\nFrom no newline", "Subject: x\n\n", ""])
def test_without_a_last_newline(exchanged: Parity, content: str) -> None:
    """Mail of local programs and of BDAT need not end with one."""

    def case(mta: Instance) -> None:
        mta.run("sendmail", "-f", "s@x.example", "games@localhost", input=content.encode())
        mta.wait_for_log("to=<games@localhost>.*status=sent")
        data = content.replace("\n", "\r\n")
        chunk = f"BDAT {len(data)} LAST\r\n{data}"
        mta.dialogue("EHLO c", "MAIL FROM:<s@x.example>", "RCPT TO:<games@localhost>", chunk.encode(), "QUIT", client="127.0.0.2")
        mta.wait_for_log("to=<games@localhost>.*status=sent", count=2)

    exchanged(case, main=MAIN, replace=OURS, logs="local", deliveries=True, fresh=True)


@pytest.mark.parametrize("where", ["", "command", "file", "forward", "command, forward", "file forward", "bogus, file", "File command"])
def test_where_delivered_to_is_added(exchanged: Parity, where: str) -> None:
    """postconf(5) prepend_delivered_header."""

    def case(mta: Instance) -> str:
        if where in ("bogus, file", "File command"):
            mta.send_message("games@localhost")
            return mta.wait_for_log(r"local\[\d+\]: (fatal: .*)")[1]
        _deliver(mta, ["games@localhost", "list@localhost"], sender="s@x.example")
        mta.wait_until_empty()
        return ""

    main = {**MAIN, "prepend_delivered_header": where, "alias_maps": "texthash:{dir}/etc/aliases"}
    files = {"aliases": "list user@ours.example\n"}
    exchanged(case, main=main, files=files, replace=OURS, deliveries=True, fresh=True)


def test_a_full_mailbox(exchanged: Parity) -> None:
    """postconf(5) mailbox_size_limit, reached exactly and by one byte too many."""

    def case(mta: Instance) -> list[int]:
        box = mta.directory / "localmail/games"
        _deliver(mta, "games@localhost")
        size = box.stat().st_size
        sizes = []
        for room in (size, size - 1, size + 1, size - 2, 0, 1):
            box.write_bytes(b"z" * (30000 - room - 1) + b"\n")
            _deliver(mta, "games@localhost")
            sizes.append(box.stat().st_size)
        return sizes

    exchanged(case, main=MAIN, replace=OURS, logs="local", deliveries=True)


@contextmanager
def held(box: Path, how: str) -> Iterator[None]:
    """Hold a lock of a mailbox, as another program would."""
    if how == "dotlock":
        Path(f"{box}.lock").write_text("")
        yield
        return
    with box.open("r+") as holder:
        (fcntl.lockf if how == "fcntl" else fcntl.flock)(holder, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize(
    "locks", ["fcntl", "flock", "dotlock", "fcntl, dotlock", "flock, fcntl", "flock, dotlock", "fcntl, flock, dotlock"]
)
def test_locks(exchanged: Parity, locks: str) -> None:
    """postconf(5) mailbox_delivery_lock, with a lock that somebody else holds."""

    def case(mta: Instance) -> list[str]:
        folder = mta.directory / "localmail"
        for user, how in (("games", "fcntl"), ("daemon", "flock"), ("news", "dotlock")):
            box = folder / user
            box.write_text("")
            os.chown(box, USERS[user].pw_uid, USERS[user].pw_gid)
            with held(box, how):
                _deliver(mta, f"{user}@localhost")
        return sorted(path.name for path in folder.iterdir())

    exchanged(case, main={**MAIN, "mailbox_delivery_lock": locks}, replace=OURS, logs="local", deliveries=True)


def test_lock_files_of_the_past(exchanged: Parity) -> None:
    """postconf(5) stale_lock_time: how long ago the lock file changed last, whatever time it shows."""

    def case(mta: Instance) -> list[str]:
        folder = mta.directory / "localmail"
        for user, age in (("games", 0), ("daemon", 100_000), ("news", -100_000)):
            lock = folder / f"{user}.lock"
            lock.write_text("")
            when = lock.stat().st_mtime - age
            os.utime(lock, (when, when))
            _deliver(mta, f"{user}@localhost")
        return sorted(path.name for path in folder.iterdir())

    exchanged(case, main={**MAIN, "stale_lock_time": "500s"}, replace=OURS, logs="local", deliveries=True)


@pytest.mark.parametrize(
    "home_mailbox",
    ["Maildir/", "mbox", "no/such/folder/", "no/such/mbox", "/absolute/", "../up/", ".", "/", "//x//", "a b/", "Mail/./x"],
)
def test_mailboxes_at_home(exchanged: Parity, home_mailbox: str) -> None:
    """postconf(5) home_mailbox; users without a home, and one whose home is closed."""

    def case(mta: Instance) -> list[str]:
        said = []
        for user in ("nobody", "uucp"):
            _deliver(mta, f"{user}@localhost")
            line = mta.wait_for_log(rf"to=<{user}@localhost>.*(dsn=.*)")[1]
            said.append(re.sub(r"(maildir file .*/tmp/)\S+", r"\1FILE", line))
        return said

    exchanged(case, main={**MAIN, "home_mailbox": home_mailbox}, replace=OURS)


@pytest.mark.parametrize("owner", ["root", "games"])
@pytest.mark.parametrize("exists", [False, True])
def test_a_mailbox_in_a_folder_that_is_closed(exchanged: Parity, owner: str, exists: bool) -> None:
    """A lock file that cannot be made."""

    def case(mta: Instance) -> list[str]:
        folder = mta.directory / "mail" / "closed"
        folder.mkdir(mode=0o555)
        if exists:
            (folder / "box").write_text("")
            os.chown(folder / "box", getpwnam(owner).pw_uid, -1)
        _deliver(mta, "games@localhost")
        return sorted(path.name for path in folder.iterdir())

    main = {**MAIN, "home_mailbox": "../..{dir}/mail/closed/box"}
    exchanged(case, main=main, replace=OURS, logs="local", deliveries=True)


def _bound(comsat: socket.socket) -> bool:
    try:
        comsat.bind(("127.0.0.1", socket.getservbyname("biff", "udp")))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


@pytest.mark.parametrize("biff", ["yes", "no"])
def test_comsat(exchanged: Parity, biff: str) -> None:
    """postconf(5) biff."""

    def case(mta: Instance) -> list[bytes]:
        found = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as comsat:
            assert wait_until(lambda: _bound(comsat), 60.0)  # another test may have the port for a while
            comsat.setblocking(False)
            for name in ("games", "games", "nosuchuser", "Daemon+x"):
                _deliver(mta, f"{name}@localhost")
            mta.wait_until_empty()
            mta.settle()
            try:
                while True:
                    found.append(comsat.recv(1000))
            except BlockingIOError:
                return found

    try:
        socket.getservbyname("biff", "udp")
    except OSError:
        requirements.missing("this machine knows no port of biff")
    exchanged(case, main={**MAIN, "biff": biff}, replace=OURS, deliveries=True)

