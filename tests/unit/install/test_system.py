from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.install import setgid, system
from pyfix.install.accounts import Accounts
from pyfix.install.launchers import COMMANDS, DAEMONS

SOURCE = Path(__file__).resolve().parents[3]


def test_everything_is_below_the_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    prefix = tmp_path / "opt"
    warnings = system.install(SOURCE, prefix)
    assert warnings == ["installed without root: only 4711 can queue mail with it"]
    assert sorted(path.name for path in (prefix / "sbin").iterdir()) == sorted(COMMANDS)
    assert sorted(path.name for path in (prefix / "libexec/postfix").iterdir()) == sorted(DAEMONS)
    assert (prefix / "var/spool/postfix/maildrop").stat().st_mode & 0o7777 == 0o730
    assert sorted(path.name for path in tmp_path.iterdir()) == ["opt"]
    snapshot = Snapshot.read(str(prefix / "etc/postfix"))
    for name in ("queue_directory", "data_directory", "daemon_directory", "command_directory", "sendmail_path"):
        assert snapshot.value(name).startswith(f"{prefix}/")
    assert (prefix / "share/man/man8/smtpd.8").stat().st_mode & 0o777 == 0o644
    assert f"configuration='{prefix}/etc/postfix'" in (prefix / "sbin/postqueue").read_text()


def test_configuration_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    (tmp_path / "etc/postfix").mkdir(parents=True)
    (tmp_path / "etc/postfix/main.cf").write_text("mine = yes\n")
    system.install(SOURCE, tmp_path)
    assert (tmp_path / "etc/postfix/main.cf").read_text() == "mine = yes\n"
    assert (tmp_path / "etc/postfix/master.cf").read_text() == (SOURCE / "etc/postfix/master.cf").read_text()


@pytest.mark.root
def test_without_a_compiler_maildrop_is_open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(*_: object) -> None:
        raise setgid.SetGidUnavailable("no C compiler")

    monkeypatch.setattr(setgid, "build", no_compiler)
    monkeypatch.setattr(system, "ACCOUNTS", Accounts("daemon", "mail"))
    (warning,) = system.install(SOURCE, tmp_path)
    assert warning.startswith("postdrop and postqueue are not set-gid (no C compiler): all users may write")
    assert (tmp_path / "sbin/postdrop").read_text().startswith("#!")
    assert (tmp_path / "var/spool/postfix/maildrop").stat().st_mode & 0o7777 == 0o1733


@pytest.mark.root
def test_missing_accounts_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "ACCOUNTS", Accounts("no-such-user", "no-such-group"))
    warnings = system.install(SOURCE, tmp_path)
    assert any("groupadd --system no-such-group; useradd --system no-such-user" in warning for warning in warnings)
