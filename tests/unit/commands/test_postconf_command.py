"""postconf as a whole: what it prints for which arguments."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.commands.postconf import main
from pyfix.tables.source import TABLE_TYPES

MAIN_CF = "compatibility_level = 3.11\nmail_name =  x   $a\na = 1\nunused = 2\nsmtp_use_tls = no\n"
MASTER_CF = "foo unix - - n - - smtpd -o mail_name=$a -o lost=1\nfoo inet n - n - - smtpd -o a=2 -o mail_name=$a\n"
CONF = "--"


@pytest.fixture
def postconf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[str], list[str]]]:
    """Run the command in a folder with both files; returns status, lines, warnings."""
    monkeypatch.setattr(sys, "argv", ["postconf"])
    monkeypatch.setenv("MAIL_CONFIG", "/nonexistent")
    (tmp_path / "main.cf").write_text(MAIN_CF)
    (tmp_path / "master.cf").write_text(MASTER_CF)

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        status = main(["-c", str(tmp_path), *arguments])
        out, err = capsys.readouterr()
        assert os.environ["MAIL_CONFIG"] == str(tmp_path)
        lines = [line.removeprefix("postconf: ").replace(f"{tmp_path}/", "") for line in err.splitlines()]
        return status, out.splitlines(), lines

    return run


Run = Callable[..., tuple[int, list[str], list[str]]]

UNUSED = [
    "warning: main.cf: unused parameter: unused=2",
    "warning: master.cf: unused parameter: lost=1",
    'warning: main.cf: support for parameter "smtp_use_tls" will be removed; '
    'instead, specify "smtp_tls_security_level"',
    "warning: See https://www.postfix.org/DEPRECATION_README.html for details",
]


def test_names(postconf: Run) -> None:
    assert postconf("mail_name", "nosuch", "a", "smtpd_timeout") == (
        0,
        ["mail_name = x $a", "a = 1", "smtpd_timeout = ${stress?{10}:{300}}s"],
        ["warning: nosuch: unknown parameter", *UNUSED],
    )


def test_only_what_is_set(postconf: Run, tmp_path: Path) -> None:
    assert postconf("-nq") == (
        0,
        [
            "a = 1",
            "compatibility_level = 3.11",
            f"config_directory = {tmp_path}",
            "mail_name = x $a",
            "smtp_use_tls = no",
        ],
        [],
    )


def test_expanded(postconf: Run) -> None:
    assert postconf("-qxh", "mail_name", "smtpd_timeout", "forward_path")[1] == [
        "x 1",
        "300s",
        "$home/.forward${recipient_delimiter}${extension}, $home/.forward",
    ]


def test_defaults(postconf: Run) -> None:
    assert postconf("-d", "mail_name", "a") == (0, ["mail_name = Postfix"], ["warning: a: unknown parameter"])
    assert postconf("-dx", "lmtp_tcp_port", "sample_directory")[1] == [
        "lmtp_tcp_port = 24",
        "sample_directory = /etc/postfix",
    ]
    assert len(postconf("-d")[1]) == 886 - 13


def test_classes(postconf: Run) -> None:
    assert postconf("-qC", "user")[1] == ["a = 1"]
    assert postconf("-qC", "service")[1] == []
    assert len(postconf("-qC", "builtin")[1]) == 886 - 13


def test_all(postconf: Run) -> None:
    lines = postconf("-q")[1]
    assert "a = 1" in lines and "mail_name = x $a" in lines
    assert lines == sorted(lines, key=lambda line: line.split(" ")[0])


def test_parameters_of_our_own(postconf: Run, tmp_path: Path) -> None:
    assert postconf("pyfix_internal_protocol")[2][0] == "warning: pyfix_internal_protocol: unknown parameter"
    (tmp_path / "main.cf").write_text("pyfix_internal_protocol = 3.7\n")
    assert "pyfix_internal_protocol = 3.7" in postconf("-n")[1]
    assert not any("pyfix" in line for line in postconf("-n")[2])


def test_overrides(postconf: Run) -> None:
    assert postconf("-q", "-o", "a=9", "-x", "mail_name")[1] == ["mail_name = x 9"]


def test_services(postconf: Run) -> None:
    assert postconf("-M", "foo/inet") == (
        0,
        ["foo        inet  n       -       n       -       -       smtpd -o a=2 -o mail_name=$a"],
        ["warning: master.cf: unused parameter: lost=1"],
    )
    assert postconf("-Fq", "foo/inet/type", "*/*/service")[1] == [
        "foo/unix/service = foo",
        "foo/inet/type = inet",
        "foo/inet/service = foo",
    ]
    assert postconf("-Pqx", "*/*/mail_name")[1] == ["foo/unix/mail_name = 1", "foo/inet/mail_name = 2"]
    assert postconf("-Pq", "no")[2] == ['warning: unmatched request: "no"']
    assert postconf("-Mjq", "foo/inet")[1] == ['{"foo/inet": "foo inet n - n - - smtpd -o a=2 -o mail_name=$a"}']
    assert postconf("-FHq", "foo/inet/command")[1] == ["foo/inet/command"]
    assert postconf("-Fhq", "foo/inet/command")[1] == ["smtpd -o a=2 -o mail_name=$a"]
    assert postconf("-F", "foo/inet/nosuch")[::2] == (1, ['fatal: invalid service attribute name: "nosuch"'])


def test_edit(postconf: Run, tmp_path: Path) -> None:
    assert postconf("mail_name=new") == (0, [], [])
    assert (tmp_path / "main.cf").read_text() == MAIN_CF.replace("x   $a", "new").replace("=  ", "= ")
    assert postconf("-F", "foo/unix/chroot=y") == (0, [], [])
    assert (tmp_path / "master.cf").read_text().startswith("foo        unix  -       -       y ")
    assert postconf("-#", "mail_name", "unused")[0] == 0
    assert "#unused = 2\n" in (tmp_path / "main.cf").read_text()


def test_features(postconf: Run) -> None:
    assert postconf("-l")[1] == ["flock", "fcntl", "dotlock"]
    assert postconf("-a")[1] == ["cyrus", "dovecot"]
    assert postconf("-A")[1] == ["cyrus"]
    assert postconf("-m")[1] == sorted(TABLE_TYPES)
    assert postconf("-T", "run-version")[1][0].startswith("OpenSSL ")
    assert postconf("-T", "nosuch")[0] == 1


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
