"""Parameters that are words of a few, each with others: the reference's fatal line is ours, and what it takes we take."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pyfix.config import catalogue
from pyfix.config.parameter import Choice, Keywords
from tests.kit import programs
from tests.kit.instance import Instance

pytestmark = [pytest.mark.reference, pytest.mark.root]

ENDS_BY_ITSELF = ("smtpd", "cleanup")
"""Programs of the reference that end with their standard input, so that they can be asked about good values, too."""


def cases() -> Iterator[tuple[str, str, str]]:
    """Yield program, parameter and value."""
    for declaration in catalogue.all_parameters().values():
        if not isinstance(declaration, (Choice, Keywords)):
            continue
        first = declaration.known[0]
        bad = ["nonsense", f"{first}x", f"{first}, nonsense {first}"]
        for program in declaration.checked_by:
            if (programs.daemon_directory("pyfix") / program).exists():
                good = [first, first.upper(), f"{first}  {first},", " ".join(declaration.known)]
                for value in bad + (good if program in ENDS_BY_ITSELF else []):
                    yield program, declaration.name, value


def said(kind: str, place: Path, folder: Path, case: tuple[str, str, str]) -> list[str]:
    """Return the fatal line of a program with a value in main.cf."""
    program, name, value = case
    folder.mkdir()
    text = (place / "main.cf").read_text()
    (folder / "main.cf").write_text(f"{text}maillog_file =\n{name} = {value}\n")
    (folder / "master.cf").write_text("")
    os.utime(folder / "main.cf", (1_000_000_000, 1_000_000_000))
    done = subprocess.run(
        [programs.daemon_directory(kind) / program, "-S", "-V"],
        env={"PATH": "/usr/bin:/bin", "MAIL_CONFIG": str(folder), **programs.hasty(kind)},
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    lines = [line.partition(": ")[2] for line in done.stderr.decode().splitlines()]
    return [line for line in lines if line.startswith("fatal: ") and "run stand-alone" not in line]


def test_words(tmp_path: Path) -> None:
    with Instance("reference") as reference, Instance("pyfix") as ours:
        places = {"reference": reference.config_directory, "pyfix": ours.config_directory}
        different = []

        def ask(numbered: tuple[int, tuple[str, str, str]]) -> None:
            number, case = numbered
            found = [said(kind, places[kind], tmp_path / f"{kind}{number}", case) for kind in places]
            if found[0] != found[1]:
                different.append((case, *found))

        with ThreadPoolExecutor(3) as pool:
            asked = len(list(pool.map(ask, enumerate(cases()))))
        assert not different
        assert asked > 60
