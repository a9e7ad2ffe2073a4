from __future__ import annotations

import os

import pytest

from pyfix.install import accounts
from pyfix.install.accounts import Accounts


def test_ids() -> None:
    assert Accounts("root", "root").ids() is not None
    assert Accounts("no-such-user", "root").ids() is None
    assert Accounts("root", "no-such-group").ids() is None


def test_root_gives_the_instance_to_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    found = accounts.accounts_for_private_instance()
    ids = found.ids()
    assert ids is not None and ids.owner != 0
    assert ids.owner_group != ids.setgid_group
    monkeypatch.setattr(accounts, "_OWNERS", (("no-such-user", "no-such-group"), ("daemon", "mail")))
    assert accounts.accounts_for_private_instance() == Accounts("daemon", "mail")
    monkeypatch.setattr(accounts, "_OWNERS", (("no-such-user", "no-such-group"),))
    with pytest.raises(LookupError, match="create user postfix and group postdrop"):
        accounts.accounts_for_private_instance()
