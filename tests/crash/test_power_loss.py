"""The power fails: what was accepted is on the disk, whatever of the rest is, and pyfix goes on from there.

A run is traced, and cut at many points; each time a disk is made up that may be what is left (``tests.crash.powerloss``).
It is looked at, and on some of them a mail system is started.  ``PYFIX_TEST_SEED`` makes the same choices again.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwnam
from typing import NamedTuple

import pytest

from tests.crash.load import Accepted, Load
from tests.crash.powerloss import JOURNAL, MODELS, SEPARATE, WATCHED, Disk, FileOnDisk, promises
from tests.crash.test_kill import DISCARDED, MAIN, MASTER, RECIPIENTS, RETURNED, lost
from tests.crash.test_kill import MAILBOX_OF as MAILBOXES
from tests.crash.trace import Trace, Tracer, need_strace
from tests.kit import requirements, spool
from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("power loss")]

SEED = int(os.environ.get("PYFIX_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
CUTS = 80
STARTS = 3
QUEUES = ("incoming", "active", "deferred", "hold", "maildrop")
SPOOL = (*QUEUES, "corrupt", "bounce", "defer", "trace", "flush")
LARGE = 400_000
"""Bytes of a message that is written in several pieces."""
MESSAGES = 25
"""So many and a few more are accepted through SMTP."""
POSTED = ("user@ours.example", RETURNED)
"""Recipients of mail by sendmail(1), whose start takes seconds under strace."""


@dataclass
class Run:
    """What happened in a run."""

    folders: dict[str, str]
    """Where the spool and the mailboxes were: by first word of the paths in which a disk is described."""
    disk: Disk
    without_syncs: Disk
    promised: list[tuple[int, Accepted]]
    """What was accepted, and the line of the trace on which that was said."""

    def due(self, line: int) -> list[Accepted]:
        """Return what was accepted before a line."""
        return [message for when, message in self.promised if when <= line]

    def named(self, disk: dict[str, FileOnDisk]) -> dict[str, FileOnDisk]:
        """Return a disk by paths that begin with spool, mail or localmail."""
        return {
            f"{name}/{path.removeprefix(f'{folder}/')}": file
            for path, file in disk.items()
            for name, folder in self.folders.items()
            if path.startswith(f"{folder}/")
        }


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    yield run_of("pyfix")


def run_of(kind: str) -> Run:
    need_strace()
    with Instance(kind, main=MAIN, master=MASTER) as mta:
        mta.start()
        mta.send_message(RECIPIENTS, sender="second@ours.example")  # the daemons run when they are traced
        mta.settle()
        return traced(mta)


def traced(mta: Instance) -> Run:
    folders = {
        "spool": str(mta.queue_directory),
        "mail": str(mta.mail_directory),
        "localmail": str(mta.directory / "localmail"),
    }
    before = {path: file for folder in folders.values() for path, file in files_below(Path(folder))}
    shell = subprocess.Popen(
        ["/bin/sh"], env=mta.environment, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert shell.stdin is not None and shell.stdout is not None
    posted = []
    output = mta.directory / "trace"
    with Tracer(output, [*mta.pids(), shell.pid], watched=WATCHED, most_bytes=2 * LARGE):
        large = mta.send_message(["user@ours.example", "mbox@ours.example"], message("token-900000.", LARGE))
        for number, recipient in enumerate(POSTED):
            token = f"token-{800000 + number}."
            (mta.directory / "message").write_text(message(token, 1000))
            sendmail = f"{mta.command_directory}/sendmail -f second@ours.example {recipient}"
            print(f"{sendmail} <{mta.directory}/message && echo posted {token}", file=shell.stdin, flush=True)
            assert shell.stdout.readline() == f"posted {token}\n"
            posted.append(Accepted(token, (recipient,)))
        with Load(mta, RECIPIENTS, clients=3, posters=0, seed=SEED) as load:
            load.accepted.append(Accepted("token-900000.", ("user@ours.example", "mbox@ours.example"), large))
            assert wait_until(lambda: len(load.accepted) >= MESSAGES, 10.0)
        assert wait_until(lambda: not mta.queue().keys() - {"deferred"}, 10.0)
    shell.stdin.close()
    shell.wait(10.0)
    assert not load.problems
    with output.open(encoding="latin-1") as lines:
        trace = Trace.parse(lines)
    when = {name: line for line, name in promises(trace, rb"250 2\.0\.0 Ok: queued as (\w+)|^posted (\S+)\n")}
    promised = [(when[one.queue_id or one.token], one) for one in [*load.accepted, *posted]]
    disks = (Disk(list(folders.values()), folders["spool"], before, some) for some in (trace, trace.without_syncs()))
    return Run(folders, next(disks), next(disks), promised)


def message(token: str, size: int) -> str:
    text = size // 800 * f"{800 * 'x'}\n"
    return f"Subject: {token}\n\n{text}{token}\n"


def files_below(folder: Path) -> Iterator[tuple[str, FileOnDisk]]:
    for path in folder.rglob("*"):
        if path.is_file() and not {"pid", "private", "public"} & set(path.parts):
            status = path.stat()
            yield str(path), FileOnDisk(bytearray(path.read_bytes()), status.st_mode & 0o7777, int(status.st_mtime))


# -- looking at a disk --------------------------------------------------------------------------------------------


class Queued(NamedTuple):
    """A message that is whole, and waits in a queue."""

    queue_id: str
    content: bytes
    left: frozenset[str]
    """The recipients that are still to be served."""


def missing(disk: dict[str, FileOnDisk], due: list[Accepted], model: str) -> list[str]:
    """Return which copies of accepted messages are neither in a queue nor in a mailbox."""
    queued = [found for path, file in disk.items() if (found := whole(path, file)) is not None]
    mailboxes: dict[str, bytes] = {}
    for path, file in disk.items():
        top, _, name = path.partition("/")
        if top != "spool":
            # Nobody syncs the name that a message gets in folder new when it was synced in folder tmp: Postfix does not,
            # either.  Where names come to the disk in order this is no matter.
            is_late = "/tmp/" in name and model != SEPARATE
            mailbox = name if "/" not in name else f"{name.partition('/')[0]}/"
            mailboxes[mailbox] = mailboxes.get(mailbox, b"") + (b"" if is_late else bytes(file.data))
    return [
        f"{one.queue_id or 'posted'} {one.token} to {recipient}"
        for one in due
        for recipient in one.recipients
        if recipient != DISCARDED
        and f"{one.token}\n".encode() not in mailboxes.get(MAILBOXES[recipient], b"")
        and not any(waits(disk, message, one.token, recipient) for message in queued)
    ]


def whole(path: str, file: FileOnDisk) -> Queued | None:
    """Return what is the complete file of a message, else None."""
    parts = path.split("/")
    if parts[0] != "spool" or parts[1] not in QUEUES or not file.mode & 0o100:
        return None
    try:
        records = spool.records_in(file.data)
    except ValueError:
        return None
    if not records or records[-1].kind != "E":
        return None
    content = b"\n".join(record.data for record in records if record.kind in "NL")
    return Queued(parts[-1], content, frozenset(record.data.decode() for record in records if record.kind == "R"))


def waits(disk: dict[str, FileOnDisk], message: Queued, token: str, recipient: str) -> bool:
    """Tell whether a message, or a notice about it, is still to be delivered."""
    if token.encode() not in message.content:
        return False
    if recipient != RETURNED or recipient in message.left:
        return recipient in message.left
    log = disk.get(f"spool/bounce/{message.queue_id}")
    return "second@ours.example" in message.left or (log is not None and f"recipient={RETURNED}\n".encode() in log.data)


def cuts(run: Run, numbers: random.Random, count: int) -> list[int]:
    return sorted(numbers.choices(run.disk.moments, k=count))


@pytest.mark.parametrize("model", MODELS)
def test_what_was_accepted_is_on_the_disk(run: Run, model: str) -> None:
    numbers = random.Random(SEED)
    assert len(run.promised) > MESSAGES
    looked_at = 0
    for line in cuts(run, numbers, CUTS):
        due = run.due(line)
        looked_at += len(due)
        gone = missing(run.named(run.disk.after(line, model, numbers)), due, model)
        assert not gone, f"PYFIX_TEST_SEED={SEED}; power lost at line {line} of the trace, and with it {gone}"
    assert looked_at > 5 * CUTS


@pytest.mark.parametrize("model", MODELS)
def test_without_syncs_it_would_not_be(run: Run, model: str) -> None:
    """The test before this one can fail."""
    numbers = random.Random(SEED)
    assert any(
        missing(run.named(run.without_syncs.after(line, model, numbers)), run.due(line), model)
        for line in cuts(run, numbers, 30)
    )


@pytest.mark.reference
def test_the_journal_is_what_postfix_relies_on() -> None:
    """The model asks no more than Postfix can promise: nothing of its mail is lost, either."""
    requirements.need_reference("reference")
    numbers = random.Random(SEED)
    run = run_of("reference")
    for line in cuts(run, numbers, CUTS):
        gone = missing(run.named(run.disk.after(line, JOURNAL, numbers)), run.due(line), JOURNAL)
        assert not gone, f"PYFIX_TEST_SEED={SEED}; power lost at line {line} of the trace, and with it {gone}"


# -- the models ---------------------------------------------------------------------------------------------------

WRITE = '7 write(3</q/incoming/#5>(deleted), "text", 4) = 4'
NAME = '7 linkat(9</proc/7/fd>, "3", AT_FDCWD</q>, "incoming/A", AT_SYMLINK_FOLLOW) = 0'
SYNC = "7 fsync(3</q/incoming/#5>(deleted)) = 0"
OTHER = '7 openat(AT_FDCWD</q>, "incoming/B", O_RDWR|O_CREAT, 0600) = 4</q/incoming/B>'
OTHER_SYNC = "7 fsync(4</q/incoming/B>) = 0"
END = '7 sendto(5<TCP:[1->2]>, "250", 3, 0, NULL, 0) = 3'
MOVE = '7 rename("incoming/A", "active/A") = 0'
REMOVE = '7 unlink("active/A") = 0'
COPY = '7 openat(AT_FDCWD</q>, "new/C", O_RDWR|O_CREAT, 0600) = 6</q/new/C>'


def ends(lines: list[str], model: str) -> set[frozenset[tuple[str, bytes]]]:
    """Return all that a disk may have at the end."""
    disk = Disk(["/q"], "/q", {}, Trace.parse(lines))
    numbers = random.Random(1)
    return {
        frozenset((path.removeprefix("/q/"), bytes(file.data)) for path, file in found.items())
        for found in (disk.after(disk.last_line, model, numbers) for _ in range(300))
    }


@pytest.mark.parametrize("model", MODELS)
def test_a_name_given_before_the_sync_is_there(model: str) -> None:
    assert ends([WRITE, NAME, SYNC, END], model) == {frozenset({("incoming/A", b"text")})}


@pytest.mark.parametrize("model", MODELS)
def test_a_name_given_after_the_sync_may_be_lost(model: str) -> None:
    assert ends([WRITE, SYNC, NAME, END], model) == {frozenset(), frozenset({("incoming/A", b"text")})}


def test_contents_that_nobody_synced_may_be_missing_in_a_file_that_has_its_name() -> None:
    found = ends([WRITE, NAME, OTHER, OTHER_SYNC, END], JOURNAL)
    assert found == {frozenset({("incoming/A", data), ("incoming/B", b"")}) for data in (b"", b"text")}


def test_a_removal_is_not_on_the_disk_without_what_was_done_before() -> None:
    lines = [WRITE, NAME, SYNC, COPY, REMOVE.replace("active", "incoming"), END]
    old, new = ("incoming/A", b"text"), ("new/C", b"")
    assert ends(lines, JOURNAL) == {frozenset({old}), frozenset({old, new}), frozenset({new})}
    assert ends(lines, SEPARATE) == {frozenset({old}), frozenset({old, new}), frozenset({new}), frozenset()}


@pytest.mark.parametrize("model", MODELS)
def test_a_file_that_moves_has_one_of_its_names(model: str) -> None:
    found = ends([WRITE, NAME, SYNC, MOVE, END], model)
    assert found == {frozenset({(f"{queue}/A", b"text")}) for queue in ("incoming", "active")}


# -- going on -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_a_mail_system_goes_on_from_there(run: Run, new_instance: Callable[..., Instance], model: str) -> None:
    numbers = random.Random(f"{SEED}.{model}")
    mta = new_instance(main=MAIN | {"defer_transports": ""}, master=MASTER)
    for line in cuts(run, numbers, STARTS):
        disk = run.named(run.disk.after(line, model, numbers))
        lay_out(mta, disk)
        mark = mta.log_mark()
        mta.start()
        flush_until_empty_but_corrupt(mta)
        mta.stop()
        what = f"PYFIX_TEST_SEED={SEED}; power lost at line {line} of the trace"
        due = run.due(line)
        if model == SEPARATE:  # see missing(): what has been delivered but for its name
            due = [one for one in due if one.token.encode() not in in_tmp(disk)]
        assert not lost(mta, due), what
        half = [
            text
            for name, messages in mta.deliveries().items()
            if name in ("user/", "later/")
            for text in messages
            if not re.search(rb"(?s)\nSubject: (token-\d+\.)\n.*\n\1\n$", text) and b"Subject: test" not in text
        ]
        assert not half, f"{what}: half a message was delivered: {half[0][-200:]!r}"
        damaged = {one.queue_id for one in due} & set(mta.queue().get("corrupt", ()))
        assert not damaged, f"{what}: {damaged} are damaged"
        bugs = [text for text in mta.log_lines(mark) if re.search(r": (?:error|panic|fatal): ", text)]
        assert not bugs, f"{what}: {bugs}"


def in_tmp(disk: dict[str, FileOnDisk]) -> bytes:
    return b"".join(bytes(file.data) for path, file in disk.items() if path.startswith("mail/") and "/tmp/" in path)


def lay_out(mta: Instance, disk: dict[str, FileOnDisk]) -> None:
    """Put the files where a mail system that does not run finds them."""
    folders = {"spool": mta.queue_directory, "mail": mta.mail_directory, "localmail": mta.directory / "localmail"}
    mta.forget()
    postfix = getpwnam("postfix").pw_uid
    for path, file in disk.items():
        top, _, name = path.partition("/")
        owner = {"spool": postfix, "mail": MAILBOX_OWNER, "localmail": getpwnam("nobody").pw_uid}[top]
        target = folders[top] / name
        for folder in reversed([one for one in target.parents if not one.exists()]):
            folder.mkdir(0o700)
            os.chown(folder, owner, -1)
        for sibling in ("tmp", "new", "cur") if top == "mail" and target.parent.name in ("new", "tmp") else ():
            folder = target.parent.parent / sibling
            folder.mkdir(0o700, exist_ok=True)
            os.chown(folder, owner, -1)
        target.write_bytes(file.data)
        os.chown(target, owner, -1)
        target.chmod(file.mode)
        if file.modified:
            os.utime(target, (file.modified, file.modified))


def complete_files(mta: Instance) -> list[str]:
    """Return the ids of the messages that wait; what was never completed is none."""
    found = []
    for name, ids in mta.queue().items():
        for queue_id in ids if name in QUEUES else ():
            with suppress(FileNotFoundError):  # it goes elsewhere meanwhile
                if mta.spool_file(queue_id).stat().st_mode & 0o100:
                    found.append(queue_id)
    return found


def flush_until_empty_but_corrupt(mta: Instance) -> None:
    """Let all mail be delivered; what lies in corrupt stays."""
    for _ in range(20):
        assert mta.run("postqueue", "-f").returncode == 0
        if wait_until(lambda: not complete_files(mta), 0.5):
            mta.settle()
            if not complete_files(mta):  # a file that moves may be overlooked once
                return
    raise AssertionError(f"the queue still has {mta.queue()}")
