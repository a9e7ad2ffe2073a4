"""The documentation builds without a warning, and names only what exists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyfix.config.catalogue import all_parameters
from pyfix.install.launchers import COMMANDS
from tests.install.mailmachine import INSTALL
from tests.kit import requirements

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))


def test_it_builds(tmp_path: Path) -> None:
    if shutil.which(str(Path(sys.executable).with_name("mkdocs"))) is None:
        requirements.missing("needs mkdocs, which the extra check brings")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "-d", str(tmp_path / "site")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "site/extending.html").read_text()
    assert "def lookup" in page and "action=" in page
    assert (tmp_path / "site/differences.html").read_text().count("<li>") > 40


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_parameters_and_commands_exist(path: Path) -> None:
    text = path.read_text()
    known = all_parameters()
    for name in re.findall(r"\b(pyfix_[a-z_]+[a-z])\b", text):
        assert name in known, name
    for name in re.findall(r"postconf (?:\")?([a-z]\w+_\w+)=", text):
        assert name in known, name
    for name in re.findall(r"^ {4}(post\w+|smtp-\w+) ", text, re.MULTILINE):
        assert name in COMMANDS, name


def test_moving_in_takes_five_lines_and_going_back_one() -> None:
    """README.md has what the machines of tests/install run."""
    text = (ROOT / "README.md").read_text()
    for name in ("make run", "make test"):
        assert f"\n\n    {name}\n\n" in text
    (block,) = (block for block in re.findall(r"(?m)(?:^ {4}\S.*\n)+", text) if "--replace" in block)
    there, back = block.split("    " + INSTALL + " --restore\n")
    assert back == ""
    assert there.split("\n    ") == ["    make install PREFIX=/opt/pyfix", f"{INSTALL} --replace\n"]
    assert len(text.splitlines()) < 80
