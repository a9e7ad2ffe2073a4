from __future__ import annotations

from collections.abc import Iterator

from pyfix.daemons.local.listfile import Unreadable
from pyfix.daemons.local.lookahead import addresses_among, next_of


def test_members_in_portions() -> None:
    members = iter([f"m{number}" for number in range(11)])
    assert [len(next_of(members)[0]) for _ in range(3)] == [8, 3, 0]


def test_what_was_read_before_an_error() -> None:
    def members() -> Iterator[str]:
        yield "a"
        yield "b"
        raise Unreadable("no more")

    some, error = next_of(members())
    assert some == ["a", "b"] and str(error) == "no more"


def test_addresses() -> None:
    assert addresses_among(["a", "|cmd", "/file", "~/file", ":include:/x", "\\user", "b@c"]) == ["a", "b@c"]
    assert addresses_among(["a", "|cmd"]) == []
    assert addresses_among([]) == []
