from __future__ import annotations

import pytest

from pyfix.commands.postfix.system import Failure
from pyfix.commands.postfix.system import System as MailSystem
from pyfix.commands.postfix.tls import words
from tests.unit.commands.postfix.conftest import System


def test_options(system: System) -> None:
    mail = MailSystem.read()
    assert words.options_of(mail, "enable-client", ["-r", "x", "-ry", "z"], "r:") == ({"r": "y"}, ["z"])
    with pytest.raises(Failure, match=r"usage: postfix tls enable-client \[-r devrandom\]$"):
        words.options_of(mail, "enable-client", ["-x"], "r:")


def test_usage(system: System) -> None:
    assert str(words.usage(MailSystem.read(), "all-default-client")) == "usage: postfix tls all-default-client"


def test_defaults(system: System) -> None:
    system.write(smtp_use_tls="")
    assert words.is_default(MailSystem.read(), ["smtp_use_tls", "smtp_tls_cert_file"])
    system.write(smtp_tls_cert_file="${nothing}")
    assert not words.is_default(MailSystem.read(), ["smtp_use_tls", "smtp_tls_cert_file"])


def test_editing(system: System) -> None:
    system.program("postconf")
    words.edit_main(MailSystem.read(), a="1", b="2 3")
    assert system.called() == ["postconf -e a = 1 b = 2 3"]
    system.program("postconf", "exit 1")
    with pytest.raises(Failure):
        words.edit_main(MailSystem.read(), a="1")


def test_random_source(system: System) -> None:
    assert words.random_source(MailSystem.read(), {"r": "egd:/x"}) == "egd:/x"
    system.write(tls_random_source="$x", x="dev:/dev/random")
    assert words.random_source(MailSystem.read(), {"r": ""}) == "dev:/dev/random"
    system.write(tls_random_source="")
    assert words.random_source(MailSystem.read(), {}) == "dev:/dev/urandom"


def test_paths_and_hosts(system: System) -> None:
    mail = MailSystem.read()
    assert words.path_of(mail, "/a") == "/a"
    assert words.path_of(mail, "a") == f"{system.etc}/a"
    assert words.hosts_of(mail, []) == words.hosts_of(mail, [""]) == ["mail.ours.example"]
    assert words.hosts_of(mail, ["a", "b"]) == ["a", "b"]


def test_telling(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    words.tell(MailSystem.read(), "a\n  b")
    shown = capsys.readouterr().err.splitlines()
    assert [line for line in shown if line.startswith("postfix/postlog: ")] == ["postfix/postlog: a", "postfix/postlog:   b"]
