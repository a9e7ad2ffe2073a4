from __future__ import annotations

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.master_cf import parse_entry
from pyfix.daemons.master.definition import is_disabled

from .definitions import definition


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("127.0.0.1:2525 inet n - n - - smtpd", "smtpd -n 127.0.0.1:2525 -t inet -u"),
        ("pickup unix n - n 60 1 pickup", "pickup -l -t unix -u"),
        ("cleanup unix n - n - 0 cleanup", "cleanup -z -t unix -u"),
        ("postlog unix-dgram n - n - 1 postlogd", "postlogd -l -n postlog -t unix-dgram -u"),
        ("virtual unix - n n - - virtual", "virtual -t unix"),
        ("jail unix - - y - - smtp", "smtp -n jail -t unix -u -c"),
        ("x pass n - n - - smtpd", "smtpd -n x -t pass -u -o stress="),
        ("x pass n - n - 1 smtpd", "smtpd -l -n x -t pass -u"),
        ("192.0.2.1:25 inet n - n - - smtpd -o a=b", "smtpd -n 192.0.2.1:25 -t inet -u -o stress= -o a=b"),
        ("192.0.2.1:25 inet n - n - 0 smtpd", "smtpd -z -n 192.0.2.1:25 -t inet -u"),
        ("sub/smtpd unix n - n - 1 sub/smtpd", "sub/smtpd -l -n sub/smtpd -t unix -u"),
    ],
)
def test_command_line(line: str, argv: str) -> None:
    assert " ".join(definition(line).argv(1, "")) == argv


def test_masters_own_options_and_the_number_of_sockets() -> None:
    found = definition("25 inet n - n - - smtpd -v", "-d", "-v", inet_interfaces="all").argv(2, "yes")
    assert " ".join(found) == "smtpd -n 25 -t inet -d -v -u -o stress=yes -s 2 -v"


@pytest.mark.parametrize(("limit", "backlog"), [("-", 100), ("1", 100), ("0", 100), ("300", 300)])
def test_backlog(limit: str, backlog: int) -> None:
    assert definition(f"x unix n - n - {limit} smtpd").backlog == backlog


def test_default_process_limit() -> None:
    assert definition("x unix n - n - - smtpd", default_process_limit="7").process_limit == 7


@pytest.mark.parametrize(
    ("line", "stress"),
    [
        ("25 inet n - n - - smtpd", False),  # loopback addresses only
        ("0.0.0.0:25 inet n - n - - smtpd", True),
        ("127.0.0.1:25 inet n - n - - smtpd", False),
        ("[::1]:25 inet n - n - - smtpd", False),
        ("x unix n - n - - smtpd", False),
        ("x pass n - n - - smtpd", True),
    ],
)
def test_who_is_told_of_stress(line: str, stress: bool) -> None:
    assert definition(line).knows_stress is stress


@pytest.mark.parametrize(
    ("disabled", "off"),
    [
        ([], False),
        (["inet"], True),
        (["unix"], False),
        (["smtp.inet"], True),
        (["smtp/inet"], True),
        (["other.inet"], False),
        (["!smtp.inet", "inet"], False),
        (["bad"], False),
        (["other.inet", "inet"], True),
    ],
)
def test_disabled(disabled: list[str], off: bool) -> None:
    assert is_disabled(parse_entry("smtp inet n - n - - smtpd", "x"), disabled) is off


def test_unknown_port_name() -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:nosuchport: Servname not supported for ai_socktype"):
        definition("127.0.0.1:nosuchport inet n - n - - smtpd")
