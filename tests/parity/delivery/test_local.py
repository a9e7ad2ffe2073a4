"""local(8) under the real master: mailbox files and Maildirs of Unix users.

Source: local(8); postconf(5) mail_spool_directory, home_mailbox; the texts of the reference.
"""

from __future__ import annotations

import os
import re
from pwd import getpwnam

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"local": "pyfix"}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "deliver_lock_attempts": "2",
    "message_size_limit": "9000",
    "mailbox_size_limit": "9000",
}
_MODES = {"world": (0o1777, 0), "group": (0o2775, 8), "root": (0o755, 0)}


@pytest.mark.parametrize("mode", sorted(_MODES))
def test_mailbox_files(exchanged: Parity, mode: str) -> None:
    """Whose rights make the mailbox depends on the folder."""

    def case(mta: Instance) -> object:
        folder = mta.directory / "localmail"
        bits, group = _MODES[mode]
        os.chown(folder, 0, group)
        folder.chmod(bits)
        recipients = ["games@localhost", "DAEMON+Ext@localhost", "root@mail.ours.example"]
        queue_id = mta.send_message(recipients, "Subject: x\n\nFrom me\nhi\n")
        mta.wait_for_log(rf"{queue_id}: removed")
        mta.send_message(recipients[0], "Subject: y\n\nsecond\n")
        mta.wait_until_empty()
        found = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
        return [(name, oct(status.st_mode), status.st_uid, status.st_gid) for name, status in found]

    exchanged(case, main=MAIN, replace=OURS, deliveries=True, fresh=True)


@pytest.mark.parametrize("mode", sorted(_MODES))
@pytest.mark.parametrize("home_mailbox", ["", "mailbox"])
def test_maildirs_in_the_spool(exchanged: Parity, mode: str, home_mailbox: str) -> None:
    """postconf(5) mail_spool_directory with a slash at its end, which also wins over a home_mailbox without one."""

    def case(mta: Instance) -> object:
        folder = mta.directory / "localmail"
        bits, group = _MODES[mode]
        os.chown(folder, 0, group)
        folder.chmod(bits)
        mta.send_message(["games@localhost", "root@localhost"], "Subject: x\n\nFrom me\nhi\n")
        said = [mta.wait_for_log(rf"to=<{name}@localhost>.*(dsn=.*)")[1] for name in ("games", "root")]
        found = [(path, path.stat()) for path in sorted(folder.rglob("*"))]
        return [re.sub(r"/tmp/\S+", "/tmp/FILE", text) for text in said], [
            (path.relative_to(folder).parts[:2], oct(status.st_mode), status.st_uid, status.st_gid)
            for path, status in found
        ]

    main = {**MAIN, "mail_spool_directory": "{dir}/localmail/", "home_mailbox": home_mailbox}
    exchanged(case, main=main, replace=OURS, fresh=True)


@pytest.mark.parametrize(
    "name", ["nosuch", "no+such", "postmaster", "mailer-daemon", "man", "sync", "news", "uucp", "root+", "+x", "Games"]
)
def test_what_goes_wrong(exchanged: Parity, name: str) -> None:
    """Unknown users, and mailboxes that cannot be used."""

    def case(mta: Instance) -> None:
        folder = mta.directory / "localmail"
        (folder / "man").mkdir()
        (folder / "sync").write_text("a\n")
        (folder / "news").write_text("")
        os.chown(folder / "news", getpwnam("news").pw_uid, -1)
        (folder / "news.lock").write_text("")
        (folder / "uucp").write_text("z" * 8900 + "\n")
        os.chown(folder / "uucp", getpwnam("uucp").pw_uid, -1)
        queue_id = mta.send_message(f"{name}@localhost", sender="")
        mta.wait_for_log(rf"{queue_id}: to=<")

    exchanged(case, main=MAIN, replace=OURS, logs="local", deliveries=True)


@pytest.mark.parametrize("mailbox", ["Maildir/", "mailbox"])
def test_a_home_that_may_not_be_written(exchanged: Parity, mailbox: str) -> None:
    """postconf(5) home_mailbox below a home folder that belongs to root."""

    def case(mta: Instance) -> str:
        queue_id = mta.send_message("games@localhost", sender="")
        pattern = rf"{queue_id}: to=<.*dsn=(\S+), status=(\w+) \((maildir delivery failed|cannot update)"
        return " ".join(mta.wait_for_log(pattern).groups())

    exchanged(case, main={**MAIN, "home_mailbox": mailbox}, replace=OURS)


def test_a_loop(exchanged: Parity) -> None:
    """A message that was delivered to this recipient before: Delivered-To."""

    def case(mta: Instance) -> None:
        field = "Delivered-To: games@localhost"
        for header in (field, "delivered-to:  GAMES@localhost", f"{field} ", f"X: y\n\n{field}", f"X: y\n {field}"):
            queue_id = mta.send_message("games@localhost", f"Subject: x\n{header}\n\nx\n", "")
            mta.wait_for_log(rf"{queue_id}: to=<")
        mta.wait_until_empty()

    exchanged(case, main=MAIN, replace=OURS, logs="local", deliveries=True)


_ALIASES = """\
list games, user@ours.example, daemon+x@localhost
owner-list daemon
ralias root
self self
loop1 loop2
loop2 loop1
missing nosuchuser
Games2 games
postmaster daemon
remote a@disc.example,b@disc.example
quoted "odd name"@disc.example, "games"
mixed daemon, missing2, a@disc.example
"""


@pytest.mark.parametrize(
    "name",
    ["list", "list+foo", "ralias", "self", "loop1", "missing", "games2", "postmaster", "remote", "quoted", "mixed"],
)
def test_aliases(exchanged: Parity, name: str) -> None:
    """Aliases for users here and addresses elsewhere, with and without an owner.  Source: aliases(5)."""

    def case(mta: Instance) -> str:
        mta.send_message(f"{name}@localhost", sender="back@disc.example")
        mta.wait_until_empty()
        lines = [line.partition(": to=")[2] for line in mta.log_lines() if ": to=<" in line]
        lines = [re.sub(r"delay=.*?, dsn=", "dsn=", re.sub(r"forwarded as \w+", "forwarded", line)) for line in lines]
        return "\n".join(sorted(lines))

    main = {
        **MAIN,
        "alias_maps": "texthash:{dir}/etc/aliases",
        "transport_maps": "inline:{{disc.example=discard:gone}}",
    }
    exchanged(case, main=main, files={"aliases": _ALIASES}, replace=OURS, deliveries=True)
