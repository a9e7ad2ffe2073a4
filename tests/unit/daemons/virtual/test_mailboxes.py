from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.daemons.virtual.mailboxes import BadEntry, Mailboxes
from pyfix.runtime.identity import Owner
from pyfix.runtime.task import run_now


def mailboxes(uid: str = "1000", gid: str = "1001", **changes: str) -> Mailboxes:
    values: dict[str, Any] = {
        "virtual_mailbox_base": "/mail", "recipient_delimiter": "+", "virtual_minimum_uid": 100,
        "virtual_mailbox_maps": "inline:{{a@x.example=a/}, {up@x.example=b/../c}, {@y.example=all}}",
        "virtual_uid_maps": f"static:{uid}", "virtual_gid_maps": f"static:{gid}",
    }  # fmt: skip
    settings: Any = SimpleNamespace(**(values | changes))
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


@pytest.mark.parametrize(("parameter", "text"), [
    ("virtual_uid_maps", "recipient a@x.example: not found in virtual_uid_maps"),
    ("virtual_mailbox_maps", "table virtual_mailbox_maps: lookup a@x.example: "),
])  # fmt: skip
def test_tables_that_cannot_be_asked(parameter: str, text: str) -> None:
    with pytest.raises(BadEntry, match=text):
        run_now(mailboxes(**{parameter: "fail:x"}).find("a@x.example"))


@pytest.mark.parametrize("parameter", ["virtual_mailbox_maps", "virtual_uid_maps", "virtual_gid_maps"])
def test_no_part_of_an_address_goes_into_a_path_or_an_id(tmp_path: Path, parameter: str) -> None:
    rules = tmp_path / "rules"
    rules.write_text("/^(.)@x/ 200$1\n/^a@/ 1000\n")
    found = run_now(mailboxes(**{parameter: f"regexp:{rules}"}).find("a@x.example"))
    assert found is not None
    assert "200" not in str(found)
