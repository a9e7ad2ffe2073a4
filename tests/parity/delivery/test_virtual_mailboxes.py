"""Mailboxes, folders and table entries of virtual(8) that are not as they should be: both agents do the same with them.

Source: virtual(8), postconf(5) virtual_mailbox_maps, virtual_uid_maps, virtual_minimum_uid, virtual_mailbox_lock.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.owned import owned_file, owned_link
from tests.kit.parity import Parity

from .test_local_content import held
from .test_local_mailboxes import listing

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"virtual": "pyfix"}
_ENTRIES = {
    "box": "box", "maildir": "maildir/", "deep": "no/such/folder/box", "deepdir": "no/such/folder/", "abs": "/box",
    "infile": "file/box", "infiledir": "file/", "up": "../x", "dots": "a/..", "dot": "./box", "name": "a..b",
    "inclosed": "closed/box", "closed": "closed/", "new": "halfdir/", "blank": "a b/", "slashes": "//x//", "inside": "x../y", "root": "/",
    "uidx": "box", "uid99": "box", "uid100": "hundred", "uidneg": "box", "uidbig": "box", "gid0": "box", "gidx": "box",
    "nouid": "box", "nogid": "box", "user+ext": "extended", "user": "plain", "Case": "case",
}  # fmt: skip
_UIDS = {
    "uidx": "12x", "uid99": "99", "uid100": "100", "uidneg": "-5", "uidbig": "99999999999", "nouid": "",
}  # fmt: skip
_GIDS = {"gid0": "0", "gidx": "x", "nogid": ""}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "deliver_lock_attempts": "1",
    "message_size_limit": "9000",
    "virtual_mailbox_limit": "9000",
    "virtual_mailbox_domains": "ours.example, all.example",
    "virtual_uid_maps": "texthash:{dir}/etc/uids",
    "virtual_gid_maps": "texthash:{dir}/etc/gids",
}


def _table(values: dict[str, str], default: str) -> str:
    names = [*_ENTRIES, "@all.example"]
    pairs = [(name, values.get(name, default)) for name in names]
    return "".join(f"{name if '@' in name else f'{name}@ours.example'} {value}\n" for name, value in pairs if value)


FILES: dict[str, str | bytes] = {
    "mailboxes": _table({**_ENTRIES, "@all.example": "all"}, ""),
    "uids": _table(_UIDS, str(MAILBOX_OWNER)),
    "gids": _table(_GIDS, str(MAILBOX_OWNER)),
}


def _file(path: Path, owner: int = MAILBOX_OWNER, mode: int = 0o600, text: str = "before\n") -> Path:
    return owned_file(path, owner, owner, mode, text)


def _folder(path: Path, mode: int = 0o700, owner: int = MAILBOX_OWNER) -> Path:
    path.mkdir()
    os.chown(path, owner, owner)
    path.chmod(mode)
    return path


def _without_last_line(text: str) -> str:
    return re.sub(r"/tmp/\S+", "/tmp/FILE", text)


def _send(mta: Instance, address: str) -> str:
    queue_id = mta.send_message(address, "Subject: x\n\nhello\n", "")
    said = mta.wait_for_log(rf"{queue_id}: (to=<.*)")[1]
    mta.settle()
    return _without_last_line(re.sub(r"delay=.*?, dsn=", "dsn=", said))


def _warnings(mta: Instance) -> list[str]:
    """Return what was said beside the outcome; names of new files differ."""
    lines = [line.partition("virtual[")[2].partition("]: ")[2] for line in mta.log_lines() if "virtual[" in line]
    return [_without_last_line(line).replace(str(mta.directory), "") for line in lines if " to=<" not in line]


@pytest.mark.parametrize("name", _ENTRIES)
def test_entries(exchanged: Parity, name: str) -> None:
    """Paths, and ids, of all kinds."""

    def case(mta: Instance) -> object:
        folder = mta.mail_directory
        _file(folder / "file")
        _folder(folder / "closed", 0o500)
        _folder(_folder(folder / "halfdir") / "tmp")
        said = _send(mta, f'"{name}"@ours.example')
        return said.replace(str(mta.directory), ""), _warnings(mta), listing(folder)

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True)


@pytest.mark.parametrize(
    "address",
    ["any@all.example", "any+x@all.example", "ANY@All.Example", "user+other@ours.example", "user+ext@ours.example",
     "USER+EXT@ours.example", "+ext@ours.example", "user+@ours.example", "case@ours.example", "nobody@ours.example"],
)  # fmt: skip
def test_keys(exchanged: Parity, address: str) -> None:
    """Which key an address is found by."""

    def case(mta: Instance) -> object:
        return _send(mta, address), _warnings(mta), listing(mta.mail_directory)

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True)


def _two_links(box: Path) -> None:
    os.link(_file(box), box.parent / "another")


def _fifo(box: Path) -> None:
    os.mkfifo(box)
    os.chown(box, MAILBOX_OWNER, MAILBOX_OWNER)


def _device(box: Path) -> None:
    os.mknod(box, 0o20666, os.makedev(1, 3))
    os.chown(box, MAILBOX_OWNER, MAILBOX_OWNER)


BOXES: dict[str, Callable[[Path], object]] = {
    "a FIFO": _fifo,
    "a device": _device,
    "a directory": _folder,
    "two links": _two_links,
    "a link of root": lambda box: owned_link(box, _file(box.parent / "target"), 0),
    "a link of the owner": lambda box: owned_link(box, _file(box.parent / "target"), MAILBOX_OWNER),
    "a link of somebody else": lambda box: owned_link(box, _file(box.parent / "target"), 1),
    "a link of root to nothing": lambda box: owned_link(box, box.parent / "target", 0),
    "a link to itself": lambda box: owned_link(box, box, 0),
    "a file of somebody else": lambda box: _file(box, 1),
    "a file of somebody else that all may write": lambda box: _file(box, 1, 0o666),
    "a file that may only be read": lambda box: _file(box, mode=0o400),
    "a lock that is a directory": lambda box: Path(f"{box}.lock").mkdir(),
    "a lock that is a link": lambda box: Path(f"{box}.lock").symlink_to("nowhere"),
}


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("root", [False, True])
def test_boxes(exchanged: Parity, box: str, root: bool) -> None:
    """What is in the place of a mailbox, in a folder of its owner and in one of root."""

    def case(mta: Instance) -> object:
        folder = mta.mail_directory
        BOXES[box](folder / "box")
        try:
            if root:
                os.chown(folder, 0, 0)
            said = _send(mta, "box@ours.example")
            return said.replace(str(mta.directory), ""), _warnings(mta), listing(folder)
        finally:
            os.chown(folder, MAILBOX_OWNER, MAILBOX_OWNER)

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True)


MAILDIRS: dict[str, Callable[[Path], object]] = {
    "a file": _file,
    "a closed folder": lambda path: _folder(path, 0o500),
    "a folder of somebody else": lambda path: _folder(path, 0o755, 1),
    "a closed tmp": lambda path: _folder(_folder(path) / "tmp", 0o500),
    "tmp is a file": lambda path: _file(_folder(path) / "tmp"),
    "tmp only": lambda path: _folder(_folder(path) / "tmp"),
    "a link": lambda path: owned_link(path, _folder(path.parent / "target"), MAILBOX_OWNER),
}


@pytest.mark.parametrize("kind", MAILDIRS)
def test_maildirs(exchanged: Parity, kind: str) -> None:
    """What is in the place of a Maildir."""

    def case(mta: Instance) -> object:
        MAILDIRS[kind](mta.mail_directory / "maildir")
        said = _send(mta, "maildir@ours.example")
        return said.replace(str(mta.directory), ""), _warnings(mta), listing(mta.mail_directory)

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True)


@pytest.mark.parametrize("new", ["a closed new", "new is a file"])
def test_the_last_step_to_new_fails(exchanged: Parity, new: str) -> None:
    """The file is in tmp, and cannot go to new."""

    def case(mta: Instance) -> object:
        folder = _folder(mta.mail_directory / "maildir")
        _folder(folder / "tmp")
        (_folder(folder / "new", 0o500) if new == "a closed new" else _file(folder / "new"))
        queue_id = mta.send_message("maildir@ours.example", "Subject: x\n\nhello\n", "")
        said = mta.wait_for_log(rf"{queue_id}: to=<.*(dsn=.*)")[1]
        mta.settle()
        return re.sub(r"\S+/new/\S+", "/new/FILE", said), listing(mta.mail_directory)

    exchanged(case, main=MAIN, files=FILES, replace=OURS)


@pytest.mark.parametrize(
    "change",
    [
        {"virtual_mailbox_base": "{dir}/no/such/folder"}, {"virtual_mailbox_base": "{dir}/mail/"},
        {"virtual_mailbox_base": "{dir}/log/maillog"}, {"virtual_minimum_uid": "65534"},
        {"virtual_minimum_uid": "65535"}, {"strict_mailbox_ownership": "no"},
        {"virtual_uid_maps": "static:65534", "virtual_gid_maps": "static:65534", "virtual_mailbox_maps": "static:one"},
        {"virtual_uid_maps": ""}, {"virtual_gid_maps": ""}, {"virtual_mailbox_maps": ""},
        {"virtual_uid_maps": "fail:no"}, {"virtual_gid_maps": "fail:no"}, {"virtual_mailbox_maps": "fail:no"}, {"recipient_delimiter": "-+"},
        {"virtual_mailbox_base": ""}, {"virtual_mailbox_limit": "100"}, {"virtual_mailbox_lock": "bogus"},
        {"virtual_mailbox_lock": ""}, {"virtual_minimum_uid": "0"}, {"virtual_mailbox_limit": "0"},
        {"virtual_mailbox_lock": "fcntl bogus"}, {"virtual_mailbox_limit": "-1"}, {"virtual_mailbox_base": "relative"},
        {"virtual_mailbox_base": "/"}, {"virtual_mailbox_base": "{dir}/mail/../mail"}, {"virtual_minimum_uid": "x"},
        {"virtual_mailbox_limit": "9000", "message_size_limit": "0"}, {"virtual_uid_maps": "static:+65534"},
        {"virtual_uid_maps": "static:4294967295"}, {"virtual_uid_maps": "static:4294967294"}, {"virtual_gid_maps": "static:0065534"},
        {"virtual_gid_maps": "static:65534x"}, {"virtual_uid_maps": "inline:{@ours.example=65534}"}, {"soft_bounce": "yes"},
        {"virtual_transport": "error:5.1.2 gone"}, {"virtual_transport": "virtual:elsewhere"}, {"virtual_transport": "discard:"},
        {"virtual_mailbox_maps": "static:/"}, {"virtual_mailbox_maps": "inline:{@ours.example=all/}"},
    ],
)  # fmt: skip
def test_settings(exchanged: Parity, change: dict[str, str]) -> None:
    """Settings that change where mail goes, whether it does, and whether the agent runs at all."""

    def case(mta: Instance) -> object:
        found = []
        # One after the other: some settings give both one mailbox, and a second process would find it locked.
        for name in ("box@ours.example", "user+ext@ours.example"):
            queue_id = mta.send_message(name, sender="")
            found.append(mta.wait_for_log(rf"{queue_id}: to=<.*(dsn=.*)|virtual\[\d+\]: (fatal: .*)").groups())
        mta.settle()
        return str(found).replace(str(mta.directory), ""), listing(mta.mail_directory)

    exchanged(case, main={**MAIN, **change}, files=FILES, replace=OURS, fresh=True)


@pytest.mark.parametrize(
    "locks", ["fcntl", "flock", "dotlock", "fcntl, dotlock", "flock, fcntl", "flock, dotlock", "FCNTL"]
)
def test_locks(exchanged: Parity, locks: str) -> None:
    """postconf(5) virtual_mailbox_lock, with a lock that somebody else holds."""

    def case(mta: Instance) -> object:
        if locks == "FCNTL":
            mta.send_message("box@ours.example")
            return mta.wait_for_log(r"virtual\[\d+\]: (fatal: .*)")[1]
        said = []
        for name, how in (("box", "fcntl"), ("plain", "flock"), ("extended", "dotlock")):
            box = _file(mta.mail_directory / name)
            with held(box, how):
                user = {"box": "box", "plain": "user", "extended": "user+ext"}[name]
                said.append(_send(mta, f"{user}@ours.example").replace(str(mta.directory), ""))
        return said, listing(mta.mail_directory)

    exchanged(case, main={**MAIN, "virtual_mailbox_lock": locks}, files=FILES, replace=OURS, fresh=True)


def test_a_full_mailbox(exchanged: Parity) -> None:
    """postconf(5) virtual_mailbox_limit, reached exactly and by one byte too many."""

    def case(mta: Instance) -> object:
        box = mta.mail_directory / "box"
        said, sizes = [_send(mta, "box@ours.example")], []
        size = box.stat().st_size
        for room in (size, size - 1, size + 1, size - 2, 0, 1):
            box.write_bytes(b"z" * (9000 - room - 1) + b"\n")
            said.append(_send(mta, "box@ours.example").replace(str(mta.directory), ""))
            sizes.append(box.stat().st_size)
        return said, sizes

    exchanged(case, main=MAIN, files=FILES, replace=OURS, deliveries=True)
