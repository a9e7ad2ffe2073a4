"""virtual(8) under the real master: log lines, delivered bytes, and the texts of what goes wrong.

Source: virtual(8); the log lines, defer logs and mailboxes of the reference.
"""

from __future__ import annotations

import fcntl
import os

import pytest

from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"virtual": "pyfix"}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "deliver_lock_attempts": "2",
    "message_size_limit": "9000",
    "virtual_mailbox_limit": "9000",
    "virtual_uid_maps": "texthash:{dir}/etc/uids",
    "virtual_gid_maps": "texthash:{dir}/etc/gids",
}
_GOOD = ["user", "second", "mbox", "new/deep", "absolute", "file", "notreg", "rootbox", "other", "link", "toobig"]
_GOOD += ["nodir"]
_BAD = ["dots", "baduid", "nouid", "lowuid", "badgid"]
_PATHS = {
    "user": "user/", "second": "second/", "new/deep": "new/deep/", "absolute": "/absolute/", "file": "file/",
    "nodir": "nodir/x", "dots": "dots/../q",
}  # fmt: skip


def _address(name: str) -> str:
    return f"{name.replace('/', '_')}@ours.example"


def _files() -> dict[str, str | bytes]:
    names = [*_GOOD, *_BAD, "locked", "noperm", "flocked"]
    paths = {**_PATHS, "noperm": "noperm/"}
    mailboxes = "".join(f"{_address(name)} {paths.get(name, name)}\n" for name in names)
    number = f"{MAILBOX_OWNER}\n"
    uids = "".join(f"{_address(name)} {number}" for name in names if name not in ("nouid", "baduid", "lowuid"))
    gids = "".join(f"{_address(name)} {number}" for name in names if name != "badgid")
    return {
        "mailboxes": mailboxes,
        "uids": uids + f"{_address('baduid')} abc\n{_address('lowuid')} 5\n",
        "gids": gids + f"{_address('badgid')} 0\n",
    }


def _deliver(mta: Instance, recipients: list[str], content: str, sender: str = "") -> str:
    queue_id = mta.send_message(recipients, content, sender)
    mta.wait_for_log(rf"{queue_id}: to=<", count=len(recipients))
    return queue_id


@pytest.mark.parametrize("sender", ["", "sender@client.example", '"odd sender"@client.example'])
def test_mailboxes_and_maildirs(exchanged: Parity, sender: str) -> None:
    """What is added to a message: From line, Return-Path, X-Original-To, Delivered-To, quoted From, empty last line."""

    def case(mta: Instance) -> object:
        content = "Subject: x\nReturn-Path: <there@x.example>\n\nFrom me\n>From you\nFrom\n"
        content += 270 * "0123456789" + "\nend"
        _deliver(mta, ["user@ours.example", "mbox@ours.example", "second+ext@ours.example"], content, sender)
        _deliver(mta, ["MBOX+aB@OURS.example"], "\n\nFrom nothing\n\nFrom again\n", sender)
        mta.wait_until_empty()
        folders = ("user", "user/new", "user/cur", "user/tmp", "mbox")
        return [(name, oct((mta.mail_directory / name).stat().st_mode)) for name in folders]

    exchanged(case, main=MAIN, files=_files(), replace=OURS, logs="virtual", deliveries=True)


def test_a_large_message(exchanged: Parity) -> None:
    """Blocks of the content are put together without a seam."""

    def case(mta: Instance) -> None:
        lines = "".join(f"From line {number} {'x' * (number % 3000)}\n" for number in range(1200))
        _deliver(mta, ["user@ours.example", "mbox@ours.example"], f"Subject: large\n\n{lines}")
        mta.wait_until_empty()

    main = {"message_size_limit": "10000000", "smtpd_reject_unlisted_recipient": "no"}
    exchanged(case, main=main, replace=OURS, deliveries=True)


@pytest.mark.parametrize("name", [*_GOOD[4:], *_BAD, "noperm", "unknown"])
def test_what_goes_wrong(exchanged: Parity, name: str) -> None:
    """Mailboxes that cannot be used: whether mail bounces or waits, and the text."""

    def case(mta: Instance) -> object:
        folder = mta.mail_directory
        (folder / "file").write_text("")
        (folder / "notreg").mkdir()
        (folder / "rootbox").write_text("x\n")
        (folder / "rootbox").chmod(0o666)
        (folder / "other").write_text("y\n")
        os.chown(folder / "other", 1234, MAILBOX_OWNER)
        (folder / "link").symlink_to(folder / "nothing")
        (folder / "toobig").write_text("z" * 8900 + "\n")
        os.chown(folder / "toobig", MAILBOX_OWNER, MAILBOX_OWNER)
        (folder / "noperm").mkdir(mode=0o500)
        queue_id = mta.send_message(_address(name), "Subject: x\n\n" + 40 * "text\n", "")
        mta.wait_for_log(rf"{queue_id}: to=<")
        log = mta.queue_directory / "defer" / queue_id[0] / queue_id
        deferred = [line for line in log.read_text().splitlines() if "/tmp/" not in line] if log.exists() else []
        return "\n".join(line for line in deferred if not line.startswith("offset="))

    seen = exchanged(case, main=MAIN, files=_files(), replace=OURS, deliveries=True)
    assert seen


@pytest.mark.parametrize("name", ["locked", "flocked"])
def test_a_locked_mailbox_is_waited_for(exchanged: Parity, name: str) -> None:
    """postconf(5) deliver_lock_attempts, deliver_lock_delay."""

    def case(mta: Instance) -> None:
        path = mta.mail_directory / name
        path.write_text("")
        os.chown(path, MAILBOX_OWNER, MAILBOX_OWNER)
        with path.open("r+") as holder:
            if name == "locked":
                (mta.mail_directory / "locked.lock").write_text("")
            else:
                fcntl.lockf(holder, fcntl.LOCK_EX)
            queue_id = mta.send_message(_address(name), sender="")
            mta.wait_for_log(rf"{queue_id}: to=<.*status=deferred")

    exchanged(case, main=MAIN, files=_files(), replace=OURS, logs="virtual", deliveries=True)


def test_a_stale_lock_file_is_removed(exchanged: Parity) -> None:
    """postconf(5) stale_lock_time."""

    def case(mta: Instance) -> bool:
        lock = mta.mail_directory / "mbox.lock"
        lock.write_text("")
        _deliver(mta, ["mbox@ours.example"], "Subject: x\n\nx\n")
        mta.wait_until_empty()
        return lock.exists()

    main = {"deliver_lock_attempts": "5", "stale_lock_time": "1s", "smtpd_reject_unlisted_recipient": "no"}
    assert exchanged(case, main=main, replace=OURS, logs="virtual", deliveries=True).result is False


def test_probes_deliver_nothing(exchanged: Parity) -> None:
    """sendmail -bv asks what would happen."""

    def case(mta: Instance) -> None:
        recipients = ["user@ours.example", "mbox@ours.example", "unknown@ours.example"]
        mta.run("sendmail", "-f", "user@ours.example", "-bv", *recipients, input=b"Subject: x\n\nx\n")
        mta.wait_for_log(r"virtual\[\d+\]: \w+: to=<", count=4)
        mta.wait_until_empty()

    main = {"smtpd_reject_unlisted_recipient": "no"}
    exchanged(case, main=main, replace=OURS, logs="virtual")


def test_changed_tables_restart_the_process(exchanged: Parity) -> None:
    """table ... has changed -- restarting"""

    def case(mta: Instance) -> None:
        _deliver(mta, ["user@ours.example"], "Subject: x\n\nx\n")
        path = mta.config_directory / "mailboxes"
        path.write_text("user@ours.example elsewhere/\n")
        os.utime(path, (2_000_000_000, 2_000_000_000))
        mta.wait_until_empty()
        queue_id = mta.send_message("user@ours.example")
        mta.wait_for_log(rf"{queue_id}: removed")

    main = {"smtpd_reject_unlisted_recipient": "no"}
    exchanged(case, main=main, replace=OURS, deliveries=True, fresh=True)




def test_status_filter(exchanged: Parity) -> None:
    """postconf(5) virtual_delivery_status_filter: what is sent, and what fails."""

    def case(mta: Instance) -> None:
        for recipient in ("user@ours.example", "mbox@ours.example", "nosuch@ours.example"):
            queue_id = mta.send_message(recipient, sender="")
            mta.wait_for_log(rf"{queue_id}: to=<")
        mta.settle()

    outcomes = "/^2.0.0 (.*) maildir/ 2.1.5 $1 a folder\n/^5.1.1/ 4.1.1 perhaps later\n/mailbox/ 5.0.0 no\n"
    main = {"smtpd_reject_unlisted_recipient": "no", "virtual_delivery_status_filter": "regexp:{dir}/etc/outcomes"}
    exchanged(case, main=main, files={"outcomes": outcomes}, replace=OURS, logs="virtual", deliveries=True)
