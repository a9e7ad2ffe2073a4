from __future__ import annotations

from typing import Any

import pytest

from pyfix.config.parameters.local import LocalSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.local.step import LEVELS_OF_A_LIST, Step
from pyfix.formats.attributes import Long
from pyfix.protocols.internal.delivery import Recipient

SETTINGS = LocalSettings(Snapshot({"recipient_delimiter": "+-", "compatibility_level": "3.11"}))


def step(address: str, **changes: Any) -> Step:
    values: dict[str, Any] = {"original_recipient": "o@x", "recipient": address, "offset": Long(9)}
    return Step.first(Recipient(**(values | changes)), "s@x", SETTINGS)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("Alice+Foo-b@X", ("alice+foo-b", "alice", "foo-b", "x")),
        ("alice", ("alice", "alice", None, "")),
        ("alice+@x", ("alice+", "alice", "", "x")),
        ("owner-list@x", ("owner-list", "owner-list", None, "x")),
        ("a@b@x", ("a@b", "a@b", None, "x")),
    ],
)
def test_parts(address: str, parts: tuple[str | None, ...]) -> None:
    found = step(address)
    assert (found.local, found.user, found.extension, found.domain) == parts


def test_members() -> None:
    first = step("list+x@x", original_recipient="")
    member = first.listed().member("bob@y", SETTINGS)
    assert (member.address, member.user, member.level) == ("bob@y", "bob", 1 + LEVELS_OF_A_LIST)
    assert (member.recipient.original_recipient, member.recipient.offset) == ("list+x@x", 0)
    assert (member.delivered_to, member.sender, member.parent) == ("list+x@x", "s@x", "")


def test_without_backslash() -> None:
    found = step("\\bob@x").without_backslash()
    assert (found.address, found.user, found.local) == ("bob@x", "bob", "bob")
