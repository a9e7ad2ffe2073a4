from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.daemons.virtual.mailboxes import BadEntry, Mailboxes
from pyfix.runtime.identity import Owner
from pyfix.runtime.task import run_now


def mailboxes(uid: str = "1000", gid: str = "1001") -> Mailboxes:
    settings: Any = SimpleNamespace(
        virtual_mailbox_base="/mail", recipient_delimiter="+", virtual_minimum_uid=100,
        virtual_mailbox_maps="inline:{{a@x.example=a/}, {up@x.example=b/../c}, {@y.example=all}}",
        virtual_uid_maps=f"static:{uid}", virtual_gid_maps=f"static:{gid}",
    )  # fmt: skip
    return Mailboxes(settings, None)  # type: ignore[arg-type]  # these tables need no snapshot


def test_paths_and_owners() -> None:
    owner = Owner(1000, 1001) if os.getuid() == 0 else Owner(os.getuid(), os.getgid())
    assert run_now(mailboxes().find("a@x.example")) == (owner, "/mail/a/")
    assert run_now(mailboxes().find("a+ext@x.example")) == (owner, "/mail/a/")
    assert run_now(mailboxes().find("any@y.example")) == (owner, "/mail/all")
    assert run_now(mailboxes().find("other@x.example")) is None


@pytest.mark.parametrize(("uid", "gid", "word"), [("99", "1", "uid 99"), ("x", "1", "uid x"), ("100", "0", "gid 0")])
def test_ids_that_may_not_be(uid: str, gid: str, word: str) -> None:
    with pytest.raises(BadEntry, match=f"recipient a@x.example: bad {word} in virtual_"):
        run_now(mailboxes(uid, gid).find("a@x.example"))


def test_a_path_that_leaves_the_base() -> None:
    with pytest.raises(BadEntry, match=r"bad mailbox path b/\.\./c in virtual_mailbox_maps"):
        run_now(mailboxes().find("up@x.example"))
