"""qshape(1): the same table of the same spool.

Source: qshape(1), QSHAPE_README.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.formats.records import encode_record
from tests.kit import programs
from tests.kit.instance import Instance
from tests.kit.reference import reference

pytestmark = [pytest.mark.reference, pytest.mark.root]

_MINUTE = 60
DOMAINS = [
    "x.example", "a.x.example", "b.x.example", "c.x.example", "d.x.example", "e.x.example", "f.a.x.example", "Y.Example", "a-very-long-name-of-a-domain.some.where.example",
    "x..example", ".example", "example.", "tld", "", "127.0.0.1]", "\u00e4.example",
]  # fmt: skip


def _message(age: float, sender: str, recipients: list[str], *, pointer: bool = False, content: bytes = b"Subject: x") -> bytes:
    """Return a queue file."""
    text = encode_record(ord("N"), content)
    sizes = f"{len(text):15d} {0:15d} {len(recipients):15d} {0:15d} {len(text):15d} {0:15d}"
    head = encode_record(ord("C"), sizes.encode()) + encode_record(ord("T"), f"{int(time.time() - age)} 5".encode())
    head += encode_record(ord("S"), sender.encode())
    if pointer:  # over a recipient that a milter took away
        jump = len(head) + 17
        head += encode_record(ord("p"), f"{jump + 17:15d}".encode()) + encode_record(ord("R"), b"gone@x.example ")
    head += b"".join(encode_record(ord("R"), one.encode()) for one in recipients)
    return head + encode_record(ord("M")) + text + encode_record(ord("X")) + encode_record(ord("E"))


def _fill(folder: Path) -> None:
    number = 0
    for queue in ("incoming", "active", "deferred", "hold"):
        for index, domain in enumerate(DOMAINS):
            for copy in range(index % 3 + 1):
                number += 1
                age = [5, 6 * _MINUTE, 33 * _MINUTE, 220 * _MINUTE, 5000 * _MINUTE][number % 5]  # far below the ends of ranges
                recipients = [f"u{one}@{domain}" if domain else "plain" for one in range(index + 1)]
                data = _message(age, ["s@from.example", "", "s@Sub.from.example"][number % 3], recipients, pointer=copy == 1)
                place = folder / queue / ("A" if queue == "deferred" else "") / f"ABC{number:05X}"
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(data)
                place.chmod(0o700)
    for name, data, mode in (
        ("SHORT", _message(0, "a", ["b@short.example"]), 0o700), ("ABCDEF00", _message(0, "a", ["b@mode.example"]), 0o600),
        ("ABCDEF02", _message(0, "a", ["b@cut.example"])[:-2], 0o700), ("ABCDEF.4", _message(0, "a", ["b@name.example"]), 0o700),
        ("ABCDEF05", _message(0, "a", []), 0o700), ("ABCDEF06", _message(0, "a", ["b@expired.example"]), 0o710),
    ):  # fmt: skip
        (folder / "hold" / name).write_bytes(data)
        (folder / "hold" / name).chmod(mode)
    # With -s the reference takes what is no queue file at all for a message of MAILER-DAEMON; we do not.
    for name, data in (("ABCDEF01", b"nonsense"), ("ABCDEF03", b"")):
        (folder / "corrupt" / name).write_bytes(data)
        (folder / "corrupt" / name).chmod(0o700)
    posted = encode_record(ord("S"), b"me") + encode_record(ord("R"), b"u@posted.example") + encode_record(ord("M"))
    posted += encode_record(ord("N"), b"x") + encode_record(ord("X")) + encode_record(ord("E"))
    for name, data in (("ABCDEF07", posted), ("ABCDEF08", encode_record(ord("F"), b"Me") + posted)):
        (folder / "maildrop" / name).write_bytes(data)
        (folder / "maildrop" / name).chmod(0o744)
        os.utime(folder / "maildrop" / name, (time.time() - 800, time.time() - 800))


@pytest.fixture(scope="module")
def spool() -> Iterator[Instance]:
    """A system that does not run, and has mail."""
    if shutil.which("perl") is None:
        pytest.fail("perl is missing, which the reference's qshape is written in")
    with Instance("pyfix") as mta:
        _fill(mta.queue_directory)
        yield mta


def _run(mta: Instance, program: Path, *options: str) -> tuple[int, list[str], list[bytes]]:
    path = f"{mta.command_directory}:{os.environ['PATH']}"
    done = subprocess.run(
        [program, *options], env=mta.environment | programs.hasty("pyfix") | {"PATH": path}, capture_output=True, timeout=60, check=False, cwd="/",
    )  # fmt: skip
    # among domains of one count and one length any order is the reference's
    lines = done.stdout.decode("utf-8", "surrogateescape").splitlines()
    said = [text for line in done.stderr.splitlines() if (text := line.partition(b" at ")[0]) and b"uninitialized" not in text]
    return done.returncode, [*lines[:1], *sorted(lines[1:])], said


@pytest.mark.parametrize(
    "options",
    [
        (), ("deferred",), ("hold", "deferred"), ("-s",), ("-s", "deferred"), ("-p", "deferred"), ("-p", "-m", "1", "deferred"), ("-p", "-m", "6", "deferred"), ("-l", "deferred"),
        ("-b", "3", "deferred"), ("-b", "1"), ("-b", "0"), ("-b", "15", "-w", "120", "deferred"), ("-b", "20", "deferred"), ("-t", "1", "deferred"), ("-t", "2.5", "-l", "deferred"),
        ("-t", "100", "-b", "5", "deferred"), ("-w", "40"), ("-w", "200", "deferred"), ("-n", "2"), ("-N", "1"), ("maildrop",), ("maildrop", "-s"), ("-sp", "-m1", "hold"), ("{spool}/deferred",),
        ("nosuch",), ("-lsp", "-m", "2", "-b", "7", "hold", "active", "incoming", "deferred"), ("corrupt",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_tables(spool: Instance, options: tuple[str, ...]) -> None:
    words = [word.replace("{spool}", str(spool.queue_directory)) for word in options]
    theirs = _run(spool, reference().command_directory / "qshape", *words)
    ours = _run(spool, spool.command_directory / "qshape", *words)
    assert ours[0] == theirs[0] and ours[2] == theirs[2]
    assert "\n".join(ours[1]) == "\n".join(theirs[1])


def test_order(spool: Instance) -> None:
    """Domains with most addresses first, shorter names before longer ones."""
    done = spool.run("qshape", "deferred")
    rows = [line.rsplit(None, 11)[-12:-10] if len(line.split()) > 11 else line.split()[:1] for line in done.stdout.decode().splitlines()[1:]]
    counts = [int(row[-1]) for row in rows]
    assert counts == sorted(counts, reverse=True) and counts[0] == sum(counts[1:])


def test_bad_options(spool: Instance) -> None:
    for options in (("-x",), ("-h",)):
        theirs = _run(spool, reference().command_directory / "qshape", *options)
        ours = _run(spool, spool.command_directory / "qshape", *options)
        assert theirs[0] and ours[0]
