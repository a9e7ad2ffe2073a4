"""postcat(1) on odd files, and each combination of its options; nothing of the mail system runs.

Source: postcat(1); record types in the queue files of the reference.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import pytest

from pyfix.formats.records import encode_record
from tests.kit import programs
from tests.kit.instance import Instance

pytestmark = [pytest.mark.reference, pytest.mark.root]

_OF_THE_LIBRARY = re.compile(r"name_mask:|inet_addr_local:|dict_(open|eval|load)|mac_(parse|expand)")
Pair = tuple[Instance, Instance]


def _file(*parts: tuple[str, bytes] | bytes) -> bytes:
    return b"".join(part if isinstance(part, bytes) else encode_record(ord(part[0]), part[1]) for part in parts)


def _sized(data: bytes) -> bytes:
    """Say in the size record where the content begins: options for parts of a file go there at once."""
    at = data.find(encode_record(ord("M")), _LENGTH) + 2
    end = data.rfind(encode_record(ord("X")))
    size = end - at if end > 0 else 30
    return data[: _START - 16] + b"%15d %15d" % (size, at if at > 1 else 300) + data[_START + 15 :]


_LENGTH, _START = 97, 18
_SIZE = ("C", b"%15d %15d %15d %15d %15d %15d" % (30, 300, 2, 0, 30, 0))
_HEAD = (_SIZE, ("T", b"1700000000 123456"), ("A", b"create_time=1700000001"), ("A", b"rewrite_context=local"), ("F", b"A Name"), ("S", b"s@x.example"))
_ENVELOPE = (*_HEAD, ("A", b"dsn_orig_rcpt=rfc822;o@x.example"), ("O", b"o@x.example"), ("R", b"r@x.example"), ("D", b"done@x.example"), ("/", b"gone@x.example"))
_CONTENT = (("N", b"Subject: x"), ("N", b"\tfolded"), ("L", b"X-Long: begin"), ("N", b" and end"), ("N", b""), ("N", b"body: y"), ("L", b"part"), ("N", b"rest"), ("N", b""))
_END = (("X", b""), ("A", b"encoding=8bit"), ("R", b"late@x.example"), ("E", b""))
GOOD = _sized(_file(*_ENVELOPE, ("M", b""), *_CONTENT, *_END))

FILES: dict[str, bytes] = {
    "good": GOOD,
    "two ends": GOOD + _file(*_END),
    "garbage behind": GOOD + b"\xff\xff\xff\xff\xff",
    "empty": b"", "text": b"hello, this is text\n", "one byte": b"C", "two bytes": b"C\x05", "a zero": b"\0", "high": b"\xff" * 20,
    "zeros": b"\0" * 20, "no end": _file(*_ENVELOPE, ("M", b""), *_CONTENT), "no content": _file(*_ENVELOPE), "only the size": _file(_SIZE),
    "begins with a sender": _file(*_HEAD[5:], ("R", b"r@x.example"), ("M", b""), ("E", b"")), "begins with a time": _file(*_HEAD[1:], ("M", b""), ("E", b"")),
    "begins with a name": _file(*_HEAD[4:], ("M", b""), ("E", b"")), "begins with an attribute": _file(*_HEAD[2:], ("M", b""), ("E", b"")), "begins with a recipient": _file(("R", b"r@x"), ("M", b""), ("E", b"")),
    "begins with a message": _file(("M", b""), *_CONTENT, *_END), "a size that is none": _file(("C", b"nonsense"), *_HEAD[1:], ("M", b""), ("E", b"")),
    "other records": _file(*_HEAD, ("I", b"filter:x"), ("L", b"smtp:y"), (">", b"to@x"), ("W", b"     1700000000"), ("W", b"              0"), ("W", b"             -1"), ("W", b"x"), ("V", b"+="), ("r", b"a@x"),
                           ("e", b"b@x"), ("P", b"bulk"), ("K", b"killed"), ("f", b"12"), ("m", b"3"), ("w", b""), ("i", b"envid"), ("o", b"orcpt"), ("n", b"7"), ("<", b"1"), ("c", b"1700000000"), ("M", b""), ("E", b"")),
    "unknown records": _file(*_HEAD, ("Z", b"zzz"), ("~", b""), ("1", b"1"), (" ", b"x"), ("\x01", b"ctrl"), ("\x80", b"high"), ("M", b""), ("Z", b"in content"), ("N", b"text"), ("Z", b"again"), *_END),
    "times": _file(_SIZE, ("T", b""), ("T", b"x"), ("T", b"1700000000"), ("T", b" 1700000000 0"), ("T", b"-5"), ("T", b"1 2 3"), ("T", b"99999999999"), ("A", b"create_time="), ("A", b"create_time=x"),
                   ("A", b"create_time"), ("A", b"=x"), ("A", b"a=b=c"), ("A", b""), ("c", b"7"), ("M", b""), ("E", b"")),
    "pointers": _file(*_HEAD, ("p", b"              0"), ("w", b"pad"), ("M", b""), ("N", b"X: y"), ("N", b""), ("L", b"text"), ("p", b"              0"), ("w", b""), ("N", b"more"), *_END),
    "a pointer that is none": _file(*_HEAD, ("p", b"x"), ("M", b""), ("N", b"text"), *_END),
    "bytes": _file(*_HEAD[:5], ("S", b"a\xff\x00b\n@x"), ("R", "\u00e4@x".encode()), ("M", b""), ("N", b"Subject: \x00\xff"), ("N", b"a\nb"), ("L", b"\r"), *_END),
    "headers that end early": _file(*_HEAD, ("M", b""), ("N", b"Subject: x"), ("N", b"no header here"), ("N", b"X: y"), *_END),
    "header names": _file(*_HEAD, ("M", b""), ("N", b"a b: x"), ("N", b"Y: z"), *_END), "a blank before the colon": _file(*_HEAD, ("M", b""), ("N", b"Subject : x"), ("N", b"Y:z"), ("N", b":"), ("N", b"Z: 1"), *_END),
    "begins folded": _file(*_HEAD, ("M", b""), ("N", b" folded"), ("N", b"X: y"), ("N", b""), ("N", b"b"), *_END), "a From_ line": _file(*_HEAD, ("M", b""), ("N", b"From me"), ("N", b"X: y"), ("N", b">From z"), *_END),
    "an empty header": _file(*_HEAD, ("M", b""), ("N", b""), ("N", b"X: y"), *_END), "no text": _file(*_HEAD, ("M", b""), *_END), "unterminated at the end": _file(*_HEAD, ("M", b""), ("N", b"X: y"), ("N", b""), ("L", b"abc"), *_END),
    "mime": _file(*_HEAD, ("M", b""), ("N", b"Content-Type: multipart/mixed; boundary=b"), ("N", b""), ("N", b"--b"), ("N", b"Content-Type: text/plain"), ("N", b""), ("N", b"part"), ("N", b"--b--"), *_END),
    "a long record": _file(*_HEAD, ("M", b""), ("N", b"x" * 5000), ("N", b"y" * 200), *_END), "a length without an end": _file(*_HEAD) + b"M\xff\xff\xff\xff\xff\xff\xff", "a length too far": _file(*_HEAD) + b"N\x7fabc",
    **{f"cut at {left}": GOOD[:left] for left in (3, 60, 95, 130, 200, len(GOOD) - 1, len(GOOD) - 2, len(GOOD) - 40)},
}  # fmt: skip
ON_ONE = ("empty", "text", "one byte", "good", "pointers", "headers that end early", "no end")
"""What is also given on standard input."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Instance("reference") as theirs, Instance("pyfix") as ours:
        yield theirs, ours


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    for number, data in enumerate(FILES.values()):
        (made / f"f{number}").write_bytes(_sized(data) if data[:1] == b"C" and len(data) > _LENGTH else data)
    (made / "elsewhere").write_bytes(_file(*_ENVELOPE, ("M", b""), *_CONTENT, *_END))
    jump = _file(*_ENVELOPE)
    inner = _file(("R", b"behind@x.example"), ("M", b""), ("N", b"X: y"), *_END)
    for name, target in (("forth", len(jump) + 17 + len(_file(("R", b"skipped@x.example")))), ("back", 0), ("far", 99999), ("itself", len(jump))):
        (made / name).write_bytes(_sized(jump + _file(("p", b"%15d" % target), ("R", b"skipped@x.example")) + inner))
    (made / "folder").mkdir()
    (made / "link").symlink_to(made / "f0")
    (made / "nowhere").symlink_to(made / "none")
    return made


def _run(mta: Instance, folder: Path, words: tuple[str, ...], input: str | None = None) -> str:
    """Run the command; *input* is the name of the file that is its standard input."""
    with (folder / input if input else Path("/dev/null")).open("rb") as stdin:
        done = subprocess.run(
            [mta.command_directory / "postcat", *words], stdin=stdin, capture_output=True, cwd=folder, timeout=60, check=False,
            env=mta.environment | programs.hasty(mta.kind),
        )  # fmt: skip
    said = done.stderr.decode("utf-8", "replace").replace(f"{mta.command_directory}/", "").replace(str(mta.directory), "DIR")
    said = "\n".join(line for line in said.partition("usage:")[0].splitlines() if not _OF_THE_LIBRARY.search(line))
    return f"{done.stdout.decode('utf-8', 'backslashreplace')}\n-- {said} -- {done.returncode}"


def _compare(pair: Pair, folder: Path, cases: list[tuple[tuple[str, ...], str | None]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        seen = [list(pool.map(lambda case, mta=mta: _run(mta, folder, *case), cases)) for mta in pair]
    found = []
    for (words, _input), theirs, ours in zip(cases, *seen, strict=True):
        if theirs != ours:
            lines = [f"  - {line}" for line in theirs.splitlines() if line not in ours.splitlines()] + [f"  + {line}" for line in ours.splitlines() if line not in theirs.splitlines()]
            found.append(f"{words}\n" + ("\n".join(line[:200] for line in lines[:8]) or f"  - {theirs[:600]!r}\n  + {ours[:600]!r}"))
    assert not found, "the two sides differ:\n" + "\n".join(found)


def test_files(pair: Pair, folder: Path) -> None:
    names = dict(zip(FILES, (f"f{number}" for number in range(len(FILES))), strict=True))
    others = ("forth", "back", "far", "folder", "link", "nowhere", "none", "folder/x", "f0/x", "")
    _compare(pair, folder, [((name,), None) for name in (*names.values(), *others)])
    _compare(pair, folder, [((names["no end"], names["good"]), None), ((names["text"], names["good"]), None), (("none", names["good"]), None)])
    _compare(pair, folder, [((), names[name]) for name in ON_ONE] + [(("-f",), names["good"]), (("-h",), names["good"]), (("-",), names["good"]), (("-q",), None), (("--", names["good"]), None)])


def test_options(pair: Pair, folder: Path) -> None:
    """Each pair and some sets of options, on files that show what they do; and offsets."""
    names = dict(zip(FILES, (f"f{number}" for number in range(len(FILES))), strict=True))
    sets = [one for count in (1, 2) for one in combinations("behdforv", count)] + [tuple("beh"), tuple("behv"), tuple("bhov"), tuple("ervo"), tuple("hdof"), tuple("bdrv"), tuple("behdforv")]
    files = tuple(names[name] for name in ("good", "headers that end early", "begins folded", "mime", "other records", "pointers"))
    _compare(pair, folder, [(("-" + letters, "elsewhere"), None) for letters in ("h", "b", "bh", "e", "eh", "eb", "hv", "hr", "br")])
    _compare(pair, folder, [((*(f"-{letter}" for letter in letters), *files, "forth"), None) for letters in sets])
    alone = ("a pointer that is none", "unterminated at the end", "no end", "begins with a message", "only the size")
    _compare(pair, folder, [((option, names[name]), None) for name in alone for option in ("-v", "-r", "-rv", "-b", "-h", "-e", "-o", "-f")])
    middle = _file(*_HEAD)
    offsets = [str(len(middle)), str(len(middle) + 1), str(len(GOOD)), str(len(GOOD) + 9), "0", "-1", "", "x", "1x", "99999999999999999999", str(len(_file(*_ENVELOPE)))]
    _compare(pair, folder, [(("-s", offset, *words, names["good"]), None) for offset in offsets for words in ((), ("-ov",))])


def test_queues(pair: Pair, folder: Path) -> None:
    """-q finds a message in each queue, hashed or not, and says what is wrong with an id."""
    for mta in pair:
        for queue, name in (("deferred/A", "ABC123"), ("hold", "HBC123"), ("maildrop", "MBC123"), ("corrupt", "CBC123"), ("incoming", "IBC123"), ("active", "ACT123"), ("saved", "SBC123"), ("defer/D", "DBC123")):
            (mta.queue_directory / queue).mkdir(exist_ok=True, parents=True)
            (mta.queue_directory / queue / name).write_bytes(GOOD)
        (mta.queue_directory / "hold" / "FOLDER1").mkdir(exist_ok=True)
    ids = ("ABC123", "HBC123", "MBC123", "CBC123", "IBC123", "ACT123", "SBC123", "DBC123", "FOLDER1", "NONE12", "abc123", "../x", "", "A", "A" * 300, "AB_C", "AB-C", "AB C")
    _compare(pair, folder, [(("-q", queue_id), None) for queue_id in ids] + [(("-qh", "ABC123", "HBC123"), None), (("-qe", "NONE12", "HBC123"), None), (("-q", "-f", "MBC123"), None)])
