"""The sender of address probes."""

from __future__ import annotations

import pytest

from pyfix.formats.probesender import current, recognised


@pytest.mark.parametrize("ttl", [0, 300])
@pytest.mark.parametrize("later", [-300, 0, 300])
def test_a_sender_is_recognised_for_some_time(ttl: int, later: int) -> None:
    address = current("double-bounce", "ours.example", ttl, 1_700_000_000)
    assert recognised(address.upper(), "double-bounce", "ours.example", ttl, 1_700_000_000 + later) == (
        "double-bounce@ours.example"
    )


def test_what_is_none_of_ours() -> None:
    assert current("<>", "o", 0, 0) == current("", "o", 0, 0) == ""
    assert recognised("a@o", "", "o", 0, 0) is None
    assert recognised("a@o", "b", "o", 0, 0) is None
    assert recognised(current("a", "o", 300, 0), "a", "o", 300, 10_000) is None
    assert current("a@x", "o", 0, 0) == "a@x"
