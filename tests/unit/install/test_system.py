from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.config.master_cf import read_master_cf
from pyfix.config.snapshot import Snapshot
from pyfix.install import setgid, system
from pyfix.install.accounts import Accounts
from pyfix.install.launchers import COMMANDS, DAEMONS
from pyfix.tables.source import open_table

SOURCE = Path(__file__).resolve().parents[3]


@pytest.fixture
def rootless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who is not root; the folder was made before."""
    for name in ("getuid", "geteuid"):
        monkeypatch.setattr(os, name, lambda: 4711)


@pytest.mark.usefixtures("rootless")
def test_everything_is_below_the_prefix(tmp_path: Path) -> None:
    prefix = tmp_path / "opt"
    warnings = system.install(SOURCE, prefix)
    assert warnings == [
        f"without root, ports below 1024 are out of reach: {prefix}/etc/postfix/master.cf has SMTP on port 2525",
        "installed without root: only 4711 can queue mail with it",
    ]
    assert sorted(path.name for path in (prefix / "sbin").iterdir()) == sorted(COMMANDS)
    assert sorted(path.name for path in (prefix / "libexec/postfix").iterdir()) == sorted(DAEMONS)
    assert (prefix / "var/spool/postfix/maildrop").stat().st_mode & 0o7777 == 0o730
    assert sorted(path.name for path in tmp_path.iterdir()) == ["opt"]
    snapshot = Snapshot.read(str(prefix / "etc/postfix"))
    for name in ("queue_directory", "data_directory", "daemon_directory", "command_directory", "sendmail_path"):
        assert snapshot.value(name).startswith(f"{prefix}/")
    assert (prefix / "share/man/man8/smtpd.8").stat().st_mode & 0o777 == 0o644
    assert f"configuration='{prefix}/etc/postfix'" in (prefix / "sbin/postqueue").read_text()


@pytest.mark.usefixtures("rootless")
def test_without_root_the_caller_owns_it_and_gets_the_mail(tmp_path: Path) -> None:
    system.install(SOURCE, tmp_path)
    snapshot = Snapshot.read(str(tmp_path / "etc/postfix"))
    assert snapshot.value("mail_owner") == "4711"
    assert snapshot.value("home_mailbox") == "Maildir/"
    master = read_master_cf(str(tmp_path / "etc/postfix/master.cf"))
    assert [entry.name for entry in master if entry.type == "inet"] == ["2525"]


@pytest.mark.usefixtures("rootless")
def test_a_new_system_has_aliases(tmp_path: Path) -> None:
    """Without their table the first mail to a user of the host would have to wait."""
    system.install(SOURCE, tmp_path)
    snapshot = Snapshot.read(str(tmp_path / "etc/postfix"))
    table = open_table(snapshot.value("alias_maps"), snapshot, share=False)
    assert table.find_now("postmaster") == "root"
    table.close()


@pytest.mark.usefixtures("rootless")
def test_configuration_stays(tmp_path: Path) -> None:
    (tmp_path / "etc/postfix").mkdir(parents=True)
    (tmp_path / "etc/postfix/main.cf").write_text("mine = yes\n")
    system.install(SOURCE, tmp_path)
    assert (tmp_path / "etc/postfix/main.cf").read_text() == "mine = yes\n"
    assert sorted(path.name for path in (tmp_path / "etc/postfix").iterdir()) == [
        "main.cf", "main.cf.proto", "master.cf", "master.cf.proto",
    ]  # fmt: skip
    master = tmp_path / "etc/postfix/master.cf"
    master.write_text("# mine\n")
    system.install(SOURCE, tmp_path)
    assert master.read_text() == "# mine\n"


@pytest.mark.root
def test_without_a_compiler_maildrop_is_open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(*_: object) -> None:
        raise setgid.SetGidUnavailable("no C compiler")

    monkeypatch.setattr(setgid, "build", no_compiler)
    monkeypatch.setattr(system, "ACCOUNTS", Accounts("daemon", "mail"))
    (warning,) = system.install(SOURCE, tmp_path)
    assert warning.startswith("postdrop, postlog, postqueue are not set-gid (no C compiler): all users may write")
    assert (tmp_path / "sbin/postdrop").read_text().startswith("#!")
    assert (tmp_path / "var/spool/postfix/maildrop").stat().st_mode & 0o7777 == 0o1733


@pytest.mark.root
def test_missing_accounts_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "ACCOUNTS", Accounts("no-such-user", "no-such-group"))
    warnings = system.install(SOURCE, tmp_path)
    assert any("groupadd --system no-such-group; useradd --system no-such-user" in warning for warning in warnings)
