"""A disk that is full, a quota or a limit that is reached, and syncs that fail while mail is delivered.

Both agents take back what they wrote, leave nothing behind, and say the same.  Source: local(8), virtual(8); RFC 3463
section 3.4.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import requirements
from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"local": "pyfix", "virtual": "pyfix"}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": "inline:{{back.example=discard:}}",
    "virtual_destination_concurrency_limit": "1",
    "local_destination_concurrency_limit": "1",
}
BIG = "Subject: x\n\n" + 1000 * f"{'x' * 98}\n"
SMALL = "Subject: x\n\nx\n"
BOXES = ["games@localhost", "mbox@ours.example", "user@ours.example"]


def _folder(mta: Instance, box: str) -> Path:
    return mta.mail_directory if "ours" in box else mta.directory / "localmail"


@contextmanager
def _small(folder: Path, box: str, options: str = "size=64k") -> Iterator[None]:
    """Mount a small file system on *folder*, with the owner and mode that the folder of *box* has."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"{options},mode=1777", "pyfix-test", folder], capture_output=True, check=False
    )
    if done.returncode:
        requirements.missing(f"no file system can be mounted here: {done.stderr!r}")
    try:
        if "ours" in box:
            os.chown(folder, MAILBOX_OWNER, MAILBOX_OWNER)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _sizes(folder: Path) -> list[tuple[str, int]]:
    """Return the folders and files below *folder*; messages in a Maildir have names that nobody knows before."""
    return [
        (str(path.relative_to(folder) if path.is_dir() else path.parent.relative_to(folder)), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file() or not any(path.iterdir())
    ]


def _outcome(mta: Instance, box: str, content: str, sender: str = "") -> str:
    """Send a message and return what was logged of it by the agent, names of temporary files apart."""
    queue_id = mta.send_message(box, content, sender)
    said = mta.wait_for_log(rf"{queue_id}: to=<.*(dsn=.*)")[1]
    mta.settle()
    lines = [line.partition("]: ")[2] for line in mta.log_lines() if re.search(r"/(local|virtual)\[", line)]
    more = [line for line in lines if " to=<" not in line]
    log = mta.queue_directory / "defer" / queue_id[0] / queue_id
    told = [line for line in log.read_text().splitlines() if not line.startswith("offset=")] if log.exists() else []
    text = "\n".join([said, *more, *told]).replace(str(mta.directory), "").replace(queue_id, "ID")
    return re.sub(r"/(tmp|new)/\d\S+?(?=: |\s|$)", r"/\1/FILE", text)


def _first(mta: Instance, box: str) -> None:
    queue_id = mta.send_message(box, SMALL, "")
    mta.wait_for_log(rf"{queue_id}: removed")


@pytest.mark.parametrize("box", BOXES)
def test_no_room(exchanged: Parity, box: str) -> None:
    """The mailbox is as it was before, and mail waits."""

    def case(mta: Instance) -> object:
        folder = _folder(mta, box)
        with _small(folder, box):
            _first(mta, box)
            before = _sizes(folder)
            said = _outcome(mta, box, BIG)
            assert before == _sizes(folder)
            return said, before

    exchanged(case, main=MAIN, replace=OURS, fresh=True)


@pytest.mark.parametrize("inodes", range(2, 6))
@pytest.mark.parametrize("box", BOXES)
def test_no_room_for_files(exchanged: Parity, box: str, inodes: int) -> None:
    """Lock files, mailboxes, folders and files that can't be made, because there are too many already.

    With six there is room for a message in a Maildir, but not for a second name of it, by which Postfix's agents move it.
    """

    def case(mta: Instance) -> object:
        folder = _folder(mta, box)
        with _small(folder, box, f"nr_inodes={inodes}"):
            said = _outcome(mta, box, SMALL, "back@back.example")
            return said, _sizes(folder)

    exchanged(case, main=MAIN, replace=OURS)


@contextmanager
def _failing(mta: Instance, agent: str, path: Path, call: str, error: str) -> Iterator[None]:
    """Let the processes of an agent fail with *error* when they do *call* with the file *path*; see strace(1)."""
    if shutil.which("strace") is None:
        requirements.missing("strace(1) is not here")
    pids = ",".join(str(pid) for pid in mta.pids_of(agent))
    assert pids
    name, _, when = call.partition(":")
    fault = ":".join(filter(None, (name, f"error={error}", when)))
    command = ["strace", "-f", "-p", pids, "-P", str(path), "-e", f"trace={name}", "-e", f"inject={fault}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        try:
            line = tracer.stderr.readline()
            assert "attached" in line, line
            yield
        finally:
            tracer.terminate()
            tracer.communicate(timeout=10)


@pytest.mark.parametrize("error", ["EDQUOT", "ENOSPC", "EFBIG", "EIO"])
@pytest.mark.parametrize("call", ["write", "write:when=2+", "fsync"])
@pytest.mark.parametrize("box", ["games@localhost", "mbox@ours.example"])
def test_calls_that_fail(exchanged: Parity, box: str, call: str, error: str) -> None:
    """Errors of write(2), at once or within the message, and of fsync(2) in a mailbox file: what was written is cut off."""

    def case(mta: Instance) -> object:
        folder = _folder(mta, box)
        _first(mta, box)
        before = _sizes(folder)
        agent, name = ("virtual", "mbox") if "ours" in box else ("local", "games")
        with _failing(mta, agent, folder / name, call, error):
            said = _outcome(mta, box, 20 * BIG, "back@back.example")
        assert before == _sizes(folder)
        return said, before

    exchanged(case, main=MAIN, replace=OURS)
