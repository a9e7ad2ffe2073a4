"""What pyfix says is safe is on the disk: shown by traces of system calls (see ``tests.crash.trace``).

For each promise there is a proof that the test can fail: the same trace without its syncs, and a run with a daemon in
which fsync does nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crash import order
from tests.crash.order import Promises
from tests.crash.trace import Trace, Tracer, need_strace
from tests.kit import requirements, smtp
from tests.kit.instance import TRUSTED, Instance
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("sync order")]

CLIENTS = 24
MAIN = {
    "transport_maps": "inline:{{later.example=retry:4.4.1 not now}, {refused.example=error:5.7.9 not wanted}, "
    "{daemon@mail.ours.example=folders:}}",
    "mydestination": "mail.ours.example",
    "notify_classes": "",
}
MASTER = {"folders": "folders unix - n n - - local -o mail_spool_directory={dir}/localmail/"}
MAILBOXES = {
    "Maildir of a virtual user": "user@ours.example",
    "mailbox file of a virtual user": "mbox@ours.example",
    "mailbox file of a Unix user": "nobody@mail.ours.example",
    "Maildir of a Unix user": "daemon@mail.ours.example",
}

_BROKEN = """\
{first_line}
import sys; sys.path += {folders}
import os; os.fsync = os.fdatasync = lambda fd: None
{together}
from pyfix.launch import {kind} as begin; begin({name!r})
"""
"""A launcher in which nothing is synced.  Not one that master forks itself: it does not look like those."""


_NOT_TOGETHER = "import pyfix.runtime.filesync as sync; sync.sync_files = lambda fds: [None] * len(fds)"


def _new(**main: str) -> Instance:
    need_strace()
    try:
        return Instance(main=MAIN | main, master=dict(MASTER))
    except requirements.MISSING as reason:
        requirements.missing(reason)


@pytest.fixture(scope="module")
def mta() -> Iterator[Instance]:
    with _new() as instance:
        instance.start()
        warm_up(instance)
        yield instance


def warm_up(mta: Instance) -> None:
    """Let all daemons that mail needs run, so that they can be traced."""
    send_everywhere(mta)
    mta.wait_for_log(r"sender non-delivery notification")
    wait_until(lambda: not mta.queue().keys() - {"deferred"}, 10.0)
    mta.settle()
    mta.forget()


def send_everywhere(mta: Instance) -> None:
    """Send mail to each kind of mailbox, and some that is deferred and returned."""
    mta.send_message([*MAILBOXES.values()])
    submit(mta, "one@later.example", "one@refused.example")


def submit(mta: Instance, *recipients: str) -> None:
    """Submit a message by sendmail(1): smtpd(8) would refuse what is known to fail."""
    done = mta.run("sendmail", "-f", "user@ours.example", *recipients, input=b"Subject: x\n\nx\n")
    assert done.returncode == 0, done


def traced(mta: Instance, work: Callable[[], object]) -> Trace:
    """Return the trace of all processes of an instance while *work* is done."""
    with Tracer(mta.directory / "trace", mta.pids()) as tracer:
        work()
        assert wait_until(lambda: not mta.queue().keys() - {"deferred"}, 30.0), mta.queue()
        mta.settle()  # the trace has the end of each call
    return tracer.trace()


def at_the_same_time(mta: Instance, recipients: list[str], content: bytes) -> list[str]:
    """Send a message to each recipient, all of them ended at the same moment; return the replies."""
    replies = [""] * len(recipients)
    ready = threading.Barrier(len(recipients))

    def send(index: int, recipient: str) -> None:
        with mta.connect(TRUSTED) as client:
            for line in ("EHLO client.example", "MAIL FROM:<sender@client.example>", f"RCPT TO:<{recipient}>", "DATA"):
                client.say(line)
            ready.wait(30.0)
            replies[index] = client.say(smtp.dot_stuffed(content))[0]

    threads = [threading.Thread(target=send, args=pair) for pair in enumerate(recipients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    return replies


def check(find: Callable[[Trace], Promises], trace: Trace, count: int) -> None:
    """Check that a trace has *count* promises of a kind, all kept, and that without the syncs none would be."""
    found = find(trace)
    assert not found.broken
    assert len(found.kept) == count, found.kept
    without = find(trace.without_syncs())
    assert not without.kept
    assert len(without.broken) == count


# -- what is shown ------------------------------------------------------------------------------------------------


def test_queue_file_before_reply(mta: Instance) -> None:
    trace = traced(mta, lambda: [mta.send_message() for _ in range(3)])
    check(order.accepted, trace, 3)


def test_large_queue_file_before_reply(mta: Instance) -> None:
    """A file that is written in pieces, and whose first bytes are written last."""
    trace = traced(mta, lambda: mta.send_message(content=b"Subject: large\n\n" + 20_000 * b"A line of the text.\n" * 3))
    check(order.accepted, trace, 1)
    check(order.delivered, trace, 1)


def test_many_queue_files_before_replies(mta: Instance) -> None:
    """Files that are synced in one batch: each reply comes after the sync of its own file."""
    replies: list[str] = []
    recipients = CLIENTS * ["user@ours.example"]
    trace = traced(mta, lambda: replies.extend(at_the_same_time(mta, recipients, b"Subject: x\n\nx\n")))
    assert all(reply.startswith("250 2.0.0 Ok: queued as ") for reply in replies)
    check(order.accepted, trace, CLIENTS)
    check(order.delivered, trace, CLIENTS)
    one = replies[0].rpartition(" ")[2]
    assert [text.split()[0] for text in order.accepted(trace.without_syncs(f"/{one}")).broken] == [one]
    sizes = {
        kind: [len(batch) for batch in trace.batches() if kind in batch[0].path] for kind in ("/incoming/", "/mail/")
    }
    assert max(sizes["/incoming/"]) > 1, f"no batch of queue files: {sizes}"
    assert max(sizes["/mail/"]) > 1, f"no batch of mailbox files: {sizes}"


@pytest.mark.parametrize("recipient", MAILBOXES.values(), ids=MAILBOXES.keys())
def test_mailbox_before_mark_and_answer(mta: Instance, recipient: str) -> None:
    trace = traced(mta, lambda: mta.send_message(recipient))
    check(order.delivered, trace, 1)


def test_mailboxes_of_one_message(mta: Instance) -> None:
    trace = traced(mta, lambda: mta.send_message([*MAILBOXES.values()]))
    check(order.delivered, trace, len(MAILBOXES))


def test_many_messages_in_one_mailbox_file(mta: Instance) -> None:
    trace = traced(mta, lambda: at_the_same_time(mta, 12 * ["mbox@ours.example"], b"Subject: x\n\nFrom x\n"))
    check(order.delivered, trace, 12)


def test_logs_before_answer(mta: Instance) -> None:
    trace = traced(mta, lambda: submit(mta, "one@later.example", "two@later.example", "one@refused.example"))
    check(order.logged, trace, 3)
    mta.forget()


def test_posted_file_before_end(mta: Instance) -> None:
    trace = posted(mta)
    check(order.posted, trace, 2)


def posted(mta: Instance) -> Trace:
    sendmail = mta.command_directory / "sendmail"
    if "command_directory" in mta.main:
        sendmail = Path(mta.main["command_directory"].replace("{dir}", str(mta.directory))) / "sendmail"
    tracer = Tracer(mta.directory / "trace", program=[sendmail, "-f", "sender@client.example", "user@ours.example"])
    return tracer.run(mta.environment, b"Subject: x\n\nx\n")


# -- that it can fail ---------------------------------------------------------------------------------------------


def broken_instance(program: str, kind: str = "daemon") -> Instance:
    """Return an instance with one program in which fsync does nothing."""
    mta = _new(**{f"{kind}_directory": "{dir}/programs"})
    folder = mta.directory / "programs"
    folder.mkdir()
    own = mta.daemon_directory if kind == "daemon" else mta.command_directory
    for path in own.iterdir():
        (folder / path.name).symlink_to(path)
    launcher = (own / program).read_text()
    text = _BROKEN.format(
        first_line=launcher.partition("\n")[0],
        together=_NOT_TOGETHER if kind == "daemon" else "",
        folders=launcher.partition("sys.path += ")[2].partition(";")[0],
        kind=kind,
        name=program,
    )
    (folder / program).unlink()
    (folder / program).write_text(text)
    (folder / program).chmod(0o755)
    return mta


@pytest.mark.parametrize(
    ("program", "find", "what", "count"),
    [
        ("cleanup", order.accepted, " queued", 1),
        ("virtual", order.delivered, "@ours.example", 2),
        ("local", order.delivered, "@mail.ours.example", 2),
        ("bounce", order.logged, " in ", 2),
    ],
)
def test_missing_sync_is_seen(program: str, find: Callable[[Trace], Promises], what: str, count: int) -> None:
    with broken_instance(program) as mta:
        mta.start()
        warm_up(mta)
        found = find(traced(mta, lambda: send_everywhere(mta)))
    assert not [text for text in found.kept if what in text]
    assert len([text for text in found.broken if what in text]) >= count


def test_missing_sync_of_postdrop_is_seen() -> None:
    with broken_instance("postdrop", "command") as mta:
        assert len(order.posted(posted(mta)).broken) == 2
