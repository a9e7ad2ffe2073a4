"""postconf as a whole: what it prints for which arguments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.commands.postconf.conftest import MAIN_CF, Run


def test_overrides(postconf: Run) -> None:
    assert postconf("-q", "-o", "a=9", "-x", "mail_name")[1] == ["mail_name = x 9"]


def test_edit(postconf: Run, tmp_path: Path) -> None:
    assert postconf("mail_name=new") == (0, [], [])
    assert (tmp_path / "main.cf").read_text() == MAIN_CF.replace("x   $a", "new").replace("=  ", "= ")
    assert postconf("-F", "foo/unix/chroot=y") == (0, [], [])
    assert (tmp_path / "master.cf").read_text().startswith("foo        unix  -       -       y ")
    assert postconf("-#", "mail_name", "unused")[0] == 0
    assert "#unused = 2\n" in (tmp_path / "main.cf").read_text()


def test_fatal(postconf: Run, tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("foo\n")
    assert postconf("mail_name") == (1, [], ["fatal: main.cf, line 1: missing '=' after attribute name: \"foo\""])
    (tmp_path / "main.cf").write_text("a = 1\nmail_name = ${x\n")
    warning = 'warning: truncated macro reference: "${x"'
    assert postconf("-x", "mail_name") == (1, [], [warning, warning, "fatal: macro processing error"])
    assert postconf("-dn")[2] == ["fatal: specify one of -d, -n"]


def test_templates_are_shown_by_bounce(postconf: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    def execv(program: str, arguments: list[str]) -> None:
        started.append((program, arguments))
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(os, "execv", execv)
    (tmp_path / "main.cf").write_text("daemon_directory = /nonexistent\n")
    status, _, lines = postconf("-b", "file")
    assert (status, lines) == (1, ["fatal: execv /nonexistent/bounce: No such file or directory"])
    assert started == [
        (
            "/nonexistent/bounce",
            ["bounce", "-SVnexpand_templates", "-o", "bounce_template_file=file", "-o", "queue_directory=."],
        )
    ]
