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

CHECKS = Path(import_module("pyfix.commands.postfix.doctor.checks").__path__[0])
MASTER_CF = """\
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
relay     unix  -       -       n       -       -       smtp
"""


@pytest.fixture(autouse=True)
def site(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811
    monkeypatch.setattr(Host, "read", classmethod(lambda cls: Host()))
    (system.etc / "master.cf").write_text(MASTER_CF)
    system.write(inet_interfaces="all", inet_protocols="ipv4", alias_maps="", alias_database="")
    yield
    forget_tables()


def test_each_check_is_listed() -> None:
    assert sorted(registry.CHECKS) == sorted(path.stem for path in CHECKS.glob("[!_]*.py"))
    assert set(registry.CHECKS.values()) == set(registry.GROUPS)


def test_nothing_found(system: System, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
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
    system: System, main: dict[str, str], status: int, word: str, capsys: pytest.CaptureFixture[str]  # noqa: F811
) -> None:
    system.write(**main)
    assert postfix.main(["check", "--doctor"]) == status
    assert f"  {word}: " in capsys.readouterr().out


def test_json(system: System, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    system.write(mynetwork="x")
    assert postfix.main(["check", "--json", "--doctor"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["warning"] == 1
    assert told["findings"][0]["check"] == "unknown_parameters"
    assert told["findings"][0]["file"] == str(system.etc / "main.cf")


def test_what_can_not_be_examined(system: System, capfd: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    assert postfix.main(["check", "--doctor", "--nonsense"]) == 1
    assert "unknown option: --nonsense" in capfd.readouterr().err
    (system.etc / "master.cf").write_text("word\n")
    assert postfix.main(["check", "--doctor"]) == 1
    assert f"fatal: {system.etc}/master.cf: line 1: missing" in capfd.readouterr().err


def test_plain_check_knows_nothing_of_it(
    system: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    monkeypatch.setattr(command, "run", lambda system, words: 99)
    system.write(mynetworks="0.0.0.0/0")
    assert postfix.main(["check", "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_colors_are_for_terminals(system: System, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert command._has_colors()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not command._has_colors()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not command._has_colors()


def test_the_log_is_left_alone(system: System, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    sent: list[bytes] = []
    monkeypatch.setattr(log, "_send", sent.append)
    system.write(mynetworks="10.1.1.1/8", smtpd_recipient_restrictions="nonsense")
    assert postfix.main(["check", "--doctor"]) == 3
    assert sent == []
