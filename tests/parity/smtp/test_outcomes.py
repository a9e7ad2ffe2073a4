"""What becomes of the recipients, by what the server answers at each stage: bounced, deferred or sent.

Compared are the dialogue as the server saw it, the log lines, bounce and defer logs, and the notices.
Source: RFC 5321 section 4.2, RFC 2033, RFC 2920, RFC 3464; smtp(8), lmtp(8).
"""

from __future__ import annotations

import pytest

from tests.kit.peer import Answer, Lost, Say
from tests.parity.smtp.handing import PIPELINING, Hand

pytestmark = [pytest.mark.reference, pytest.mark.root]

THREE = ("a", "b", "c")

STAGES: dict[str, dict[str, Answer | list[Answer]]] = {
    "all is well": {},
    "greeting 421": {"greeting": "421 4.3.2 not now"},
    "greeting 421 and gone": {"greeting": Say("421 4.3.2 not now", close=True)},
    "greeting 450 without status": {"greeting": "450 not now"},
    "greeting 554": {"greeting": "554 5.3.2 never"},
    "greeting 554 in lines": {"greeting": "554-never\n554 5.3.2 ever"},
    "greeting 354": {"greeting": "354 go on"},
    "no greeting": {"greeting": Lost()},
    "greeting in lines": {"greeting": "220-peer.example ESMTP\n220-is here\n220 for you"},
    "greeting without ESMTP": {"greeting": "220 hello"},
    "MAIL 450": {"MAIL": "450 4.1.8 not now"},
    "MAIL 550": {"MAIL": "550 5.1.8 never"},
    "MAIL 550 without status": {"MAIL": "550 never"},
    "MAIL 550 with status of success": {"MAIL": "550 2.1.0 well"},
    "MAIL 550 with status 4": {"MAIL": "550 4.1.0 well"},
    "MAIL 421": {"MAIL": Say("421 4.3.2 shutting down", close=True)},
    "MAIL 354": {"MAIL": "354 what"},
    "MAIL lost": {"MAIL": Lost()},
    "MAIL reset": {"MAIL": Lost(reset=True)},
    "RCPT mixed": {"RCPT": ["250 2.1.5 ok", "450 4.2.2 full", "550 5.1.1 unknown"]},
    "RCPT mixed otherwise": {"RCPT": ["550-5.1.1 unknown\n550 5.1.1 really", "250 ok", "452 too many"]},
    "RCPT all 550": {"RCPT": "550 5.1.1 unknown"},
    "RCPT all 450": {"RCPT": "450 4.2.1 greylisted"},
    "RCPT 552": {"RCPT": ["250 ok", "552 5.2.2 too much", "552 more"]},
    "RCPT 421": {"RCPT": Say("421 4.3.2 bye", close=True)},
    "RCPT 354": {"RCPT": "354 what"},
    "RCPT lost": {"RCPT": ["250 ok", Lost()]},
    "RCPT refused, then lost": {"RCPT": ["550 5.1.1 unknown", "250 ok", Lost()]},
    "RCPT 251": {"RCPT": "251 2.1.5 will forward"},
    "RCPT blank": {"RCPT": "250"},
    "RCPT no text": {"RCPT": "550 "},
    "RCPT with a bad byte": {"RCPT": "550 5.1.1 caf\udce9 \x01 x"},
    "RCPT in UTF-8": {"RCPT": "550 5.1.1 caf\u00e9"},
    "DATA 451": {"DATA": "451 4.3.0 not now"},
    "DATA 554": {"DATA": "554 5.5.1 never"},
    "DATA 250": {"DATA": "250 2.0.0 well"},
    "DATA lost": {"DATA": Lost()},
    "DATA 554 after RCPT mixed": {"RCPT": ["250 ok", "450 4.2.2 full", "550 5.1.1 unknown"], "DATA": "554 5.5.1 no"},
    "RCPT all 550, DATA 554": {"RCPT": "550 5.1.1 unknown", "DATA": "554 5.5.1 no valid recipients"},
    "content 450": {".": "450 4.3.0 not now"},
    "content 550": {".": "550 5.7.1 spam"},
    "content 554 in lines": {".": "554-5.7.1 it is\n554-5.7.1 plainly\n554 5.7.1 spam"},
    "content 354": {".": "354 what"},
    "content lost": {".": Lost()},
    "content reset": {".": Lost(reset=True)},
    "content 550 after RCPT mixed": {"RCPT": ["250 ok", "450 4.2.2 full", "550 5.1.1 unknown"], ".": "550 5.7.1 spam"},
    "QUIT lost": {"QUIT": Lost()},
    "QUIT 500": {"QUIT": "500 what"},
    "RSET lost": {"RCPT": "450 4.2.1 not now", "RSET": Lost()},
    "RSET 500": {"RCPT": "450 4.2.1 not now", "RSET": "500 what"},
    "a line that is no reply": {"RCPT": "hello\n250 ok"},
    "a code of two digits": {"RCPT": "25 ok\n250 ok"},
    "a code with a letter": {"RCPT": "250x ok\n250 ok"},
    "a code of another class in the lines": {"RCPT": "250-ok\n550 5.1.1 no"},
    "many lines": {"RCPT": "\n".join(["550-5.1.1 line"] * 10 + ["550 5.1.1 end"])},
}  # fmt: skip

OF_EHLO: dict[str, dict[str, Answer | list[Answer]]] = {
    "500": {"EHLO": "500 5.5.1 what"},
    "421": {"EHLO": "421 4.3.2 not now"},
    "550": {"EHLO": "550 5.7.1 never"},
    "lost": {"EHLO": Lost()},
    "500, HELO 550": {"EHLO": "500 5.5.1 what", "HELO": "550 5.7.1 never"},
    "500, HELO 450": {"EHLO": "500 5.5.1 what", "HELO": "450 4.7.1 not now"},
    "500, HELO lost": {"EHLO": "500 5.5.1 what", "HELO": Lost()},
    "a bad size": {"EHLO": "250-peer.example\n250 SIZE large"},
    "no size": {"EHLO": "250-peer.example\n250 SIZE"},
    "too small": {"EHLO": "250-peer.example\n250 SIZE 100"},
    "size 0": {"EHLO": "250-peer.example\n250 SIZE 0"},
    "small letters": {"EHLO": "250-peer.example\n250-size 10000\n250-dsn\n250 pipelining"},
    "equals signs": {"EHLO": "250-peer.example\n250-SIZE=20000\n250-AUTH=LOGIN\n250 8BITMIME"},
    "in one line": {"EHLO": "250 PIPELINING DSN"},
    "our name": {"EHLO": "250-mail.ours.example\n250 DSN"},
    "stars": {"greeting": "220 **************************"},
}  # fmt: skip


@pytest.mark.parametrize("name", STAGES)
def test_one_command_at_a_time(hand: Hand, name: str) -> None:
    hand(STAGES[name], THREE)


@pytest.mark.parametrize("name", STAGES)
def test_commands_in_groups(hand: Hand, name: str) -> None:
    """With PIPELINING."""
    hand({"EHLO": PIPELINING, **STAGES[name]}, THREE)


@pytest.mark.parametrize("name", OF_EHLO)
def test_introductions(hand: Hand, name: str) -> None:
    hand(OF_EHLO[name], ("a",))


def test_too_many_lines(hand: Hand) -> None:
    """Of more text than line_length_limit the beginning is kept."""
    lines = "\n".join(["550-5.1.1 " + 60 * "x"] * 50 + ["550 5.1.1 end"])
    hand({"RCPT": lines}, THREE, main={"line_length_limit": "1000"})
    hand({"RCPT": f"550 5.1.1 {1200 * 'x'}"}, THREE, main={"line_length_limit": "1000"})


PER_RECIPIENT: dict[str, dict[str, Answer | list[Answer]]] = {
    "all is well": {},
    "LHLO 500": {"LHLO": "500 5.5.1 what"},
    "LHLO lost": {"LHLO": Lost()},
    "content mixed": {".": ["250 2.1.5 ok", "450 4.2.2 full", "550 5.7.1 no"]},
    "RCPT and content mixed": {"RCPT": ["250 2.1.5 ok", "450 4.2.2 full", "250 ok"], ".": ["450 4.2.2 a", "250 b"]},
    "lost between": {".": ["250 2.1.5 ok", Lost()]},
    "RCPT all refused": {"RCPT": "550 5.1.1 unknown"},
    "DATA refused": {"DATA": "451 4.3.0 not now"},
    "content lost": {".": Lost()},
    "QUIT lost": {"QUIT": Lost()},
    "QUIT 500": {"QUIT": "500 what"},
    "RSET lost": {"MAIL": "450 4.1.8 not now", "RSET": Lost()},
}  # fmt: skip


@pytest.mark.parametrize("groups", [False, True], ids=["single", "groups"])
@pytest.mark.parametrize("name", PER_RECIPIENT)
def test_replies_for_each_recipient(hand: Hand, name: str, groups: bool) -> None:
    """LMTP: the content is answered once for each recipient whom the server has accepted."""
    offer = {"LHLO": PIPELINING} if groups else {}
    hand({**offer, **PER_RECIPIENT[name]}, THREE, lmtp=True)
