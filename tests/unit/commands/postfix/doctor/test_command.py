from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from pyfix.commands import postfix
from pyfix.commands.postfix.doctor import command, registry
from pyfix.commands.postfix.doctor.host import Host
from pyfix.runtime.log import log
from pyfix.tables.source import forget_tables
from tests.unit.commands.postfix.conftest import System, system  # noqa: F401  # a fixture
from tests.unit.commands.postfix.doctor.conftest import MASTER_CF

CHECKS = Path(import_module("pyfix.commands.postfix.doctor.checks").__path__[0])


@pytest.fixture(autouse=True)
def site(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811  # the fixture
    monkeypatch.setattr(Host, "read", classmethod(lambda cls: Host()))
    (system.etc / "master.cf").write_text(MASTER_CF)
    system.write(inet_interfaces="all", inet_protocols="ipv4", alias_maps="", alias_database="")
    yield
    forget_tables()


def test_each_check_is_listed() -> None:
    assert sorted(registry.CHECKS) == sorted(path.stem for path in CHECKS.glob("[!_]*.py"))
    assert set(registry.CHECKS.values()) == set(registry.GROUPS)


def test_nothing_found(system: System, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811  # the fixture
    before = sorted(system.folder.rglob("*"))
    assert postfix.main(["check", "--doctor"]) == 0
    out, err = capsys.readouterr()
    assert out == f"Nothing found in {len(registry.CHECKS)} checks.\n"
    assert err == ""
    assert sorted(system.folder.rglob("*")) == before  # nothing is made or changed
    assert system.called() == []


@pytest.mark.parametrize(
    ("main", "status", "word"),
    [
        ({"something_unknown": "x"}, 0, "note"),
        ({"mynetwork": "x"}, 2, "warning"),
        ({"mynetworks": "0.0.0.0/0"}, 3, "error"),
        ({"mynetworks": "0.0.0.0/0", "mynetwork": "x"}, 3, "error"),
    ],
)
def test_exit_status(
    system: System, main: dict[str, str], status: int, word: str, capsys: pytest.CaptureFixture[str]  # noqa: F811  # the fixture
) -> None:
    system.write(**main)
    assert postfix.main(["check", "--doctor"]) == status
    assert f"  {word}: " in capsys.readouterr().out


def test_json(system: System, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811  # the fixture
    system.write(mynetwork="x")
    assert postfix.main(["check", "--json", "--doctor"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["warning"] == 1
    assert told["findings"][0]["check"] == "unknown_parameters"
    assert told["findings"][0]["file"] == str(system.etc / "main.cf")


def test_what_can_not_be_examined(system: System, capfd: pytest.CaptureFixture[str]) -> None:  # noqa: F811  # the fixture
    assert postfix.main(["check", "--doctor", "--nonsense"]) == 1
    assert "unknown option: --nonsense" in capfd.readouterr().err
    (system.etc / "master.cf").write_text("word\n")
    assert postfix.main(["check", "--doctor"]) == 1
    assert f"fatal: {system.etc}/master.cf: line 1: missing" in capfd.readouterr().err


NASTY = (
    "mynetworks = ${x", "mynetworks = [1/2 ]] 999.1.1.1/77 fe80::1%eth0 /", "inet_protocols = ipv9",
    "inet_interfaces = no.such.host.invalid", "mynetworks_style = wide", "smtpd_recipient_restrictions = ${",
    "smtpd_restriction_classes = a b a\na = b\nb = a", "smtpd_restriction_classes = permit", "relayhost = [[]:]:",
    "smtpd_relay_restrictions = check_client_access", "smtpd_relay_restrictions = check_sender_access {", "x = $x",
    "smtpd_relay_restrictions = check_client_access inline:{", "smtpd_milters = { , inet: unix: inet:a:b:c {}",
    "content_filter = :::", "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /\nsmtpd_tls_key_file = /dev/null",
    "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /, /etc/passwd", "virtual_alias_maps = hash: :x hash:/ regexp:/",
    "message_size_limit = x", "queue_minfree = -", "maillog_file_prefixes =", "transport_maps = inline:{a=:::, b}",
    "mydestination = /etc, hash:/x, !a", "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_path = inet:",
    "default_database_type = none\nvirtual_alias_maps = /x", "rewrite_service_name = none", "smtpd_delay_reject = maybe",
    "parent_domain_matches_subdomains = ${a?{", "relay_domains = static:x", "import_environment = \udcff\u0001",
    "smtpd_proxy_filter = ]:[", "daemon_table_open_error_is_fatal = yes\nrelay_domains = hash:/none",
)  # fmt: skip
"""Lines that somebody may have typed."""


@pytest.mark.parametrize("lines", NASTY)
def test_no_configuration_is_too_strange(system: System, lines: str) -> None:  # noqa: F811  # the fixture
    text = (system.etc / "main.cf").read_text() + lines + "\n"
    (system.etc / "main.cf").write_text(text, "utf-8", "surrogateescape")
    with (system.etc / "master.cf").open("a") as master:
        master.write("587 inet n - y - - smtpd\n  -o content_filter=x:y\n  -o mynetworks=[::]/0,$y -o smtpd_milters=${\n")
    found = command.examine(command.Examination(str(system.etc), Host()))
    assert found
    for _, finding in found:
        assert finding.what
        assert finding.why


def test_plain_check_knows_nothing_of_it(
    system: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch  # noqa: F811  # the fixture
) -> None:
    monkeypatch.setattr(command, "run", lambda system, words: 99)
    system.write(mynetworks="0.0.0.0/0")
    assert postfix.main(["check", "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_colors_are_for_terminals(system: System, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811  # the fixture
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert command._has_colors()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not command._has_colors()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not command._has_colors()


def test_the_log_is_left_alone(system: System, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811  # the fixture
    sent: list[bytes] = []
    monkeypatch.setattr(log, "_send", sent.append)
    system.write(mynetworks="10.1.1.1/8", smtpd_recipient_restrictions="nonsense")
    assert postfix.main(["check", "--doctor"]) == 3
    assert sent == []
