import grp
import pwd

import pytest

from pyfix.tables.accounts import UnixTable
from pyfix.tables.table import Opening, TableError


def test_accounts() -> None:
    table = UnixTable("passwd.byname", Opening())
    root = pwd.getpwnam("root")
    assert table.find_now("Root") == f"root:{root.pw_passwd}:0:0:{root.pw_gecos}:{root.pw_dir}:{root.pw_shell}"
    assert table.find_now("no such user") is None
    assert table.find_now("a\0b") is None


def test_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grp, "getgrnam", lambda name: grp.struct_group((name, "x", 7, ["a", "b"])))
    assert UnixTable("group.byname", Opening()).find_now("g") == "g:x:7:a,b"


def test_a_system_that_cannot_say(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(pwd, "getpwnam", broken)
    with pytest.raises(TableError, match="Input/output error"):
        UnixTable("passwd.byname", Opening()).find_now("root")


def test_unknown_name() -> None:
    with pytest.raises(TableError, match="unknown table: unix:foo"):
        UnixTable("foo", Opening())
