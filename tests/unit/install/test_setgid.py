from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.install import setgid
from tests.kit import requirements
from tests.kit.programs import readable_by_everyone

SCRIPT = """\
import json, os, sys
print(json.dumps([sys.argv, dict(os.environ), os.getegid(), os.listdir("/proc/self/fd"), sys.flags.isolated]))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that only its owner may change, on the way to it too, and that others may walk."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def interpreter() -> Path:
    """An interpreter that only root may change and everyone may run, of whatever version."""
    known = (Path(sys.executable).resolve(), Path("/usr/bin/python3"), Path("/usr/local/bin/python3"))
    usable = [python for python in known if python.exists() and readable_by_everyone(python.resolve())]
    safe = [python for python in usable if setgid.changeable_part(python) is None]
    return safe[0] if safe else requirements.missing("an interpreter that every user can run")


@pytest.fixture(autouse=True)
def compiler() -> None:
    if not (shutil.which("cc") or shutil.which("gcc")):
        requirements.missing("a C compiler")


def build(folder: Path) -> Path:
    script = folder / "script.py"
    script.write_text(SCRIPT)
    setgid.build(folder / "postdrop", interpreter(), script)
    return folder / "postdrop"


def test_only_arguments_and_a_few_variables_come_through(folder: Path) -> None:
    program = build(folder)
    read, write = os.pipe()
    environment = {
        "MAIL_CONFIG": "/etc/mail",
        "PYTHONPATH": "/evil",
        "LD_LIBRARY_PATH": "/evil",
        "HOME": "/evil",
        "TZ": "/etc/shadow",
        "PATH": "/evil",
    }
    try:
        done = subprocess.run(
            [program, "-r", "a b"], env=environment, capture_output=True, text=True, check=True, pass_fds=[write]
        )
    finally:
        os.close(read)
        os.close(write)
    arguments, variables, _, descriptors, isolated = json.loads(done.stdout)
    assert arguments == [str(folder / "script.py"), "-r", "a b"]
    assert variables == {"MAIL_CONFIG": "/etc/mail", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    assert isolated == 1
    assert {"0", "1", "2"} <= set(descriptors)
    assert str(write) not in descriptors


@pytest.mark.parametrize(
    ("zone", "kept"), [("UTC", True), ("Europe/Berlin", True), (":/etc/x", False), ("../x", False)]
)
def test_a_zone_is_a_name(folder: Path, zone: str, kept: bool) -> None:
    done = subprocess.run([build(folder)], env={"TZ": zone}, capture_output=True, text=True, check=True)
    assert ("TZ" in json.loads(done.stdout)[1]) == kept


@pytest.mark.root
def test_other_users_get_the_group(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT)
    setgid.build(folder / "postdrop", interpreter(), folder / "script.py")
    setgid.give_group(folder / "postdrop", 12345)
    done = subprocess.run(
        [folder / "postdrop"],
        capture_output=True,
        text=True,
        check=True,
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
    )
    assert json.loads(done.stdout)[2] == 12345


def test_what_others_may_change_is_not_run_with_rights(folder: Path) -> None:
    loose = folder / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    (loose / "script.py").write_text(SCRIPT)
    with pytest.raises(setgid.SetGidUnavailable, match="loose may be changed by users other than"):
        setgid.build(folder / "postdrop", interpreter(), loose / "script.py")
    assert not (folder / "postdrop").exists()


def test_without_a_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(setgid.SetGidUnavailable, match="no C compiler"):
        setgid.build(folder / "postdrop", Path(sys.executable), folder / "script.py")
