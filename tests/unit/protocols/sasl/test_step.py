from __future__ import annotations

from pyfix.protocols.sasl.step import Challenge, Failure, Success


def test_steps_are_values() -> None:
    assert Challenge("x") == Challenge("x") != Challenge("y")
    assert Success("joe") != Failure("joe")
    assert not Failure("no").temporary
    assert Failure("no").username is None
