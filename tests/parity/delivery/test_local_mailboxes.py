"""Mailboxes of users that are something else than a file of theirs: both agents do the same with them.

Source: local(8), postconf(5) strict_mailbox_ownership, mail_spool_directory; the log, files and modes of the reference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from pwd import getpwnam

import pytest

from tests.kit.instance import Instance
from tests.kit.owned import owned_file, owned_link
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"local": "pyfix"}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "deliver_lock_attempts": "1",
    "message_size_limit": "9000",
    "mailbox_size_limit": "9000",
}
USER, OTHER = getpwnam("games"), getpwnam("daemon")
CONTENT = "Subject: x\n\nhello\n"


def listing(folder: Path) -> list[str]:
    """Return what is below a folder: names, modes, owners, numbers of links."""
    found = []
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.parent.name in ("new", "tmp"):
            name = f"{path.parent.relative_to(folder)}/..."
        status = path.lstat()
        found.append(f"{name} {status.st_mode:o} {status.st_uid}:{status.st_gid} {status.st_nlink} {status.st_size}")
    return sorted(found)  # the names of messages in a Maildir are in nobody's order


def _file(path: Path, owner: int = USER.pw_uid, mode: int = 0o600, text: str = "before\n") -> Path:
    return owned_file(path, owner, mode=mode, text=text)


def _fifo(box: Path) -> None:
    os.mkfifo(box)
    os.chown(box, USER.pw_uid, -1)


def _device(box: Path) -> None:
    os.mknod(box, 0o20666, os.makedev(1, 3))
    os.chown(box, USER.pw_uid, -1)


def _directory(box: Path) -> None:
    box.mkdir()
    os.chown(box, USER.pw_uid, -1)


def _two_links(box: Path) -> None:
    os.link(_file(box), box.parent / "another")


def _link_to_link(box: Path) -> None:
    _file(box.parent / "target")
    owned_link(box.parent / "between", box.parent / "target", 0)
    owned_link(box, box.parent / "between", 0)


def _lock_is_a_directory(box: Path) -> None:
    Path(f"{box}.lock").mkdir()


def _lock_is_a_link(box: Path) -> None:
    Path(f"{box}.lock").symlink_to("nowhere")


BOXES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda box: None,
    "a FIFO": _fifo,
    "a device": _device,
    "a directory": _directory,
    "two links": _two_links,
    "a link of root": lambda box: owned_link(box, _file(box.parent / "target"), 0),
    "a link of the user": lambda box: owned_link(box, _file(box.parent / "target"), USER.pw_uid),
    "a link of somebody else": lambda box: owned_link(box, _file(box.parent / "target"), OTHER.pw_uid),
    "a link of root to nothing": lambda box: owned_link(box, box.parent / "target", 0),
    "a link of the user to nothing": lambda box: owned_link(box, box.parent / "target", USER.pw_uid),
    "a link of root to the null device": lambda box: owned_link(box, Path("/dev/null"), 0),
    "a link of root to a file of somebody else": lambda box: owned_link(box, _file(box.parent / "t", OTHER.pw_uid, 0o666), 0),
    "a link of root to a link": _link_to_link,
    "a link to itself": lambda box: owned_link(box, box, 0),
    "a file of somebody else": lambda box: _file(box, OTHER.pw_uid),
    "a file of somebody else that all may write": lambda box: _file(box, OTHER.pw_uid, 0o666),
    "a file of root that all may write": lambda box: _file(box, 0, 0o666),
    "a file that may only be read": lambda box: _file(box, mode=0o400),
    "a file that nobody may use": lambda box: _file(box, mode=0o000),
    "an executable file": lambda box: _file(box, mode=0o755),
    "a lock that is a directory": _lock_is_a_directory,
    "a lock that is a link": _lock_is_a_link,
}
FOLDERS: dict[str, tuple[int, int, int]] = {
    "sticky": (0o1777, 0, 0),
    "of all": (0o777, 0, 0),
    "set-gid": (0o2775, 0, 8),
    "sticky and of a group": (0o3775, 0, 8),
    "of root": (0o755, 0, 0),
    "of the user": (0o700, USER.pw_uid, USER.pw_gid),
    "closed": (0o000, 0, 0),
}


def _deliver(mta: Instance, box: Callable[[Path], object], folder: tuple[int, int, int], user: str = "games") -> object:
    spool = mta.directory / "localmail"
    try:
        box(spool / user)
        mode, owner, group = folder
        os.chown(spool, owner, group)
        spool.chmod(mode)
        queue_id = mta.send_message(f"{user}@localhost", CONTENT, "")
        mta.wait_for_log(rf"{queue_id}: to=<")
        mta.settle()
        return listing(spool)
    finally:
        os.chown(spool, 0, 0)
        spool.chmod(0o1777)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("folder", ["sticky", "set-gid", "of root"])
def test_mailboxes(exchanged: Parity, box: str, folder: str) -> None:
    exchanged(
        lambda mta: _deliver(mta, BOXES[box], FOLDERS[folder]), main=MAIN, replace=OURS, logs="local"
    )


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("box", ["nothing", "a file", "a file of somebody else"])
@pytest.mark.parametrize("user", ["games", "root"])
def test_folders(exchanged: Parity, box: str, folder: str, user: str) -> None:
    boxes = {**BOXES, "a file": lambda path: _file(path, getpwnam(user).pw_uid)}
    exchanged(
        lambda mta: _deliver(mta, boxes[box], FOLDERS[folder], user), main=MAIN, replace=OURS, logs="local"
    )


@pytest.mark.parametrize("box", ["a file of somebody else that all may write", "a file of root that all may write"])
def test_whose_the_mailbox_is_does_not_matter(exchanged: Parity, box: str) -> None:
    """postconf(5) strict_mailbox_ownership = no."""
    main = {**MAIN, "strict_mailbox_ownership": "no"}
    exchanged(lambda mta: _deliver(mta, BOXES[box], FOLDERS["sticky"]), main=main, replace=OURS, logs="local")
