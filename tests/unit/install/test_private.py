from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.install.accounts import accounts_for_private_instance, caller
from pyfix.install.private import lay_out_private

SOURCE = Path(__file__).resolve().parents[3]


def test_a_private_instance_is_laid_out(tmp_path: Path) -> None:
    instance = lay_out_private(SOURCE, tmp_path / "var", 2525)
    snapshot = Snapshot.read(str(instance.config_directory))
    assert snapshot.value("queue_directory") == str(tmp_path / "var/spool")
    assert snapshot.value("mail_owner") == accounts_for_private_instance().mail_owner
    assert (instance.command_directory / "postfix").exists()
    assert (instance.daemon_directory / "smtpd").exists()
    assert instance.queue_directory.joinpath("incoming").is_dir()
    master = (instance.config_directory / "master.cf").read_text().splitlines()
    services = [line.split()[:2] for line in master if line.strip() and line[0] not in "# "]
    assert [name for name, kind in services if kind == "inet"] == ["127.0.0.1:2525"]
    assert ["smtp", "unix"] in services


def test_the_users_changes_stay(tmp_path: Path) -> None:
    instance = lay_out_private(SOURCE, tmp_path, 2525)
    (instance.config_directory / "main.cf").write_text("mine = yes\n")
    lay_out_private(SOURCE, tmp_path, 2525)
    assert (instance.config_directory / "main.cf").read_text() == "mine = yes\n"


def test_without_root_the_caller_is_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    assert caller() == "4711"
    assert accounts_for_private_instance().mail_owner == "4711"


def test_a_privileged_port_needs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(ValueError, match="port 25 needs root"):
        lay_out_private(SOURCE, tmp_path / "var", 25)
    assert not (tmp_path / "var").exists()
