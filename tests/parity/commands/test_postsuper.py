"""postsuper(1): each option on each queue, of a spool whose mail system is down: what it says, and what it leaves there.

Source: postsuper(1); postconf(5) hash_queue_names, hash_queue_depth, enable_long_queue_ids.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pyfix.formats import queueid
from tests.kit.comparison import differences
from tests.kit.instance import Instance
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

QUEUES = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt", "saved")
LOGS = ("bounce", "defer", "trace")
HASHED = ("deferred", "defer")
_OLD = 1_500_000_000


class Spool:
    """A spool in which each queue has two messages, with labels instead of the ids that their inodes give them."""

    def __init__(self, mta: Instance) -> None:
        self._mta = mta
        self.folder = mta.queue_directory
        self.ids: dict[str, str] = {}
        self._main = dict(mta.main)

    def fill(self) -> None:
        """Empty the spool and lay out the messages ``QUEUE1`` and ``QUEUE2`` of each queue, with logs."""
        for name in (*QUEUES, *LOGS, "flush"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir(mode=0o700)
            shutil.chown(self.folder / name, "postfix")
        self.ids.clear()
        for queue in QUEUES:
            for number in (1, 2):
                self.put(queue, f"{queue}{number}")
        for label in ("deferred1", "hold1", "active1"):
            for log in LOGS:
                self._file(self._place(log, self.ids[label]), 0o600)

    def put(self, queue: str, label: str, mode: int = 0o700, *, long: bool = False) -> Path:
        """Add a message."""
        path = self._file(self.folder / queue / "new", mode)
        inode, microseconds = path.stat().st_ino, 100_000 + len(self.ids)
        name = queueid.long_id(_OLD, microseconds, inode) if long else queueid.short_id(microseconds, inode)
        self.ids[label] = name
        place = self._place(queue, name)
        self.make(place.parent)
        return path.rename(place)

    def _place(self, queue: str, name: str) -> Path:
        """Return where a file of that name belongs, with the standard hash_queue_names and hash_queue_depth."""
        return self.folder / queue / (name[0] if queue in HASHED else "") / name

    def make(self, path: Path) -> None:
        if not path.exists():
            self.make(path.parent)
            path.mkdir(mode=0o700)
            shutil.chown(path, "postfix")

    def path(self, label: str) -> Path:
        """Return the path of a message as ``fill`` or ``put`` laid it out."""
        (found,) = [path for queue in QUEUES if (path := self._place(queue, self.ids[label])).exists()]
        return found

    def move(self, label: str, place: str) -> None:
        """Move a message elsewhere."""
        target = self.folder / place
        self.make(target.parent)
        self.path(label).rename(target)

    def swap(self, one: str, other: str) -> None:
        """Give two messages of a queue the file of each other."""
        first, second = self.path(one), self.path(other)
        first.rename(first.with_name("between"))
        second.rename(first)
        first.with_name("between").rename(second)

    def configure(self, **changed: str) -> None:
        """Write main.cf with some parameters, instead of those changed before."""
        self._mta.main = dict(self._main)
        self._mta.write_main(**changed)

    def stray(self, place: str, mode: int = 0o600, age: float = 0) -> None:
        """Add a file that is no message."""
        path = self._file(self.folder / place, mode)
        moment = time.time() - age
        os.utime(path, (moment, moment))

    def _file(self, path: Path, mode: int) -> Path:
        self.make(path.parent)
        path.write_bytes(b"x")
        path.chmod(mode)
        shutil.chown(path, "postfix")
        os.utime(path, (_OLD, _OLD))
        return path

    def named(self, text: str) -> str:
        """Return a text with ids in the place of ``<label>``."""
        return re.sub(r"<(\w+)>", lambda match: self.ids[match[1]], text)

    def anonymous(self, text: str) -> str:
        """Return a text with labels in the place of ids, and without hash folders."""
        for label, name in self.ids.items():
            text = text.replace(name, f"<{label}>")
        for label, name in self.ids.items():
            if (inode := queueid.inode_of(name)) is not None:
                text = text.replace(f"{inode:X}", f"<inode of {label}>")
        return text.replace(str(self.folder), "SPOOL")

    def seen(self) -> list[str]:
        """Return what lies where, with modes, and whether its time was changed."""
        found = []
        for name in (*QUEUES, *LOGS, "flush"):
            for path in sorted((self.folder / name).rglob("*")):
                if path.is_dir():
                    found.append(f"folder {self.anonymous(str(path.relative_to(self.folder)))}")
                else:
                    status = path.lstat()
                    touched = "touched" if status.st_mtime > _OLD else "as before"
                    depth = len(path.relative_to(self.folder).parts)
                    found.append(f"{name} {depth} {self.anonymous(path.name)} {status.st_mode & 0o777:o} {touched}")
        return sorted(found)

    def run(self, *arguments: str, input: str | None = None) -> list[str]:
        """Run postsuper; return its status and what it said."""
        data = None if input is None else self.named(input).encode("utf-8", "surrogateescape")
        done = self._mta.run("postsuper", *[self.named(word) for word in arguments], input=data)
        said = done.stderr.decode("utf-8", "surrogateescape").replace(f"{self._mta.command_directory}/", "")
        # files come in the order in which the folder has them
        lines = [line for line in self.anonymous(said).splitlines() if "name_mask:" not in line and "inet_addr_local:" not in line]
        return [f"status {done.returncode}", *sorted(lines), done.stdout.decode()]


@pytest.fixture(scope="module")
def spools() -> Iterator[tuple[Spool, Spool]]:
    with Instance("reference") as theirs, Instance("pyfix") as ours:
        yield Spool(theirs), Spool(ours)


def _compare(spools: Sequence[Spool], *arguments: str, input: str | None = None) -> list[str]:
    """Run one command on both sides and return what ours did."""
    results = []
    for spool in spools:
        said = spool.run(*arguments, input=input)
        results.append([*said, "--", *spool.seen()])
    found = differences("spool", results[0], results[1], KNOWN_DIFFERENCES)
    assert not found, "\n".join(found)
    return results[1]


_ONE = ("<maildrop1>", "<incoming1>", "<active1>", "<deferred1>", "<hold1>", "<corrupt1>", "<saved1>")
ACTIONS = ["-d", "-e", "-f", "-h", "-H", "-r"]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("queues", [(), ("hold",), ("deferred", "active"), ("maildrop",), ("incoming", "hold", "maildrop"), ("defer",), ("bounce", "trace", "flush")], ids=" ".join)
def test_actions(spools: tuple[Spool, Spool], action: str, queues: tuple[str, ...]) -> None:
    """One message of each queue, by options, from standard input, then all."""
    for spool in spools:
        spool.fill()
        spool.put("deferred", "incomplete", 0o600)
        spool.put("hold", "expired", 0o710)
    _compare(spools, *[word for one in _ONE for word in (action, one)], *queues)
    lines = "\n".join(("<hold2>", "  <deferred2>", "<active2>  ", "", "NOSUCHID", "a/b", "<incomplete>", "<expired>", "<maildrop2>"))
    _compare(spools, action, "-", *queues, input=lines)
    _compare(spools, action, "ALL", *queues)
    _compare(spools, action, "ALL", *queues)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-d", "<hold1>", "-h", "<deferred1>", "-r", "<incoming1>", "-H", "<hold2>", "-e", "<active1>"),
        ("-h", "<deferred1>", "-H", "<deferred1>"), ("-H", "<hold1>", "-h", "<hold1>"), ("-d", "<hold1>", "-e", "<hold1>"),
        ("-d", "ALL", "-h", "ALL"), ("-h", "ALL", "-d", "ALL", "hold"), ("-e", "ALL", "-f", "ALL"), ("-r", "ALL", "-d", "ALL", "hold"),
        ("-d", "-", "-h", "-"), ("-d", "ALL", "-d", "<hold1>"), ("-d", "<hold1>", "-d", "ALL", "deferred"),
        ("-s", "-d", "<hold1>"), ("-p", "-h", "ALL"), ("-S", "-e", "<hold1>"), ("-sp", "-H", "ALL"),
        ("-d", "all"), ("-d", "All"), ("-d", ""), ("-d", "."), ("-d", "../hold/<hold1>"), ("-h", "<hold1>x"), ("-e", "-"),
        ("-d", "<deferred1>", "<hold1>"), ("-h", "ALL", "corrupt"), ("-d", "ALL", "saved"), ("-d", "ALL", ""), ("-d", "ALL", "hold", "hold"),
        ("-d",), ("-c",), ("-x",), ("-d", "ALL", "/hold"), ("-c", "relative", "-p"), ("-v", "-c", "/nonexistent", "-p"), ("--", "hold"), ("--", "-d"),
        ("-d", "<hold1>", "--", "hold"), ("-dALL", "hold"), ("-shALL", "deferred"), ("hold", "-d", "ALL"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_several_options(spools: tuple[Spool, Spool], arguments: tuple[str, ...]) -> None:
    for spool in spools:
        spool.fill()
    _compare(spools, *arguments, input="<deferred1>\n<hold2>\n")


_DAY = 86400
STRAYS: dict[str, float] = {
    "maildrop/12345.6789": 8 * _DAY, "maildrop/0.1234": 8 * _DAY, "maildrop/9999.1": 0, "incoming/123.456": 8 * _DAY, "incoming/1.2": 6 * _DAY,
    "active/123.5": 8 * _DAY, "deferred/123.7": 8 * _DAY, "hold/123.8": 8 * _DAY, "incoming/readme.txt": 8 * _DAY, "flush/a_example": 8 * _DAY,
    "incoming/.hidden": 8 * _DAY, "defer/NOSUCH1234": 8 * _DAY, "deferred/0/deferred": 0, "hold/0x1F_": 0, "hold/ABCDE1F#FIX": 0, "hold/ABCD": 0,
    "hold/ABCDE1_F": 0, f"hold/ABCDE{'F' * 17}": 0, "deferred/abcdefgh": 0,
}  # fmt: skip
OBSTACLES = {
    "a folder that is too deep": "incoming/A/123.456", "a file in the place of a folder": "hold/x", "the same among logs": "bounce/x",
}  # fmt: skip
WAYS: list[tuple[str, ...]] = [
    (), ("-p",), ("-s",), ("-S",), ("-ps",), ("-v", "-p"), ("-p", "incoming"), ("-s", "hold"), ("incoming", "deferred"), ("-p", "flush"),
    ("-s", "trace"), ("-d", "ALL"), ("-h", "ALL"), ("-e", "ALL"), ("-f", "ALL"), ("-H", "ALL"), ("-r", "ALL"), ("-d", "ALL", "flush", "trace"),
]  # fmt: skip
MOVING = [(), ("-s",), ("-S",), ("-ps",), ("-s", "hold"), ("incoming", "deferred"), ("-h", "ALL"), ("-r", "ALL")]
"""Those that take files out of folders where they do not belong; the others stop there."""


@pytest.mark.parametrize("arguments", WAYS, ids=" ".join)
def test_putting_in_order(spools: tuple[Spool, Spool], arguments: tuple[str, ...]) -> None:
    """Files that programs left when they crashed, old and new ones, and what lies in folders where it should not be."""
    for spool in spools:
        spool.fill()
        for place, age in STRAYS.items():
            spool.stray(place, age=age)
        for label in ("deferred1", "hold1", "incoming2") if arguments in MOVING else ():
            name = spool.ids[label]
            spool.move(label, f"{label[:-1]}/{name[0]}/{name[1]}/{name}")
        spool.put("incoming", "unfinished", 0o600)
        spool.put("maildrop", "unfinished2", 0o600)
        for place in ("hold/empty", "incoming/a/b", "deferred/C/D", "hold/full/x"):
            spool.make(spool.folder / place)
        (spool.folder / "hold/ABCDEF01").symlink_to("/etc/passwd")
        os.mkfifo(spool.folder / "deferred/ABCDEF02")
    _compare(spools, *arguments)


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_obstacles(spools: tuple[Spool, Spool], obstacle: str) -> None:
    for arguments in [(), ("-p",), ("-s",), ("-h", "ALL"), ("-d", "ALL"), ("-d", "<hold1>"), ("-s", OBSTACLES[obstacle].partition("/")[0])]:
        for spool in spools:
            spool.fill()
            folder = spool.folder / OBSTACLES[obstacle].partition("/")[0]
            for path in folder.iterdir():  # what comes first is not the same on both sides
                path.unlink()
            spool.stray(OBSTACLES[obstacle])
        _compare(spools, *arguments)


def test_files_that_are_no_messages(spools: tuple[Spool, Spool]) -> None:
    """Modes, links and owners that no message has."""
    for action in ACTIONS:
        for spool in spools:
            spool.fill()
            for mode in (0o711, 0o755, 0o100, 0o600, 0o500):
                spool.put("hold", f"mode{mode:o}", mode)
            shutil.chown(spool.put("hold", "root"), "root")
            os.link(spool.put("hold", "linked"), spool.folder / "hold/ABCDEF77")
            spool.ids |= {"link": "ABCDEF0A", "dangling": "ABCDEF0B", "fifo": "ABCDEF0C", "folder": "ABCDEF0D"}
            (spool.folder / "hold/ABCDEF0A").symlink_to("ABCDEF77")
            (spool.folder / "hold/ABCDEF0B").symlink_to("ABCDEFXX")
            os.mkfifo(spool.folder / "hold/ABCDEF0C")
            spool.make(spool.folder / "hold/ABCDEF0D")
        odd = [label for label in spools[0].ids if label not in (f"{queue}{number}" for queue in QUEUES for number in (1, 2))]
        _compare(spools, *[word for label in odd for word in (action, f"<{label}>")])
        _compare(spools, action, "ALL")


def test_missing_folders(spools: tuple[Spool, Spool]) -> None:
    for arguments in [("-d", "ALL"), ("-h", "<deferred1>"), ("-d", "<deferred1>"), ("-s",), ("-H", "<hold2>")]:
        for spool in spools:
            spool.fill()
            shutil.rmtree(spool.folder / "hold")
        _compare(spools, *arguments)
    for arguments in [("-d", "ALL", "hold"), ("-h", "<deferred1>"), ("-d", "<hold1>"), ("-s", "hold")]:
        for spool in spools:
            spool.fill()
            (spool.folder / "hold").chmod(0o700)
            shutil.chown(spool.folder / "hold", "root")
        _compare(spools, *arguments)


@pytest.mark.parametrize("long_ids", ["no", "yes"])
@pytest.mark.parametrize("arguments", [("-s",), ("-S",), (), ("-s", "-d", "<hold1>"), ("-s", "-h", "ALL")], ids=" ".join)
def test_names_that_are_those_of_another_disk(spools: tuple[Spool, Spool], arguments: tuple[str, ...], long_ids: str) -> None:
    """A message whose id is that of another, and ids that an earlier run had half changed."""
    for spool in spools:
        spool.configure(enable_long_queue_ids=long_ids)
        spool.fill()
        spool.swap("hold1", "hold2")
        spool.put("hold", "half")
        spool.move("half", f"hold/{spool.ids['half']}#FIX")
        spool.put("deferred", "long", long=True)
    try:
        _compare(spools, *arguments)
        _compare(spools, *arguments)
    finally:
        for spool in spools:
            spool.configure()


@pytest.mark.parametrize(("names", "depth"), [("", "1"), ("hold, deferred, incoming, active, flush", "2"), ("deferred defer bounce trace hold", "3")])
def test_hashed_queues(spools: tuple[Spool, Spool], names: str, depth: str) -> None:
    """Files follow hash_queue_names and hash_queue_depth, and are found where these say."""
    for spool in spools:
        spool.fill()
        spool.stray("flush/a_example")
        spool.configure(hash_queue_names=names, hash_queue_depth=depth)
    try:
        _compare(spools, "-d", "<hold1>", "-h", "<deferred1>", "-H", "<hold2>")
        _compare(spools, "-s")
        _compare(spools, "-d", "<active1>", "-h", "<deferred2>", "-H", "<hold2>", "-r", "<incoming1>", "-e", "<incoming2>")
        _compare(spools, "-h", "ALL")
        _compare(spools, "-f", "ALL")
    finally:
        for spool in spools:
            spool.configure()
    _compare(spools, "-s")


@pytest.mark.parametrize("user", ["nobody", "postfix"])
def test_users(spools: tuple[Spool, Spool], user: str) -> None:
    import pwd

    results = []
    for spool in spools:
        spool.fill()
        done = spool._mta.run("postsuper", "-d", "ALL", user=pwd.getpwnam(user).pw_uid)
        said = done.stderr.decode().replace(f"{spool._mta.command_directory}/", "")
        results.append((done.returncode, said, spool.seen()))
    assert results[0] == results[1]
