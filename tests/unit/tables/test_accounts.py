import grp
import pwd
import time
from pathlib import Path
from typing import cast

import pytest

from pyfix.runtime.task import gather, sleep
from pyfix.tables import accounts
from pyfix.tables.accounts import UnixTable, answers_at_once
from pyfix.tables.table import Opening, TableError
from tests.unit.runtime.forked import on_loop


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


@pytest.mark.parametrize(
    ("text", "passwd"),
    [
        ("passwd: files systemd\ngroup: files [SUCCESS=merge] systemd\n", True), ("passwd: compat\n", True), ("", True), (None, True),
        ("passwd: files ldap # x\n", False), ("passwd: files sss\n", False), ("  passwd : winbind [NOTFOUND=return] files\n", False),
        ("# passwd: ldap\npasswd: files # ldap\n", True),
    ],
)  # fmt: skip
def test_where_accounts_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, passwd: bool) -> None:
    monkeypatch.setattr(accounts, "_SWITCH", path := tmp_path / "nsswitch.conf")
    if text is not None:
        path.write_text(text)
    assert answers_at_once("passwd") == UnixTable("passwd.byname", Opening()).local == passwd
    assert answers_at_once("group")


def test_the_loop_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While accounts are asked for in a directory that takes long."""
    monkeypatch.setattr(accounts, "_SWITCH", path := tmp_path / "nsswitch.conf")
    path.write_text("passwd: files ldap\n")
    released = tmp_path / "released"
    real = pwd.getpwnam

    def slow(name: str) -> pwd.struct_passwd:
        deadline = time.monotonic() + 20
        while not released.exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        assert released.exists()
        return real(name)

    async def test() -> list[object]:
        async def others() -> str:
            for _ in range(5):
                await sleep(0.001)
            released.touch()
            return "others went on"

        table = UnixTable("passwd.byname", Opening())
        return list(await gather(others(), table.find("ROOT"), table.find("no such user")))

    monkeypatch.setattr(pwd, "getpwnam", slow)
    done, root, nobody = cast("list[object]", on_loop(test))
    assert (done, str(root).split(":")[0], nobody) == ("others went on", "root", None)
