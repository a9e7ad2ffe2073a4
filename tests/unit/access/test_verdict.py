from __future__ import annotations

from pyfix.access.verdict import DUNNO, PERMIT, DeferIfPermit, Reject


def test_replies() -> None:
    assert Reject(554, "5.7.1", "no").reply == "554 5.7.1 no"
    assert Reject(521, "", "no").reply == "521 no"
    assert Reject(554, "5.7.1", "no").notice == "policy"


def test_names() -> None:
    assert (repr(DUNNO), repr(PERMIT)) == ("DUNNO", "PERMIT")
    assert DeferIfPermit(Reject(450, "", "x")) == DeferIfPermit(Reject(450, "", "x"))
