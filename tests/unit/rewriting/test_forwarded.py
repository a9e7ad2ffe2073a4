from __future__ import annotations

import asyncio

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.formats.srs import SenderRewritingScheme
from pyfix.rewriting.forwarded import Forwarded
from pyfix.tables.srs import RewrittenSenders
from pyfix.tables.table import TableError

MAIN = {
    "mydestination": "mail.ours.example", "virtual_alias_domains": "alias.example", "virtual_mailbox_domains": "box.example",
    "relay_domains": "relay.example", "pyfix_srs_exclude_domains": "friends.example", "parent_domain_matches_subdomains": "",
}  # fmt: skip
SENDERS = RewrittenSenders("fwd.example", SenderRewritingScheme((b"key",)))


def asked(sender: str, recipient: str, original: str, **values: str) -> str:
    return asyncio.run(Forwarded(Snapshot(MAIN | values), SENDERS).sender(sender, recipient, original))


@pytest.mark.parametrize("original", ["list@alias.example", "user@mail.ours.example", "user@box.example", "x@relay.example"])
def test_forwarded(original: str) -> None:
    packed = asked("s@stranger.example", "there@far.example", original)
    assert SENDERS.unpack(packed) == "s@stranger.example"


@pytest.mark.parametrize(
    ("sender", "recipient", "original"),
    [
        ("", "there@far.example", "list@alias.example"),
        ("bare", "there@far.example", "list@alias.example"),
        ("s@stranger.example", "there@far.example", "there@far.example"),
        ("s@stranger.example", "there@far.example", ""),
        ("s@stranger.example", "other@Far.example", "there@far.example"),
        ("s@stranger.example", "user@box.example", "list@alias.example"),
        ("s@stranger.example", "user@relay.example", "list@alias.example"),
        ("s@Alias.example", "there@far.example", "list@alias.example"),
        ("s@friends.example", "there@far.example", "list@alias.example"),
        ("SRS0=x@fwd.example", "there@far.example", "list@alias.example"),
    ],
)
def test_left_alone(sender: str, recipient: str, original: str) -> None:
    assert asked(sender, recipient, original) == sender


def test_a_table_that_fails() -> None:
    with pytest.raises(TableError):
        asked("s@stranger.example", "there@far.example", "list@alias.example", virtual_mailbox_domains="fail:x")
