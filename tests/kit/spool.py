"""What a test sees of a spool and of mailboxes, read without any code of pyfix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DIRECTORIES = {
    "active": 0o700,
    "bounce": 0o700,
    "corrupt": 0o700,
    "defer": 0o700,
    "deferred": 0o700,
    "flush": 0o700,
    "hold": 0o700,
    "incoming": 0o700,
    "maildrop": 0o730,
    "pid": 0o755,
    "private": 0o700,
    "public": 0o710,
    "saved": 0o700,
    "trace": 0o700,
}
"""The folders of queue_directory and their modes, as ``postfix set-permissions`` makes them."""

SET_GID_DIRECTORIES = ("maildrop", "public")
"""Those that belong to setgid_group."""

QUEUES = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt")


def listing(queue_directory: Path) -> dict[str, list[str]]:
    """Return the sorted names of the files in each queue that has some."""
    found = {name: sorted(path.name for path in _files(queue_directory / name)) for name in QUEUES}
    return {name: ids for name, ids in found.items() if ids}


def find(queue_directory: Path, queue_id: str) -> Path:
    """Return the path of the queue file with that id.  Raises FileNotFoundError."""
    for name in QUEUES:
        for path in _files(queue_directory / name):
            if path.name == queue_id:
                return path
    raise FileNotFoundError(f"no queue file {queue_id} in {queue_directory}: {listing(queue_directory)}")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that may change meanwhile."""
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return
    for path in entries:
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def deliveries(folder: Path) -> dict[str, list[bytes]]:
    """Return the mail below a folder, by mailbox (a relative path; a Maildir's ends in ``/``)."""
    found: dict[str, list[bytes]] = {}
    whole = (path for path in _files(folder) if path.parent.name != "tmp")
    for path in sorted(whole, key=lambda path: (path.stat().st_mtime_ns, path.name)):
        if path.parent.name in {"new", "cur"} and (path.parent.parent / "tmp").is_dir():
            name = f"{path.parent.parent.relative_to(folder)}/"
        elif path.name.endswith(".lock"):
            continue
        else:
            name = str(path.relative_to(folder))
        found.setdefault(name, []).append(path.read_bytes())
    return found


@dataclass(frozen=True)
class Record:
    """One record of a queue file."""

    kind: str
    data: bytes
    start: int
    """Offset of its first byte in the file."""


def records(path: Path) -> list[Record]:
    """Read a queue file, record by record (type, length in 7-bit digits, data), to its end.

    Raises ValueError for a file that ends within a record.
    """
    return records_in(path.read_bytes(), path)


def records_in(stream: bytes | bytearray, path: object = "file") -> list[Record]:
    """Read the content of a queue file as ``records`` does; *path* is for messages."""
    found = []
    at = 0
    while at < len(stream):
        start, kind = at, chr(stream[at])
        at += 1
        length = shift = 0
        while True:
            if at >= len(stream):
                raise ValueError(f"{path} ends within a record's length")
            digit = stream[at]
            at += 1
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                break
        if at + length > len(stream):
            raise ValueError(f"{path} ends within a record of type {kind}")
        found.append(Record(kind, bytes(stream[at : at + length]), start))
        at += length
    return found
