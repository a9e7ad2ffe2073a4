"""No user reads, writes or runs anything as another: by alias, .forward, link or hard link, nor by being quick.

Source: local(8), SECURITY.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from pwd import getpwnam

import pytest

from tests.kit.accounts import FIRST_ID
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.delivery.localmail import ACCOUNTS, MAIN, OURS, Written, clean, compare, send, write

pytestmark = [pytest.mark.reference, pytest.mark.root]

ALIASES = """\
run "|/usr/bin/id; exit 1"
write {dir}/home/bob/private
read :include:{dir}/home/alice/list
"""
FILES: dict[str, str | bytes] = {"aliases": ALIASES}
SECRET = "the secret of bob\n"


def _secrets(mta: Instance) -> None:
    """Bob has files that only he may read or write, and root has one, too."""
    clean(mta)
    write(mta, "~bob/private", Written(SECRET, mode=0o600))
    write(mta, "~bob/shared", Written(SECRET, mode=0o644))
    write(mta, "out/root", Written("root's\n", mode=0o600))
    (mta.directory / "home/bob/private").chmod(0o600)
    (mta.directory / "home/bob").chmod(0o700)


def _is_unharmed(mta: Instance) -> None:
    (mta.directory / "home/bob").chmod(0o755)
    for name in ("private", "shared"):
        path = mta.directory / "home/bob" / name
        assert path.read_text() == SECRET and path.stat().st_uid == FIRST_ID + 1
    assert (mta.directory / "out/root").read_text() == "root's\n"
    for folder in ("home/alice", "localmail"):
        for path in (mta.directory / folder).rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1 and "link" not in path.name:
                assert "secret" not in path.read_text(errors="replace"), path


_FORWARDS = {
    "files of others": "{dir}/home/bob/private, {dir}/home/bob/shared, {dir}/out/root, {dir}/home/bob/new\n",
    "lists of others": ":include:{dir}/home/bob/private, :include:{dir}/out/root\n",
    "a command": "\"|cat {dir}/home/bob/private {dir}/out/root; echo x > {dir}/home/bob/new; id; exit 1\"\n",
    "folders of others": "{dir}/home/bob/, {dir}/home/bob/private/, {dir}/home/carol/box/\n",
    "odd names": "~/../bob/private, {dir}/home/alice/../bob/shared, \"|/bin/sh {dir}/home/bob/private\", /proc/self/mem\n",
    "aliases": "run, write, read\n",
}


@pytest.mark.parametrize("name", _FORWARDS)
def test_forward_files(exchanged: Parity, name: str) -> None:
    def case(mta: Instance) -> None:
        _secrets(mta)
        write(mta, "~alice/.forward", _FORWARDS[name])
        write(mta, "~alice/list", "carol, ~/x, \"|id; exit 1\"\n")
        send(mta, "alice@localhost")
        _is_unharmed(mta)
        compare(mta)

    main = {**MAIN, "allow_mail_to_commands": "alias, forward, include", "allow_mail_to_files": "alias, forward, include"}
    exchanged(case, main=main, files=FILES, accounts=ACCOUNTS, replace=OURS)


@pytest.mark.parametrize("what", ["link", "link to root's", "hard link", "hard link to root's", "link to none", "lock link"])
@pytest.mark.parametrize("place", ["spool", "home", "file"])
def test_links(exchanged: Parity, place: str, what: str) -> None:
    """What alice puts in the place of her mailbox, or of a file that her .forward names."""

    def case(mta: Instance) -> None:
        _secrets(mta)
        (mta.directory / "home/bob").chmod(0o755)
        box = mta.directory / {"spool": "localmail/alice", "home": "home/alice/box", "file": "home/alice/f"}[place]
        target = mta.directory / ("out/root" if "root" in what else "home/bob/private")
        match what.split(maxsplit=1)[0], what:
            case "hard", _:
                os.link(target, box)
            case "lock", _:
                box.with_name(box.name + ".lock").symlink_to(target)
            case _, "link to none":
                box.symlink_to(mta.directory / "home/bob/new")
            case _:
                box.symlink_to(target)
        if place == "file":
            write(mta, "~alice/.forward", "~/f\n")
        for path in (box, box.with_name(box.name + ".lock")):
            if path.is_symlink():
                os.chown(path, FIRST_ID, FIRST_ID, follow_symlinks=False)
        send(mta, "alice@localhost")
        _is_unharmed(mta)
        compare(mta)

    main = {**MAIN, "home_mailbox": "box" if place == "home" else ""}
    exchanged(case, main=main, files=FILES, accounts=ACCOUNTS, replace=OURS)


@pytest.mark.parametrize("place", ["all", "tmp", "new"])
def test_links_to_folders(exchanged: Parity, place: str) -> None:
    """What alice puts in the place of her Maildir, or of a folder in it, is a link to one of bob's and one of root's."""

    def case(mta: Instance) -> None:
        for folder, owner in (("home/bob/box", FIRST_ID + 1), ("out/box", 0)):
            _secrets(mta)
            (mta.directory / "home/bob").chmod(0o755)
            box, target = mta.directory / "home/alice/box", mta.directory / folder
            for path in (target, target / "tmp", target / "new", target / "cur"):
                path.mkdir()
                os.chown(path, owner, owner)
            link = box if place == "all" else box / place
            if place != "all":
                box.mkdir()
                os.chown(box, FIRST_ID, FIRST_ID)
            link.symlink_to(target if place == "all" else target / place)
            os.chown(link, FIRST_ID, FIRST_ID, follow_symlinks=False)
            write(mta, "~alice/.forward", "\\alice, ~/box/\n")
            send(mta, "alice@localhost")
            assert not [path for path in target.rglob("*") if path.is_file()]
            _is_unharmed(mta)
            compare(mta)

    exchanged(case, main={**MAIN, "home_mailbox": "box/"}, files=FILES, accounts=ACCOUNTS, replace=OURS)


def test_a_forward_file_that_is_a_hard_link(exchanged: Parity) -> None:
    """Alice gives the name .forward to a file of bob's, or of root's, that she may not read, and to one that she may."""

    def case(mta: Instance) -> None:
        for target in ("home/bob/private", "home/bob/shared", "out/root"):
            _secrets(mta)
            (mta.directory / "home/bob").chmod(0o755)
            os.link(mta.directory / target, mta.directory / "home/alice/.forward")
            send(mta, "alice@localhost")
            _is_unharmed(mta)
            compare(mta)

    exchanged(case, main=MAIN, files=FILES, accounts=ACCOUNTS, replace=OURS)


def test_a_quick_hand(exchanged: Parity) -> None:
    """Alice changes her mailbox, her .forward file and her list for links to what is not hers, all the time."""

    def case(mta: Instance) -> None:
        _secrets(mta)
        home = mta.directory / "home/alice"
        bob = mta.directory / "home/bob"
        (mta.directory / "home/bob").chmod(0o755)
        over = threading.Event()

        def swap() -> None:
            pairs: list[tuple[Path, Path]] = [
                (home / ".forward", bob / "private"), (home / "list", mta.directory / "out/root"), (home / "f", bob / "shared"),
            ]  # fmt: skip
            texts = ["~/f, :include:{dir}/home/alice/list, \\alice\n", "~/g\n", ""]
            while not over.is_set():
                for (path, target), text in zip(pairs, texts, strict=True):
                    new = home / "new"
                    new.symlink_to(target)
                    new.rename(path)
                    new.write_text(text.replace("{dir}", str(mta.directory)))
                    os.chown(new, FIRST_ID, FIRST_ID)
                    new.rename(path)

        hand = threading.Thread(target=swap)
        hand.start()
        try:
            for _ in range(12):
                send(mta, "alice@localhost", "read@localhost")
        finally:
            over.set()
            hand.join()
        _is_unharmed(mta)

    exchanged(case, main=MAIN, files=FILES, accounts=ACCOUNTS, replace=OURS)


def test_what_root_reads_for_an_alias() -> None:
    """Alice's link in the place of her list, which an alias of root's names: the reference reads the target as root."""
    files: dict[str, str | bytes] = {"aliases": "read :include:{dir}/home/alice/list\nhard :include:{dir}/home/alice/hard\n"}
    with Instance("pyfix", MAIN, files=files, accounts=ACCOUNTS) as mta:
        mta.start()
        _secrets(mta)
        home = mta.directory / "home/alice"
        (home / "list").symlink_to(mta.directory / "out/root")
        os.link(mta.directory / "out/root", home / "hard")
        send(mta, "read@localhost", "hard@localhost")
        said = "\n".join(mta.log_lines())
        for name in ("list", "hard"):
            assert f"cannot open include file {home / name}: Permission denied" in said
        assert "root's" not in said


@pytest.mark.parametrize("place", ["home", "spool"])
def test_races(place: str) -> None:
    """Mailbox, Maildir, lock, list and home change places with what is not alice's while local delivers."""
    main = {**MAIN, "home_mailbox": "box" if place == "home" else "", "deliver_lock_attempts": "1"}
    files: dict[str, str | bytes] = {"aliases": "read :include:{dir}/home/alice/list\ndir {dir}/home/alice/dir/\n"}
    with Instance("pyfix", main, files=files, accounts=ACCOUNTS) as mta:
        mta.start()
        _secrets(mta)
        home, bob, out = mta.directory / "home/alice", mta.directory / "home/bob", mta.directory / "out"
        (bob / "tmp").mkdir()
        (bob / "new").mkdir()
        for folder in (bob, bob / "tmp", bob / "new"):
            os.chown(folder, FIRST_ID + 1, FIRST_ID + 1)
            folder.chmod(0o755)
        box = home / "box" if place == "home" else mta.directory / "localmail/alice"
        targets = {
            box: [bob / "private", out / "root", None], box.with_name(f"{box.name}.lock"): [bob / "shared", None],
            home / "list": [out / "root", bob / "private"], home / "dir": [bob, out],
            home / "maildir/tmp": [bob / "tmp"], home / "maildir/new": [bob / "new"],
        }  # fmt: skip
        (home / "maildir").mkdir()
        os.chown(home / "maildir", FIRST_ID, FIRST_ID)
        write(mta, "~alice/.forward", "\\alice, ~/maildir/\n")
        over = threading.Event()

        def swap() -> None:
            while not over.is_set():
                for path, ends in targets.items():
                    new = path.with_name("being made")
                    for end in ends:
                        if end is None:
                            path.unlink(missing_ok=True)
                            continue
                        new.symlink_to(end)
                        os.chown(new, FIRST_ID, FIRST_ID, follow_symlinks=False)
                        new.rename(path)
                    if path == box:
                        # Now and then a second name of what is another's, too.
                        os.link(bob / "private", new)
                        new.rename(path)
                        path.unlink(missing_ok=True)
                        new.write_text("")
                        os.chown(new, FIRST_ID, FIRST_ID)
                        new.rename(path)

        before = {path: path.read_bytes() for path in (bob / "private", bob / "shared", out / "root")}
        hand = threading.Thread(target=swap)
        hand.start()
        try:
            for _ in range(15):
                send(mta, "alice@localhost", "read@localhost", "dir@localhost")
        finally:
            over.set()
            hand.join()
        assert {path: path.read_bytes() for path in before} == before
        assert not list((bob / "tmp").iterdir()) and not list((bob / "new").iterdir())
        assert {path.name for path in bob.iterdir()} == {"private", "shared", "tmp", "new"}
        assert {path.stat().st_uid for path in out.iterdir()} <= {0, getpwnam("nobody").pw_uid}
        said = "\n".join(mta.log_lines())
        assert "root's" not in said and "secret" not in said
