from __future__ import annotations

from pyfix.daemons.local.seen import Seen


def test_what_was_seen_before() -> None:
    seen = Seen(2)
    assert [seen.before(what) for what in ("a", "A", "b", "c", "c", "b")] == [False, True, False, False, False, True]
    endless = Seen(0)
    assert not any(endless.before(str(number)) for number in range(5000)) and endless.before("7")
