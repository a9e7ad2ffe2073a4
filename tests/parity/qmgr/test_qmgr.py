"""qmgr(8) under the real master: log lines, retry times, notices, what stays in the queue.

Source: qmgr(8), SCHEDULER_README; the log and queue files of the reference.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"qmgr": "pyfix"}
_ROUTES = {
    "disc": "discard:gone", "bounce": "error:5.1.6 moved", "later": "retry:4.4.1 not now", "nowhere": "nosuch:x",
    "deferred": "lmtp:inet:127.0.0.1:9", "down": "smtp:[127.0.0.1]:9", "crash": "crash:x",
}  # fmt: skip
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": f"inline:{{{', '.join(f'{{{name}.example={route}}}' for name, route in _ROUTES.items())}}}",
    "defer_transports": "lmtp",
    "smtp_tls_security_level": "none",
    "smtp_log_tls_feature_status": "no",
}
SENDER = "back@disc.example"


def _lines(mta: Instance) -> str:
    """Return what was logged of messages, sorted: different messages and requests come in no fixed order."""
    lines = [line.partition("]: ")[2] for line in mta.log_lines() if re.search(r"(qmgr|error|discard|smtp)\[", line)]
    lines = [re.sub(r"delay=.*?, dsn=", "dsn=", re.sub(r"^[0-9A-F]{8,}: ", "", line)) for line in lines]
    return "\n".join(sorted(line for line in lines if line.startswith(("to=", "from=", "removed", "warning"))))


def _deferred(mta: Instance, queue_id: str) -> tuple[int, int, str]:
    """Return seconds until the next try (of mtime and atime) and the mode of a deferred message."""
    status = mta.spool_file(queue_id).stat()
    now = time.time()
    return round((status.st_mtime - now) / 10), round((status.st_atime - now) / 10), oct(status.st_mode)


def test_sent_bounced_deferred(exchanged: Parity) -> None:
    """One message to many places; it stays for what was deferred."""

    def case(mta: Instance) -> object:
        names = ["b@disc.example", "A@disc.example", "x@bounce.example", "y@later.example", "z@nowhere.example"]
        queue_id = mta.send_message([*names, "user@ours.example", "d@deferred.example"], sender=SENDER)
        mta.wait_for_log(rf"to=<{SENDER}>.*status=sent")
        mta.wait_for_log(r": removed")
        assert "deferred" in mta.queue()
        return _lines(mta), _deferred(mta, queue_id)

    exchanged(case, main=MAIN, replace=OURS, queue=True, fresh=True)


def test_retry_after_flush(exchanged: Parity) -> None:
    """postqueue -f tries all again; a second failure waits no shorter."""

    def case(mta: Instance) -> object:
        queue_id = mta.send_message(["y@later.example", "b@disc.example"], sender=SENDER)
        mta.wait_for_log(rf"{queue_id}: to=<y@later.example>")
        mta.run("postqueue", "-f")
        mta.wait_for_log(rf"{queue_id}: to=<y@later.example>", count=2)
        mta.settle()
        log = mta.queue_directory / "defer" / queue_id[0] / queue_id
        return _lines(mta), _deferred(mta, queue_id), log.read_text().count("recipient=")

    exchanged(case, main=MAIN, replace=OURS, queue=True, fresh=True)


@pytest.mark.parametrize("sender", [SENDER, ""])
def test_expiry(exchanged: Parity, sender: str) -> None:
    """postconf(5) maximal_queue_lifetime, bounce_queue_lifetime: status=expired, returned to sender."""

    def case(mta: Instance) -> str:
        mta.send_message(["y@later.example", "b@disc.example"], sender=sender)
        mta.wait_for_log(r": removed", count=2 if sender else 1)
        mta.wait_until_empty()
        return _lines(mta)

    main = {**MAIN, "maximal_queue_lifetime": "0", "bounce_queue_lifetime": "0"}
    exchanged(case, main=main, replace=OURS, fresh=True)


def test_forced_expiry(exchanged: Parity) -> None:
    """postsuper -f: of a message that was tried, and of one that was not."""

    def case(mta: Instance) -> str:
        queue_id = mta.send_message("y@later.example", sender=SENDER)
        mta.wait_for_log(rf"{queue_id}: to=<y@later.example>")
        mta.settle()
        mta.run("postsuper", "-f", queue_id)
        mta.run("postqueue", "-f")
        mta.wait_for_log(rf"{queue_id}: removed")
        mta.wait_until_empty()
        return _lines(mta)

    exchanged(case, main=MAIN, replace=OURS, fresh=True)


def test_delay_notice_is_sent_once(exchanged: Parity) -> None:
    """postconf(5) delay_warning_time, confirm_delay_cleared."""

    def case(mta: Instance) -> object:
        queue_id = mta.send_message("y@later.example", sender=SENDER)
        mta.wait_for_log(rf"{queue_id}: to=<y@later.example>")
        for count in (2, 3):
            time.sleep(1.2)
            mta.run("postqueue", "-f")
            mta.wait_for_log(rf"{queue_id}: to=<y@later.example>", count=count)
        mta.settle()
        return sum("sender delay notification" in line for line in mta.log_lines())

    main = {**MAIN, "delay_warning_time": "2s", "minimal_backoff_time": "1s", "confirm_delay_cleared": "yes"}
    seen = exchanged(case, main=main, replace=OURS, queue=True, fresh=True)
    assert seen.result == 1


def test_a_dead_destination_is_left_alone(exchanged: Parity) -> None:
    """When a site cannot be reached, other mail for it is deferred without a try; F forgets that."""

    def case(mta: Instance) -> str:
        for number in range(3):
            queue_id = mta.send_message(f"user{number}@down.example", sender="")
            mta.wait_for_log(rf"{queue_id}: to=<")
        return _lines(mta)

    main = {
        **MAIN,
        "initial_destination_concurrency": "1",
        "default_destination_concurrency_failed_cohort_limit": "1",
    }
    seen = exchanged(case, main=main, replace=OURS, fresh=True)
    assert "delivery temporarily suspended" in str(seen.result)


def test_a_transport_that_dies(exchanged: Parity) -> None:
    """An agent that ends without an answer: the message waits, without a word about its recipients."""

    def case(mta: Instance) -> object:
        queue_id = mta.send_message("x@crash.example", sender="")
        mta.wait_for_log(r"warning: private/crash socket: malformed response")
        mta.settle()
        return _deferred(mta, queue_id)

    master = {"crash": "crash unix - - n - - error"}
    exchanged(case, main=MAIN, master=master, replace=OURS, logs="qmgr", queue=True, fresh=True)


@pytest.mark.parametrize("size", [300, 0])
def test_a_damaged_file_is_saved(exchanged: Parity, size: int) -> None:
    """A queue file that ends too early goes to the corrupt queue."""

    def case(mta: Instance) -> object:
        queue_id = mta.send_message("y@later.example", sender="")
        mta.wait_for_log(rf"{queue_id}: to=<y@later.example>")
        mta.settle()
        path = mta.spool_file(queue_id)
        os.truncate(path, size)
        mta.run("postqueue", "-f")
        line = mta.wait_for_log(rf'(saving corrupt file) "{queue_id}" (from queue .*)').groups()
        mta.settle()
        found = sorted(mta.queue())
        (mta.queue_directory / "corrupt" / queue_id).unlink()
        return found, line

    seen = exchanged(case, main=MAIN, replace=OURS, fresh=True)
    assert seen.result[0] == ["corrupt"]  # type: ignore[index]  # the result of case


def test_mail_that_was_active_is_tried_again(exchanged: Parity) -> None:
    """After kill -9 of the queue manager its messages are delivered, those in delivery later."""

    def case(mta: Instance) -> None:
        mta.send_message(["y@later.example", "b@disc.example"], sender="")
        mta.wait_for_log(r"to=<y@later.example>")
        mta.settle()
        queue_id = mta.queue()["deferred"][0]
        for pid in mta.pids_of("qmgr"):
            os.kill(pid, 9)
        os.rename(mta.spool_file(queue_id), mta.queue_directory / "active" / queue_id)
        os.utime(mta.queue_directory / "active" / queue_id, (2_000_000_000, 2_000_000_000))
        mta.send_message("c@disc.example", sender="")
        mta.wait_for_log(rf"{queue_id}: to=<y@later.example>", count=2)
        mta.wait_for_log(r"to=<c@disc.example>")

    exchanged(case, main=MAIN, replace=OURS, fresh=True)


def test_verp(exchanged: Parity) -> None:
    """sendmail -XV: each recipient has a sender address of its own."""

    def case(mta: Instance) -> list[str]:
        recipients = ["user@ours.example", "second@ours.example"]
        mta.run("sendmail", "-XV", "-f", "list@disc.example", *recipients, input=b"Subject: x\n\nx\n")
        mta.wait_until_empty()
        contents = [content for contents in mta.deliveries().values() for content in contents]
        return sorted(re.findall(r"Return-Path: (.*)", b"".join(contents).decode()))

    seen = exchanged(case, main=MAIN, replace=OURS, fresh=True)
    assert seen.result == ["<list+second=ours.example@disc.example>", "<list+user=ours.example@disc.example>"]


def test_many_recipients(exchanged: Parity) -> None:
    """Recipients are read in portions; each gets the message once."""

    def case(mta: Instance) -> object:
        recipients = [f"user{number}@disc.example" for number in range(900)]
        queue_id = mta.send_message(recipients, sender="")
        mta.wait_for_log(rf"{queue_id}: removed")
        found = re.findall(r"to=<(user\d+)@disc", "\n".join(mta.log_lines()))
        return len(found), len(set(found))

    main = {**MAIN, "qmgr_message_recipient_limit": "100", "qmgr_message_recipient_minimum": "30"}
    assert exchanged(case, main=main, replace=OURS, fresh=True).result == (900, 900)


def test_order_of_recipients(exchanged: Parity) -> None:
    """By domain without regard to case, then by address with regard to it."""

    def case(mta: Instance) -> list[str]:
        names = ["b@o.disc", "A@o.disc", "C@o.disc", "Y@O.disc", "x@O.disc", "_@o.disc", "~@o.disc", "c9@o.disc", "c10@o.disc"]
        mta.send_message(names, sender=SENDER)
        mta.wait_until_empty()
        return [found[1] for line in mta.log_lines() if (found := re.search(r"/discard\[.*to=<(\S+)>", line))]

    main = {**MAIN, "transport_maps": "inline:{{.disc=discard:gone}}"}
    seen = exchanged(case, main=main, replace=OURS, fresh=True)
    assert seen.result == [
        "A@o.disc", "C@o.disc", "Y@O.disc", "_@o.disc", "b@o.disc", "c10@o.disc", "c9@o.disc", "x@O.disc", "~@o.disc",
    ]  # fmt: skip


def test_file_that_cannot_be_opened(parity: Parity) -> None:
    """qmgr ends; the file is not lost in the active queue, because the next process looks at it again."""

    def case(mta: Instance) -> object:
        path = mta.queue_directory / "incoming" / "ABCDE12345"
        path.write_bytes(b"x")
        path.chmod(0o700)  # and it belongs to root
        mta.run("postqueue", "-f")
        fault = mta.wait_for_log(r"qmgr\[\d+\]: (fatal: .*)")[1]
        mta.wait_for_log(r"/qmgr pid \d+ exit status 1")
        there = mta.queue()
        (mta.queue_directory / "active" / path.name).unlink()
        mta.send_message("user@ours.example")
        mta.wait_for_log(r"to=<user@ours\.example>.*status=sent")
        return fault, there

    parity(case, main={"service_throttle_time": "2s"}, fresh=True)


def _put_file_in_place_of(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("")


@pytest.mark.parametrize("queue", ["active", "deferred", "corrupt"])
def test_a_queue_that_cannot_be_written(parity: Parity, queue: str) -> None:
    """qmgr ends, again and again; the message is where the next one finds it, and goes its way when the folder is back."""

    def case(mta: Instance) -> object:
        folder = mta.queue_directory / queue
        owner = folder.stat().st_uid
        mta.settle()
        _put_file_in_place_of(folder)
        if queue == "corrupt":
            queue_id = "ABCDE12345"
            path = mta.queue_directory / "incoming" / queue_id
            path.write_bytes(b"x")
            os.chown(path, owner, -1)
            path.chmod(0o700)
            mta.run("postqueue", "-f")
        else:
            queue_id = mta.send_message("y@later.example", sender="")
        found = mta.wait_for_log(r"qmgr\[\d+\]: (fatal: .*)")[1].replace(queue_id, "<ID>")
        mta.wait_for_log(r"/qmgr pid \d+ exit status 1")
        folder.unlink()
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
        last = rf'saving corrupt file "{queue_id}"' if queue == "corrupt" else rf"{queue_id}: to=<y@later.example>.*=deferred"
        begin = mta.log_mark()
        assert wait_until(lambda: not mta.run("postqueue", "-f").returncode and _has(mta, last, begin), 15)
        mta.settle()
        if queue == "corrupt":
            (mta.queue_directory / "corrupt" / queue_id).unlink()
            return found, queue
        return found, sorted(mta.queue())

    main = {**MAIN, "service_throttle_time": "1s", "minimal_backoff_time": "1s", "defer_transports": ""}
    assert "Not a directory" in str(parity(case, main=main, fresh=True).result)


def _has(mta: Instance, pattern: str, begin: int) -> bool:
    time.sleep(0.3)
    return any(re.search(pattern, line) for line in mta.log_lines(begin))


def _leave_active(mta: Instance, owner: int) -> Path:
    """End qmgr and put a file into its active queue, as one that was killed does."""
    (pid,) = mta.pids_of("qmgr")
    os.kill(pid, signal.SIGKILL)
    mta.wait_for_log(r"/qmgr pid \d+ killed by signal 9")
    path = mta.queue_directory / "active" / "ABCDE12345"
    path.write_bytes(b"x")
    os.chown(path, owner, -1)
    path.chmod(0o700)
    return path


@pytest.mark.parametrize("what", ["rename", "time stamps"])
def test_active_mail_that_cannot_be_put_back(parity: Parity, what: str) -> None:
    """A qmgr that starts ends over it, and a later one puts it back."""

    def case(mta: Instance) -> object:
        mta.settle()
        incoming = mta.queue_directory / "incoming"
        owner = incoming.stat().st_uid
        path = _leave_active(mta, owner if what == "rename" else 0)
        if what == "rename":
            _put_file_in_place_of(incoming)
        mta.run("postqueue", "-f")
        fault = mta.wait_for_log(r"qmgr\[\d+\]: (fatal: .*)")[1]
        mta.wait_for_log(r"/qmgr pid \d+ exit status 1")
        stayed = path.exists()
        if what == "rename":
            incoming.unlink()
            incoming.mkdir(mode=0o700)
            os.chown(incoming, owner, -1)
        os.chown(path, owner, -1)
        begin = mta.log_mark()
        last = rf'saving corrupt file "{path.name}"'
        assert wait_until(lambda: not mta.run("postqueue", "-f").returncode and _has(mta, last, begin), 15)
        (mta.queue_directory / "corrupt" / path.name).unlink()
        return fault, stayed

    parity(case, main={"service_throttle_time": "1s"}, fresh=True)


@contextmanager
def _vanished(mta: Instance) -> Iterator[str]:
    """Lock a mailbox, and delete the message that waits for it; its delivery goes on when the block ends."""
    box = mta.mail_directory / "mbox"
    box.touch()
    with box.open("ab") as file:
        os.chown(box, MAILBOX_OWNER, MAILBOX_OWNER)
        fcntl.lockf(file, fcntl.LOCK_EX)
        queue_id = mta.send_message("mbox@ours.example", sender="")
        path = mta.queue_directory / "active" / queue_id
        assert wait_until(path.exists, 5)
        time.sleep(0.5)
        path.unlink()
        yield queue_id


def test_a_file_that_vanishes_and_is_deferred(parity: Parity) -> None:
    """There is nothing to put into the deferred queue, and nothing to say."""

    def case(mta: Instance) -> object:
        with _vanished(mta):
            mta.wait_for_log(r"/virtual\[\d+\]: \w+: to=.*status=deferred")
        mta.settle()
        return [line.split("]: ")[1] for line in mta.log_lines() if "/qmgr[" in line and "queue active" not in line], mta.queue()

    main = {"deliver_lock_delay": "1s", "deliver_lock_attempts": "2", "virtual_mailbox_lock": "fcntl"}
    parity(case, main=main, fresh=True)


def test_a_file_that_vanishes_while_it_is_delivered(parity: Parity) -> None:
    """Its delivery is over, and there is nothing to remove."""

    def case(mta: Instance) -> object:
        with _vanished(mta) as queue_id:
            pass
        mta.wait_for_log(r"/virtual\[\d+\]: \w+: to=")
        line = mta.wait_for_log(r"qmgr\[\d+\]: (warning: .*)")[1].replace(queue_id, "<ID>")
        return line, mta.queue()

    main = {"deliver_lock_delay": "1s", "virtual_mailbox_lock": "fcntl"}
    assert "No such file or directory" in str(parity(case, main=main, fresh=True).result)
