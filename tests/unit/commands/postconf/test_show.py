"""Parameters of main.cf as postconf shows them."""

from __future__ import annotations

from pathlib import Path

from tests.unit.commands.postconf.conftest import UNUSED, Run


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
