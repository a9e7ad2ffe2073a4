"""Several messages over one connection: what is kept, for how long, and what happens when the server is gone.

Source: CONNECTION_CACHE_README; postconf(5) smtp_connection_cache_destinations, smtp_connection_reuse_count_limit.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.peer import Answer, Lost, Say
from tests.parity.smtp.handing import PIPELINING, SENDER, Hand

pytestmark = [pytest.mark.reference, pytest.mark.root]


def several(times: int) -> object:
    """Return a way to send the same message several times, one after the other."""

    def send(mta: Instance, addresses: list[str]) -> str:
        for _ in range(times - 1):
            mark = mta.log_mark()
            queue_id = mta.send_message(addresses, sender=SENDER)
            mta.wait_for_log(rf"{queue_id}: to=<", count=len(addresses), since=mark)
        return mta.send_message(addresses, sender=SENDER)

    return send


CASES: dict[str, dict[str, Answer | list[Answer]]] = {
    "all is well": {},
    "in groups": {"EHLO": PIPELINING},
    "a refused recipient": {"RCPT": ["550 5.1.1 unknown", "250 ok"]},
    "a refused recipient in groups": {"EHLO": PIPELINING, "RCPT": ["550 5.1.1 unknown", "250 ok"]},
    "a refused sender": {"MAIL": ["550 5.1.8 never", "250 ok"]},
    "refused content": {".": ["550 5.7.1 spam", "250 ok"]},
    "RSET refused": {"RSET": "500 what"},
    "RSET lost": {"RSET": Lost()},
    "RSET 421": {"RSET": Say("421 4.3.2 bye", close=True)},
    "content answered 421": {".": Say("421 4.3.2 bye", close=True)},
    "closes after content": {".": Say("250 2.0.0 ok", close=True)},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_three_messages(hand: Hand, name: str) -> None:
    main = {"smtp_connection_cache_destinations": "static:all"}
    hand(CASES[name], ["a"], main=main, send=several(3))


def test_uses_are_counted(hand: Hand) -> None:
    main = {"smtp_connection_cache_destinations": "static:all", "smtp_connection_reuse_count_limit": "2"}
    hand(None, ["a"], main=main, send=several(4))


def test_per_recipient_replies(hand: Hand) -> None:
    main = {"lmtp_connection_cache_destinations": "static:all"}
    hand({".": ["250 ok", "450 4.2.2 full", "250 ok"]}, ["a", "b"], main=main, send=several(2), lmtp=True)


def test_nothing_is_kept_without_demand(hand: Hand) -> None:
    hand(None, ["a"], send=several(3))
