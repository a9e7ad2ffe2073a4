"""What is not run is said loudly, and in CI it is a failure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.machine import NOBODY, as_user
from tests.kit import requirements
from tests.kit.programs import CHECKOUT, ProgramsMissing, everyones_interpreter

_SUBSET = "tests/kit/subset_for_summary.py"


def run_subset(user: int, *selected: str, **environment: str) -> tuple[int, str]:
    """Run some tests as *user*; return pytest's exit status and what it printed."""
    try:
        if user != os.getuid() and everyones_interpreter() != Path(sys.executable):
            requirements.missing(f"{sys.executable} can't be run by other users")
    except ProgramsMissing as reason:
        requirements.missing(reason)
    chosen = [f"{_SUBSET}::{name}" for name in selected] or [_SUBSET]
    argv = [*as_user(user), sys.executable, "-B", "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *chosen]
    done = subprocess.run(
        argv,
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def user() -> int:
    """Somebody who is not root."""
    return os.getuid() or NOBODY


def test_without_root_it_says_what_was_not_run(user: int) -> None:
    status, said = run_subset(user)
    assert status == 0, said
    summary = said.partition("!!!!! NOT RUN !!!!!")[2]
    assert re.search(r"1 tests: not run: needs root\n", summary)
    assert re.search(r"2 tests: not run: the reference Postfix runs as root only, and this is not root\n", summary)
    assert re.search(r"1 tests: no such thing here\n", summary)
    assert re.search(r"1 passed, 4 skipped in", summary), said


@pytest.mark.root
def test_without_debian_it_says_what_was_not_run(tmp_path: Path) -> None:
    selected = ("test_that_runs_everywhere", "test_that_needs_the_reference", "test_that_compares")
    status, said = run_subset(0, *selected, PATH="/nonexistent", PYFIX_REFERENCE_DIR=str(tmp_path))
    assert status == 0, said
    summary = said.partition("!!!!! NOT RUN !!!!!")[2]
    assert "2 tests: not run: not a Debian machine (apt-get or Debian's archive keyring is missing)\n" in summary
    assert "1 passed, 2 skipped in" in summary, said


def test_in_ci_nothing_may_be_missing(user: int) -> None:
    status, said = run_subset(user, CI="true")
    assert status == 1, said
    assert said.count("(nothing is skipped in CI)") >= 3
    assert "1 passed, 1 skipped, 3 errors in" in said, said


def test_in_ci_nothing_skips_itself(user: int) -> None:
    assert run_subset(user, "test_that_runs_everywhere", CI="true")[0] == 0
    status, said = run_subset(user, "test_that_runs_everywhere", "test_that_skips_by_itself", CI="true")
    assert status == 1 and "1 passed, 1 skipped in" in said, said
    assert "In CI nothing may be skipped: this run has failed." in said
