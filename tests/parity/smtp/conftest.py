from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.parity import Parity
from tests.kit.peer import Peer
from tests.parity.smtp.fleet import Fleet
from tests.parity.smtp.handing import Hand


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    """A server of next hops, on all loopback addresses."""
    with Peer() as found:
        yield found


@pytest.fixture
def hand(parity: Parity, peer: Peer) -> Hand:
    """Hand a message over on both sides: ``hand({"RCPT": "550 5.1.1 no"}, ["a", "b"])``."""
    return Hand(parity, peer)


@pytest.fixture
def fleet(parity: Parity, peer: Peer) -> Fleet:
    """Send many messages, each through a service of its own, on both sides."""
    return Fleet(parity, peer)
