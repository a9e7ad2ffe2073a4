"""No owner of a virtual mailbox reads or writes anything as another: by link or hard link, nor by being quick.

Source: virtual(8), SECURITY; postconf(5) virtual_uid_maps.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.owned import owned_file, owned_link
from tests.kit.parity import Parity

from .test_local_mailboxes import listing

pytestmark = [pytest.mark.reference, pytest.mark.root]

ALICE, BOB = 61_001, 61_002
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "deliver_lock_attempts": "1",
    "virtual_uid_maps": f"inline:{{ bob@ours.example={BOB}, @ours.example={ALICE} }}",
    "virtual_gid_maps": "static:61000",
}
BOXES = {"box": "box", "file": "file", "dir": "dir/", "mail": "mail/"}
FILES: dict[str, str | bytes] = {"mailboxes": "".join(f"{name}@ours.example alice/{box}\n" for name, box in BOXES.items())}


def _folder(path: Path, owner: int, mode: int = 0o755) -> Path:
    path.mkdir()
    os.chown(path, owner, owner)
    path.chmod(mode)
    return path


@contextmanager
def _neighbours(mta: Instance) -> Iterator[tuple[Path, Path, Path]]:
    """Yield alice's folder, bob's, and root's; what is not hers is as it was afterwards, and nothing came to it."""
    for path in mta.mail_directory.iterdir():
        raise AssertionError(f"{path} is left of another case")
    os.chown(mta.mail_directory, 0, 0)
    alice, bob, root = (_folder(mta.mail_directory / name, owner) for name, owner in (("alice", ALICE), ("bob", BOB), ("root", 0)))
    for folder, owner in ((bob, BOB), (root, 0)):
        owned_file(folder / "private", owner, owner, 0o600, "secret\n")
        owned_file(folder / "shared", owner, owner, 0o644, "secret\n")
        for name in ("tmp", "new", "cur"):
            _folder(folder / name, owner)
    before = _state(bob) | _state(root)
    try:
        yield alice, bob, root
    finally:
        os.chown(mta.mail_directory, MAILBOX_OWNER, MAILBOX_OWNER)
    assert _state(bob) | _state(root) == before
    assert "secret" not in "\n".join(mta.log_lines())
    for path in alice.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1:
            assert "secret" not in path.read_text(), path


def _state(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return owner, mode and content of all in *folder*; how many names a file has is for others to change."""
    return {
        str(path): (path.lstat().st_uid, path.lstat().st_mode, path.read_text() if path.is_file() else "")
        for path in (folder, *folder.rglob("*"))
    }


def _send(mta: Instance, address: str) -> str:
    """Send a message and return what became of it."""
    queue_id = mta.send_message(address, "Subject: x\n\nhello\n", "")
    said = mta.wait_for_log(rf"{queue_id}: to=<.*(dsn=.*)")[1]
    mta.settle()
    return re.sub(r"/(new|tmp)/[\w.]+", r"/\1/FILE", said.replace(str(mta.directory), ""))


@pytest.mark.parametrize("whose", ["bob", "root"])
@pytest.mark.parametrize("kind", ["link", "hard link", "link to none", "lock"])
def test_mailboxes(exchanged: Parity, kind: str, whose: str) -> None:
    """What alice puts in the place of her mailbox, in a folder of hers."""

    def case(mta: Instance) -> object:
        with _neighbours(mta) as (alice, _, _):
            found = []
            for name, target in (("box", "private"), ("file", "shared")):
                place = mta.mail_directory / whose / (target if kind != "link to none" else f"no-{target}")
                if kind == "hard link":
                    os.link(place, alice / name)
                else:
                    owned_link(alice / (f"{name}.lock" if kind == "lock" else name), place, ALICE)
                found.append(_send(mta, f"{name}@ours.example"))
            return found, listing(alice)

    exchanged(case, main=MAIN, files=FILES, replace={"virtual": "pyfix"})


@pytest.mark.parametrize("whose", ["bob", "root"])
@pytest.mark.parametrize("part", ["", "tmp", "new", "cur"])
def test_maildirs(exchanged: Parity, part: str, whose: str) -> None:
    """What alice puts in the place of her Maildir, or of a folder in it."""

    def case(mta: Instance) -> object:
        with _neighbours(mta) as (alice, _, _):
            if part:
                _folder(alice / "dir", ALICE, 0o700)
            owned_link(alice / "dir" / part if part else alice / "dir", mta.mail_directory / whose / part, ALICE)
            return _send(mta, "dir@ours.example"), listing(alice)

    exchanged(case, main=MAIN, files=FILES, replace={"virtual": "pyfix"})


def test_races() -> None:
    """Mailboxes, Maildirs and locks change places with what is not alice's while virtual delivers."""
    with Instance("pyfix", MAIN, files=FILES) as mta:
        mta.start()
        with _neighbours(mta) as (alice, bob, root):
            _folder(alice / "mail", ALICE)
            targets: dict[Path, list[Path | None]] = {
                alice / "box": [bob / "private", root / "private", None], alice / "box.lock": [bob / "shared", None],
                alice / "file": [root / "shared", bob / "none", None], alice / "dir": [bob, root],
                alice / "mail/tmp": [bob / "tmp", root / "tmp"], alice / "mail/new": [bob / "new", root / "new"],
            }  # fmt: skip
            over = threading.Event()

            def swap() -> None:
                while not over.is_set():
                    for path, ends in targets.items():
                        new = path.with_name("being made")
                        for end in ends:
                            if end is None:
                                path.unlink(missing_ok=True)
                                continue
                            owned_link(new, end, ALICE)
                            new.rename(path)
                        if path.name in ("box", "file"):
                            # A second name of what is another's, nothing, and a mailbox as it should be.
                            os.link(ends[0] or bob / "private", new)
                            new.rename(path)
                            path.unlink(missing_ok=True)
                            owned_file(new, ALICE, ALICE, 0o600, "").rename(path)

            hand = threading.Thread(target=swap)
            hand.start()
            try:
                for _ in range(15):
                    for name in BOXES:
                        _send(mta, f"{name}@ours.example")
            finally:
                over.set()
                hand.join()
            # What is left waits for alice to stop; bob's and root's is as it was in any case.
            assert len(re.findall(r"/virtual\[\d+\]: \w+: to=<", "\n".join(mta.log_lines()))) >= 60
