from __future__ import annotations

import os
import pwd
from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.daemons.local import users as module
from pyfix.daemons.local.users import User, Users, default_user
from pyfix.runtime.identity import Owner
from tests.unit.runtime.forked import on_loop

ME = pwd.getpwuid(os.getuid())


def found(*names: str) -> list[object]:
    async def test() -> list[object]:
        users = Users()
        return [user and (user.name, user.home) for user in [await users.find(name) for name in names]]

    said = on_loop(test)
    assert isinstance(said, list)
    return said


def test_users_of_this_system() -> None:
    assert found(ME.pw_name, "no-such-user", "", "a\0b") == [(ME.pw_name, ME.pw_dir), None, None, None]


def test_without_root_only_the_caller_has_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_rootless", lambda: True)
    other = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != os.getuid())
    assert found(ME.pw_name, other) == [(ME.pw_name, ME.pw_dir), None]


def test_names_are_remembered_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    clock = SimpleNamespace(now=100.0)

    async def thread(function: Any, name: str) -> Any:
        asked.append(name)
        return function(name)

    def find(name: str) -> User | None:
        return User(name, Owner(1, 1), "/") if name == "a" else None

    monkeypatch.setattr(module, "in_thread", thread)
    monkeypatch.setattr(module, "current", lambda: clock)
    monkeypatch.setattr(module, "_look_up", find)
    from pyfix.runtime.task import run_now

    users = Users()
    for name in ("a", "a", "b", "b"):
        assert (run_now(users.find(name)) is None) is (name == "b")
    assert asked == ["a", "b"], "also that there is no such user"
    clock.now = 111.0
    run_now(users.find("a"))
    assert asked == ["a", "b", "a"]


def test_a_name_service_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_name: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(pwd, "getpwnam", fail)

    async def test() -> str:
        try:
            await Users().find("a")
        except OSError as error:
            return str(error.strerror)
        return "no error"

    assert on_loop(test) == "Input/output error"


def test_owners_of_files() -> None:
    async def test() -> list[object]:
        users = Users()
        return [user and user.name for user in (await users.find_owner(os.getuid()), await users.find_owner(2**31 - 7))]

    assert on_loop(test) == [ME.pw_name, None]


def test_default_privileges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: postconf(5) default_privs."""
    monkeypatch.setattr(module, "is_rootless", lambda: False)
    nobody = pwd.getpwnam("nobody")
    assert default_user("nobody") == User("", Owner(nobody.pw_uid, nobody.pw_gid), "")
    for name in ("no-such-user", "root"):
        with pytest.raises(ConfigError):
            default_user(name)
