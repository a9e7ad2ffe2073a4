"""A disk that is full while mail is delivered: both agents take back what they wrote, and say the same.

Source: local(8), virtual(8); RFC 3463 section 3.4.
"""

from __future__ import annotations

import os
import re
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
MAIN = {"smtpd_reject_unlisted_recipient": "no"}


@contextmanager
def _small(folder: Path) -> Iterator[None]:
    """Mount a file system of 64 kilobytes on *folder*."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=1777", "pyfix-test", folder], capture_output=True, check=False
    )
    if done.returncode:
        requirements.missing(f"no file system can be mounted here: {done.stderr!r}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("box", ["games@localhost", "mbox@ours.example", "user@ours.example"])
def test_no_room(exchanged: Parity, box: str) -> None:
    """The mailbox is as it was before, and mail waits."""

    def case(mta: Instance) -> object:
        folder = mta.mail_directory if "ours" in box else mta.directory / "localmail"
        with _small(folder):
            if "ours" in box:
                os.chown(folder, MAILBOX_OWNER, MAILBOX_OWNER)
            first = mta.send_message(box, "Subject: x\n\nx\n", "")
            mta.wait_for_log(rf"{first}: removed")
            before = [path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()]
            queue_id = mta.send_message(box, "Subject: x\n\n" + 1000 * f"{'x' * 98}\n", "")
            said = mta.wait_for_log(rf"{queue_id}: to=<.*(dsn=.*)")[1]
            mta.settle()
            after = [path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()]
            assert before == after
            return re.sub(r"/tmp/\d\S+", "/tmp/FILE", said).replace(str(mta.directory), ""), after

    exchanged(case, main=MAIN, replace=OURS, fresh=True)
