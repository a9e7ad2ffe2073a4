from __future__ import annotations

from collections.abc import Callable

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.rewriting.resolving.local_domain import LocalDomains
from pyfix.rewriting.resolving.relocated import RelocatedTable

from .conftest import now

Make = Callable[[str], RewriteSettings]

TABLE = "relocated_maps = inline:{ {old@x.test = new}, {u = 5.1.1 gone}, {@y.test = 4.2.1 later}, {n@x.test = 5.1.1} }"


def find(settings: RewriteSettings, address: str) -> str | None:
    return now(RelocatedTable(settings, LocalDomains(settings)).find(address))


@pytest.mark.parametrize(
    "address, text",
    [
        ("old@x.test", "5.1.6 User has moved to new"), ("old+e@x.test", "5.1.6 User has moved to new"),
        ("u@local.example", "5.1.6 User has moved to 5.1.1 gone"), ("u@x.test", None),
        ("any@y.test", "5.1.6 User has moved to 4.2.1 later"),
    ],
)  # fmt: skip
def test_with_prefix(settings_of: Make, address: str, text: str | None) -> None:
    assert find(settings_of(TABLE), address) == text


def test_without_prefix(settings_of: Make, logged: list[str]) -> None:
    settings = settings_of(TABLE + "\nrelocated_prefix_enable = no")
    assert find(settings, "u@localhost") == "5.1.1 gone"
    assert find(settings, "any@y.test") == "4.2.1 later"
    assert logged == []
    for address, value in (("old@x.test", "new"), ("n@x.test", "5.1.1")):
        assert find(settings, address) == "5.2.0 Mailbox is unavailable"
        assert logged.pop() == (f"warning: relocated_maps result must contain RFC 3463 status and text: '{value}'")


def test_no_table(settings_of: Make) -> None:
    assert find(settings_of(""), "u@x.test") is None
