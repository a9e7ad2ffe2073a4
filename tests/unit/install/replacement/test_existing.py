from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.install.launchers import DAEMONS, LaunchTarget, installed_launcher
from pyfix.install.replacement.existing import Existing, NoPostfix, Program, is_ours


def test_what_it_was_built_with(existing: Existing, tmp_path: Path) -> None:
    """Only what differs from our own defaults."""
    assert existing.defaults["daemon_directory"] == str(tmp_path / "daemons")
    assert existing.defaults["default_database_type"] == "lmdb"
    assert existing.defaults["manpage_directory"] == "/usr/share/man"
    assert "queue_directory" not in existing.defaults
    assert existing.values["queue_directory"] == "/var/spool/postfix"


def test_programs(existing: Existing, tmp_path: Path) -> None:
    """Each file once; what is a link to another is replaced with it; what is missing is known to be."""
    programs = existing.programs()
    paths = [program.path for program in programs]
    assert len(set(paths)) == len(paths)
    by_name = {program.name: program for program in programs}
    assert by_name["sendmail"] == Program(tmp_path / "sbin/sendmail", "command", "sendmail", present=True)
    assert "mailq" not in by_name
    assert by_name["newaliases"] == Program(tmp_path / "newaliases", "command", "newaliases", present=False)
    assert by_name["postdrop"].set_gid and not by_name["postmap"].set_gid
    assert by_name["nqmgr"].present
    assert not by_name["virtual"].present
    assert set(DAEMONS) <= set(by_name)


def test_no_postfix(tmp_path: Path) -> None:
    with pytest.raises(NoPostfix, match="is Postfix installed"):
        Existing.find(tmp_path / "postconf")
    (tmp_path / "postconf").write_text(installed_launcher("command", "postconf", LaunchTarget(Path("/usr/bin/python3"), ())))
    with pytest.raises(NoPostfix, match="is pyfix's already"):
        Existing.find(tmp_path / "postconf")
    (tmp_path / "postconf").write_text("#!/bin/sh\necho broken >&2; exit 1\n")
    (tmp_path / "postconf").chmod(0o755)
    with pytest.raises(NoPostfix, match="-d failed: broken"):
        Existing.find(tmp_path / "postconf")
    (tmp_path / "postconf").write_text("#!/bin/sh\necho queue_directory = /x\n")
    with pytest.raises(NoPostfix, match="does not know command_directory, config_directory"):
        Existing.find(tmp_path / "postconf")


def test_is_ours(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x7fELF" + bytes(100) + b"pyfix: fatal" + bytes(100))
    (tmp_path / "b").write_bytes(b"\x7fELF" + bytes(100))
    assert is_ours(tmp_path / "a")
    assert not is_ours(tmp_path / "b")
