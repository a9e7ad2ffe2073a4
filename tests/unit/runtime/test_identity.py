"""Users and their rights.  What only root can do is done in children."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.runtime.identity import Owner, act_as, drop_privileges, group_id, is_rootless, mail_owner, named_owner
from tests.unit.runtime.forked import in_child

NOBODY = Owner(65534, 65534)


def test_owners() -> None:
    assert Owner(1, 2) == Owner(1, 2) != Owner(1, 3) and len({Owner(1, 2), Owner(1, 2)}) == 1
    assert repr(Owner(1, 2)) == "Owner(1, 2)" and Owner(1, 2) != (1, 2)


def test_without_root_everything_is_the_callers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 1001)
    assert is_rootless()
    assert mail_owner("no such user") == Owner(1000, 1001)
    assert group_id("no such group") == 1001
    before = (os.geteuid(), os.getegid(), os.getgroups(), os.getcwd())
    drop_privileges(NOBODY, str(tmp_path))
    act_as(NOBODY)
    with NOBODY.rights():
        assert (os.geteuid(), os.getegid(), os.getgroups(), os.getcwd()) == before


@pytest.mark.root
@pytest.mark.parametrize(
    ("name", "text"), [("nosuch", "unknown user name value: nosuch"), ("root", "user root has privileged user ID")]
)
def test_mail_owners_that_cannot_be(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv("MAIL_CONFIG", "/etc/postfix")
    with pytest.raises(ConfigError, match=f"^file /etc/postfix/main.cf: parameter mail_owner: {text}$"):
        mail_owner(name)
    assert mail_owner("nobody") == NOBODY


@pytest.mark.root
def test_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_CONFIG", "/etc/postfix")
    assert group_id("mail") > 0
    with pytest.raises(ConfigError, match=r"parameter setgid_group: unknown group name: nosuch$"):
        group_id("nosuch")


def test_named_owners() -> None:
    nobody = named_owner("nobody", "no user", "no group")
    assert nobody.uid == 65534
    assert named_owner("nobody:mail", "no user", "no group") == Owner(nobody.uid, grp.getgrnam("mail").gr_gid)
    for value, text in (("nosuch", "no user: nosuch"), ("nobody:nosuch", "no group: nosuch"), ("nobody:", "no group: ")):
        with pytest.raises(ConfigError, match=f"^{text}$"):
            named_owner(value, "no user", "no group")


def rights() -> tuple[int, int, list[int]]:
    return os.geteuid(), os.getegid(), os.getgroups()


@pytest.mark.root
def test_rights_of_somebody_else_for_a_while() -> None:
    def body() -> list[object]:
        seen: list[object] = []
        before = rights()
        with Owner(1, 2).rights():
            seen.append(rights())
        seen.append(rights() == before)
        act_as(NOBODY)
        try:
            with Owner(1, 2).rights():
                seen.append(rights())
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        return [*seen, rights()]

    assert in_child(body) == repr([(1, 2, [2]), True, (1, 2, [2]), (65534, 65534, [65534])])


@pytest.mark.root
def test_rights_that_are_given_up_do_not_come_back(tmp_path: Path) -> None:
    def body() -> list[object]:
        drop_privileges(NOBODY, str(tmp_path))
        try:
            os.seteuid(0)
        except PermissionError:
            return [os.getresuid(), os.getresgid(), os.getgroups(), os.getcwd()]
        return ["root again"]

    tmp_path.chmod(0o755)
    assert in_child(body) == repr([(65534,) * 3, (65534,) * 3, [65534], "/"])
