from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, Look, Site, only

VIRTUAL = "virtual_mailbox_domains = v.example\n"


@pytest.mark.parametrize(
    "main",
    [
        "",
        "message_size_limit = 104857600\nmailbox_size_limit = 0\n",
        "message_size_limit = 104857600\nmydestination =\n",
        "message_size_limit = 51200000\nvirtual_mailbox_limit = 1\n",
        f"{VIRTUAL}virtual_transport = lmtp:unix:x\nvirtual_mailbox_limit = 1\n",
    ],
)
def test_right(look: Look, main: str) -> None:
    assert look(main) == []


@pytest.mark.parametrize(
    ("main", "at", "instead"),
    [
        ("message_size_limit = 104857600\n", "message_size_limit", "mailbox_size_limit = 104857600"),
        ("mailbox_size_limit = 1000\n", "mailbox_size_limit", "mailbox_size_limit = 10240000"),
        ("message_size_limit = 0\nmailbox_size_limit = 1000\n", "mailbox_size_limit", "mailbox_size_limit = 0"),
        (f"{VIRTUAL}virtual_mailbox_limit = 5\n", "virtual_mailbox_limit", "virtual_mailbox_limit = 10240000"),
    ],
)
def test_wrong(look: Look, site: Site, main: str, at: str, instead: str) -> None:
    finding = only(look(main))
    assert finding.severity is ERROR
    assert finding.place.line == site.line("main.cf", at)
    assert finding.instead == (instead,)
