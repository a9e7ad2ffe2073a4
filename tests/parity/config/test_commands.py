"""What commands other than postconf(1) make of main.cf: bad values, import_environment, fork_attempts."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kit import programs, requirements

pytestmark = [pytest.mark.reference, pytest.mark.root]

COMMANDS = (
    "postalias -q a texthash:{0}/table", "postcat {0}/nosuch", "postkick public nosuch x", "postlock {0}/lock true", "postlog x",
    "postmap -q a texthash:{0}/table", "postqueue -p", "postsuper -d 1234", "sendmail -bv x", "sendmail -q", "sendmail -bi", "postdrop",
    "postfix status",
)  # fmt: skip

BAD = (
    "mail_owner = nosuch",
    "setgid_group = nosuch",
    "hash_queue_depth = 0",
    "ipc_timeout = 10x",
    "soft_bounce = maybe",
    "myhostname = a..b",
    "compatibility_level = x",
    "mail_name = ${x",
    "mail_name = ${domain_to_utf8{a..b}}",
    "recipient_delimiter = a\nimport_environment = {X",
    "import_environment = TZ =x",
    "import_environment = { X y = 1 }",
    "import_environment = {X=1}2",
    "syslog_facility = nosuch",
    "mail_name = x\nmail_name = y\nsyslog_facility = nosuch",
    "daemon_timeout =",
)


def run(
    kind: str, place: Path, line: str, words: list[str], *, before: Sequence[str] = (), **environment: str
) -> tuple[int, list[str], list[str]]:
    """Run a command of one side with *line* in main.cf; return status, output, and what it says without its own name.

    *before* is a command that runs it.
    """
    place.mkdir(exist_ok=True)
    (place / "queue").mkdir(exist_ok=True)
    (place / "table").write_text("a b\n")
    main = {**programs.settings(kind), "queue_directory": f"{place}/queue", "data_directory": f"{place}/queue", "mynetworks": "127.0.0.1"}
    text = "".join(f"{name} = {value}\n" for name, value in main.items() if not line.startswith(name))
    level = "" if "compatibility_level" in line else "compatibility_level = 3.11\n"
    (place / "main.cf").write_text(f"{text}{level}{line}\n")
    (place / "master.cf").write_text("")
    os.utime(place / "main.cf", (1_000_000_000, 1_000_000_000))
    program = programs.command_directory(kind) / words[0]
    done = subprocess.run(
        [*before, program, *(word.format(place) for word in words[1:])], stdin=subprocess.DEVNULL, capture_output=True, check=False,
        env={"PATH": "/usr/bin:/bin", "MAIL_CONFIG": str(place), **programs.hasty(kind), **environment}, timeout=60,
    )  # fmt: skip
    err = [re.sub(r"line \d+:", "line N:", line.partition(": ")[2]) for line in done.stderr.decode().replace(str(place), "PLACE").splitlines()]
    return done.returncode, done.stdout.decode().replace(str(place), "PLACE").splitlines(), err


@pytest.mark.parametrize("command", COMMANDS)
def test_bad_values(command: str, tmp_path: Path) -> None:
    """Three bad values each, in turn: the same fatal line and exit status."""
    requirements.need_reference()
    at = COMMANDS.index(command)
    for line in (BAD[at % len(BAD)], BAD[(at + 5) % len(BAD)], BAD[(at + 10) % len(BAD)]):
        theirs, ours = (run(kind, tmp_path / kind, line, command.split()) for kind in ("reference", "pyfix"))
        assert ours == theirs, line
        assert theirs[0] != 0, line


@pytest.mark.parametrize(
    "command",
    ["postqueue -p", "postqueue -j", "postqueue -i ABCDEF1234", "postdrop", "postsuper", "postsuper -d ABCDEF1234", "postcat -q ABCDEF1234",
     "postcat {0}/nosuch", "postkick public x y", "postlog x", "postlock {0}/box true", "sendmail x@y.example", "sendmail -bp", "sendmail -bd x",
     "sendmail -bi", "sendmail -q", "sendmail -Z"],
)  # fmt: skip
def test_no_queue_directory(command: str, tmp_path: Path) -> None:
    requirements.need_reference()
    line = "queue_directory = /nonexistent"
    theirs, ours = (run(kind, tmp_path / kind, line, command.split()) for kind in ("reference", "pyfix"))
    assert ours == theirs


FORMS = (
    "KEEP, LOSE", "SET=1", "SET = 1", "{SP=a b} { X = y }", "EMPTY= KEEP", "{ KEEP } X=1=2 X=3 {} KEEP=1", "X=$mail_name,Y=$nosuch", "",
    "a{b=c}d", "LANG=C KEEP=$$x", "A=b,C=d,{E=f,g}",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_environment(form: str, tmp_path: Path) -> None:
    """What a program gets that postlock(1) runs; each name is kept, as these commands have no rights but the caller's."""
    requirements.need_reference()
    found = []
    for kind in ("reference", "pyfix"):
        words = ["postlock", "{0}/lock", "env"]
        status, out, err = run(kind, tmp_path / kind, f"import_environment = {form}", words, KEEP="k", LOSE="l")
        own = ("LD_PRELOAD=", "LC_CTYPE=", "PYTHON", "COVERAGE")
        found.append((status, sorted(line for line in out if not line.startswith(own)), err))
    assert found[1] == found[0]


WITHOUT_PROCESSES = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "prlimit", "--nproc=1")
"""Runs a command as somebody who may have no process besides."""


@pytest.mark.parametrize("command", ["postlock {0}/box true", "sendmail -bd"])
def test_no_process_to_be_had(command: str) -> None:
    """As often as fork_attempts says; then the status says so."""
    requirements.need_reference()
    found = []
    for kind in ("reference", "pyfix"):
        with tempfile.TemporaryDirectory(prefix="pyfix-forks-") as folder:
            place = Path(folder)
            place.chmod(0o777)
            status, out, err = run(kind, place, "fork_attempts = 3\nfork_delay = 1s", command.split(), before=WITHOUT_PROCESSES)
        commands = str(programs.command_directory(kind))
        found.append((status, out, [line.replace(commands, "COMMANDS") for line in err]))
    assert found[1] == found[0]
    assert len(found[0][2]) == 3


def test_a_user_without_a_name() -> None:
    requirements.need_reference()
    before = ("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups")
    found = []
    for kind in ("reference", "pyfix"):
        with tempfile.TemporaryDirectory(prefix="pyfix-nobody-") as folder:
            Path(folder).chmod(0o755)
            found.append(run(kind, Path(folder), "mail_name = x", ["sendmail", "x@y.example"], before=before))
    assert found[1] == found[0]
    assert "no login name" in found[0][2][0]
