"""postconf(1) on files that are none: garbage, null bytes, folders, lines without end.  Never a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parity.config.conftest import Postconf

pytestmark = pytest.mark.reference

LONG = "x" * 1_000_000
GARBAGE = "".join(chr(byte) if byte < 128 else chr(0xDC00 + byte) for byte in range(1, 256)) + "\n"

MAIN_CF = {
    "long value": f"mail_name = {LONG}\n",
    "long name": f"{LONG} = 1\n",
    "long junk": f"{LONG}\n",
    "long continuation": "mail_name = a\n" + " b\n" * 20000,
    "null byte": "\0\n",
    "null bytes only": "\0" * 50,
    "null byte in a continued line": "mail_name = a\n b\0c\n d\n# x\n",
    "null byte at the end": "mail_name = a\0",
    "garbage": GARBAGE,
    "carriage returns": "mail_name = a\r\nmyorigin=b\r\n",
    "no line end": "mail_name = a",
    "byte order mark": "\ufeffmail_name = a\n",
    "only equal signs": "==\n",
    "only comments": "#\n#\n",
    "only blanks": " \t \n",
    "vertical tab first": "\x0b mail_name = x\n",
    "many names": "".join(f"p{number}=v\n" for number in range(500)),
    "odd names": "a.b=1\na-b=2\na/b=3\n$x=4\n{x}=5\nA=6\nm_=7\n1=8\n\u00e9=9\n",
    "empty": "",
}

MASTER_CF = {
    "long argument": f"x unix - - - - - p {LONG}\n",
    "garbage": GARBAGE,
    "null byte": "x unix - - - - - p a\0b\n",
    "carriage returns": "x unix - - - - - p\r\n",
    "many arguments": "x unix - - - - - p " + "a " * 2000 + "\n",
    "deep braces": "x unix - - - - - p " + "{" * 500 + "}" * 500 + "\n",
    "many options": "x unix - - - - - p " + "-o a=b " * 500 + "\n",
    "one word": "foo\n",
    "blanks first": "  x unix - - - - - p\n",
    "every type": "".join(f"x {kind} - - - - - p\n" for kind in ("inet", "unix", "fifo", "pass", "unix-dgram")),
    "twice": "x unix - - - - - p\nx unix - - - - - q\n",
}


@pytest.mark.parametrize("kind", MAIN_CF)
def test_main_cf(same: Callable[..., object], kind: str) -> None:
    """Showing, and changing where bytes stay as they are."""
    text = MAIN_CF[kind]
    for words in ("-n", "-nx", "mail_name", "-nj", "-nf", "-M", "-no mail_name="):
        same(text, "", *words.split())
    if "\0" not in text:  # the reference drops what stands behind a null byte, with the line end
        for words in ("-e mail_name=q", "-X mail_name", "-# mail_name"):
            same(text, "", *words.split())


@pytest.mark.parametrize("kind", MASTER_CF)
def test_master_cf(same: Callable[..., object], kind: str) -> None:
    """Showing and changing."""
    for words in ("-M", "-Mf", "-Mj", "-F", "-P", "-n", "mail_name", "-F x/unix/chroot=y", "-P x/unix/q=r", "-MX x/unix", "-M# x/unix"):
        if kind not in ("null byte", "deep braces") or "/" not in words:
            same("x=1\n", MASTER_CF[kind], *words.split())


@pytest.mark.parametrize("name", ["main.cf", "master.cf"])
@pytest.mark.parametrize("what", ["folder", "loop", "link to nothing"])
def test_no_file(postconf: Postconf, tmp_path: Path, name: str, what: str) -> None:
    """Where a file should be is something else."""
    for words in ("-n", "mail_name", "-M", "-d mail_name", "-e a=b", "-Me x/unix=x unix - - - - - p", "-X a", "-m"):
        arguments = words.split(" ", 1) if "unix=" in words else words.split()
        done = []
        for kind in ("reference", "pyfix"):
            place = tmp_path / kind
            place.mkdir(exist_ok=True)
            for other in ("main.cf", "master.cf"):
                if other != name and not (place / other).exists():
                    (place / other).write_text("")
                    os.utime(place / other, (1_000_000_000, 1_000_000_000))
            bad = place / name
            if not bad.exists() and not bad.is_symlink():
                if what == "folder":
                    bad.mkdir()
                else:
                    bad.symlink_to(name if what == "loop" else "nosuch")
            result = postconf.run_there(kind, place, *arguments)
            out, err = ([line.replace(str(place), "PLACE") for line in lines] for lines in (result.out, result.err))
            done.append((result.status, [] if words == "-m" else out, err))
        assert done[0] == done[1], words
