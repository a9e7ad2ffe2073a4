"""Several editors of one file at a time, those of both sides mixed; what an edited file keeps."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit import programs, requirements

pytestmark = [pytest.mark.reference, pytest.mark.root]


def start(kind: str, place: Path, *words: str) -> subprocess.Popen[bytes]:
    program = programs.command_directory(kind) / "postconf"
    environment = {**os.environ, **programs.hasty(kind)}
    return subprocess.Popen([program, "-c", str(place), *words], env=environment, stderr=subprocess.PIPE)


def test_no_edit_is_lost(tmp_path: Path) -> None:
    """Twelve at a time, every other one the reference's."""
    requirements.need_reference()
    (tmp_path / "main.cf").write_text("# head\na = 1\n# tail\n")
    (tmp_path / "master.cf").write_text("# head\nx unix - - - - - p\n")
    kinds = ("reference", "pyfix")
    running = [start(kinds[number % 2], tmp_path, f"p{number}={number}") for number in range(12)]
    running += [start(kinds[number % 2], tmp_path, "-P", f"x/unix/p{number}={number}") for number in range(8)]
    for process in running:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    lines = (tmp_path / "main.cf").read_text().splitlines()
    assert lines[:3] == ["# head", "a = 1", "# tail"]
    assert sorted(lines[3:]) == sorted(f"p{number} = {number}" for number in range(12))
    options = (tmp_path / "master.cf").read_text().splitlines()[2:]
    assert sorted(options) == sorted(f"    -o p{number}={number}" for number in range(8))
    assert sorted(os.listdir(tmp_path)) == ["main.cf", "master.cf"]


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o664, 0o2640])
def test_mode_and_owner(tmp_path: Path, mode: int) -> None:
    """The file stays whose it was; the reference makes it root's, for everyone to read, whatever it was before."""
    requirements.need_reference()
    found = {}
    for kind in ("reference", "pyfix"):
        place = tmp_path / kind
        place.mkdir()
        path = place / "main.cf"
        path.write_text("a = 1\n")
        os.chown(path, 12345, 23456)
        path.chmod(mode)
        start(kind, place, "a=2").communicate(timeout=60)
        status = path.stat()
        assert (path.read_text(), os.listdir(place)) == ("a = 2\n", ["main.cf"])
        found[kind] = (status.st_mode & 0o7777, status.st_uid, status.st_gid)
    assert found == {"reference": (0o644, 0, 0), "pyfix": (mode, 12345, 23456)}


@pytest.mark.parametrize("target", ["real.cf", "nosuch.cf"])
def test_a_link(tmp_path: Path, target: str) -> None:
    """A link in the place of the file."""
    requirements.need_reference()
    found = []
    for kind in ("reference", "pyfix"):
        place = tmp_path / kind
        place.mkdir()
        (place / "real.cf").write_text("a = 1\n")
        (place / "main.cf").symlink_to(target)
        process = start(kind, place, "a=2")
        _, err = process.communicate(timeout=60)
        text = err.decode().partition(": ")[2].replace(str(place), "PLACE")
        main = place / "main.cf"
        content = main.read_text() if main.exists() else None
        found.append((process.returncode, text, main.is_symlink(), content, (place / "real.cf").read_text()))
    assert found[0] == found[1]
