"""One delivery by local(8) and all that came of it, as text in which the order of what nobody orders is fixed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.kit import processes
from tests.kit.accounts import FIRST_ID
from tests.kit.instance import Instance

ACCOUNTS = ("alice", "bob", "carol", "dave", "erin", "frank")
OURS = {"local": "pyfix"}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "alias_maps": "texthash:{dir}/etc/aliases",
    "transport_maps": "inline:{{disc.example=discard:gone}}",
    "deliver_lock_attempts": "2",
    "notify_classes": "",
}
BACK = "back@disc.example"
MESSAGE = "Subject: x\n\nFrom me\nhi\n"

_ID_AT_HEAD = re.compile(r"\]: ([0-9A-F]{8,20}): ")
_LINE = re.compile(r"^.*/local\[\d+\]: (.*)$")
_DELAY = re.compile(r"delay=.*?, (?=dsn=)")
_RECEIVED = re.compile(r"^Received: from.*\n(?:\t.*\n)*", re.MULTILINE)
_TIMES = re.compile(r"\d{10}\.V\w+\.\S+|\b\d{10}\b|(?<=\.)P\d+(?:Q\d+)?(?=\.)")


class Written(NamedTuple):
    """A file that stands there before the message comes."""

    content: str
    owner: str = ""
    """The account that owns it; empty: whose home it lies in, else root."""
    mode: int = 0o644


def write(mta: Instance, name: str, file: Written | str) -> None:
    """Write a file: *name* is a path in the instance's folder, ``~user/...`` one in a home."""
    file = Written(file) if isinstance(file, str) else file
    account, _, rest = name[1:].partition("/")
    at_home = name.startswith("~")
    path = mta.directory / "home" / account / rest if at_home else mta.directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.content.replace("{dir}", str(mta.directory)))
    name_of_owner = file.owner or (account if at_home else "")
    owner = FIRST_ID + ACCOUNTS.index(name_of_owner) if name_of_owner in ACCOUNTS else 0
    # chown(2) takes set-id bits away, so the mode comes last.
    shutil.chown(path, owner, owner)
    path.chmod(file.mode)


def clean(mta: Instance) -> None:
    """Empty the homes, and the folder for files that aliases name."""
    homes = [mta.directory / "home" / account for account in ACCOUNTS]
    out = mta.directory / "out"
    out.mkdir(exist_ok=True)
    out.chmod(0o777)
    for folder in (*homes, out):
        folder.chmod(0o777 if folder == out else 0o755)
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def send(mta: Instance, *recipients: str, sender: str = BACK, content: str = MESSAGE) -> None:
    """Send a message and wait until nothing is left but what waits for another time."""
    mta.send_message(list(recipients), content, sender)
    settle(mta)


def settle(mta: Instance) -> None:
    """Wait until nothing is left but what waits for another time."""
    before = -1
    while before != (before := mta.log_mark()):
        # A notice may be on its way into a queue that was looked at already.
        assert processes.wait_until(lambda: set(mta.queue()) <= {"deferred"}, 20.0), mta.log_lines()
        mta.settle()


def seen(mta: Instance) -> str:
    """Return what local(8) has logged, what lies in mailboxes, homes and the queue."""
    log = mta.log_lines()
    ids = re.compile("|".join({match[1] for line in log if (match := _ID_AT_HEAD.search(line))}) or r"\Z.")
    lines = [match[1] for line in log if (match := _LINE.match(line))]
    lines = sorted(_DELAY.sub("", _steady(ids, line)) for line in lines if "daemon started" not in line)
    for mailbox, messages in sorted(mta.deliveries().items()):
        lines += [f"mailbox {mailbox}", *sorted(_content(ids, message.decode("utf-8", "replace")) for message in messages)]
    for folder in ("home", "out"):
        if (mta.directory / folder).exists():
            lines += _files(ids, mta.directory / folder)
    lines += [f"{name}: {len(ids)}" for name, ids in sorted(mta.queue().items())]
    return "\n".join(lines)


def _files(ids: re.Pattern[str], folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        name = _TIMES.sub("NAME", str(path.relative_to(folder)))
        text = _content(ids, path.read_text(errors="replace")) if path.is_file() and not path.is_symlink() else ""
        found.append(f"file {name} {oct(status.st_mode)} {status.st_uid} {status.st_gid}\n{text}")
    return found


def _content(ids: re.Pattern[str], text: str) -> str:
    return "\n\n".join(sorted(_steady(ids, _RECEIVED.sub("", text)).split("\n\n\n")))


def _steady(ids: re.Pattern[str], text: str) -> str:
    """Return *text* without what differs from run to run."""
    return _TIMES.sub("TIME", ids.sub("ID", text))


def deliver(
    mta: Instance, recipient: str, files: Mapping[str, Written | str], *, sender: str = BACK, content: str = MESSAGE
) -> None:
    """Send one message where *files* stand, and let both sides compare what is seen; the homes are empty before."""
    clean(mta)
    for name, file in files.items():
        write(mta, name, file)
    send(mta, recipient, sender=sender, content=content)
    compare(mta)


def compare(mta: Instance) -> None:
    """Add what is seen to what the two sides compare."""
    mta.transcript += seen(mta).splitlines()
