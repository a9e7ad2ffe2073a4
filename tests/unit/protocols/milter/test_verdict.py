from __future__ import annotations

from pyfix.protocols.milter.verdict import Discard, Hold, Refuse, ShutDown


def test_values() -> None:
    assert Hold("a") == Hold("a") != Hold("b")
    assert Discard() == Discard()
    assert ShutDown() == ShutDown()
    assert not Refuse("550 no").logged
