"""Commands in groups, and what replies mean; parity is in tests/parity/smtp/test_outcomes.py."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.smtp.client_reply import Reply
from pyfix.protocols.smtp.transfer import Event, Stage, Transfer, What


def dialogue(answers: list[int], *, rcpts: int = 2, **options: Any) -> tuple[list[str], list[Event]]:
    """Let a server answer with these codes; return what was sent at a time, and what was understood."""
    transfer = Transfer(b"MAIL", [b"RCPT %d" % number for number in range(rcpts)], **options)
    sent, events = [], []
    codes = iter(answers)
    for _ in range(50):
        if transfer.over:
            return sent, events
        commands = transfer.commands().decode()
        if transfer.content_due:
            transfer.content_due = False
            commands = f"CONTENT {commands}"
        sent.append(commands.replace("\r\n", " ").strip())
        while transfer.awaited:
            code = next(codes, 250)
            event = transfer.receive(Reply(code, "", ""))
            if event.what is not What.NOTHING:
                events.append(event)
    raise AssertionError(sent)


def test_one_at_a_time() -> None:
    sent, events = dialogue([250, 250, 250, 354, 250])
    assert sent == ["MAIL", "RCPT 0", "RCPT 1", "DATA", "CONTENT .", "QUIT"]
    assert events == [Event(What.ALL_DELIVERED)]


def test_in_groups() -> None:
    sent, events = dialogue([250, 250, 250, 354, 250], window=1000)
    assert sent == ["MAIL RCPT 0 RCPT 1 DATA", "CONTENT . QUIT"]
    assert events == [Event(What.ALL_DELIVERED)]
    assert dialogue([250, 250, 250, 354, 250], window=15)[0] == ["MAIL RCPT 0", "RCPT 1 DATA", "CONTENT . QUIT"]


def test_a_refused_sender() -> None:
    assert dialogue([550]) == (["MAIL", "RSET", "QUIT"], [Event(What.MAIL_REFUSED)])
    sent, events = dialogue([550, 503, 503, 503], window=1000)
    assert sent == ["MAIL RCPT 0 RCPT 1 DATA", "RSET QUIT"] and events == [Event(What.MAIL_REFUSED)]
    sent, events = dialogue([550, 250, 250, 354], window=1000)
    assert sent == ["MAIL RCPT 0 RCPT 1 DATA", ". QUIT"] and events == [Event(What.MAIL_REFUSED)]


def test_refused_recipients() -> None:
    sent, events = dialogue([250, 550, 250, 354, 250])
    assert sent[-2:] == ["CONTENT .", "QUIT"] and events == [Event(What.REFUSED, 0), Event(What.ALL_DELIVERED)]
    sent, events = dialogue([250, 550, 450])
    assert sent == ["MAIL", "RCPT 0", "RCPT 1", "RSET", "QUIT"]
    assert events == [Event(What.REFUSED, 0), Event(What.REFUSED, 1)]


def test_refused_content() -> None:
    assert dialogue([250, 250, 250, 451]) == (
        ["MAIL", "RCPT 0", "RCPT 1", "DATA", "RSET", "QUIT"],
        [Event(What.MAIL_REFUSED)],
    )
    assert dialogue([250, 250, 250, 354, 550])[1] == [Event(What.MAIL_REFUSED)]


def test_a_reply_for_each_recipient() -> None:
    _, events = dialogue([250, 250, 550, 250, 354, 250, 450], rcpts=3, per_recipient=True)
    assert events == [Event(What.REFUSED, 1), Event(What.DELIVERED, 0), Event(What.REFUSED, 2)]


def test_a_session_that_goes_on() -> None:
    assert dialogue([250, 250, 250, 354, 250], keep=True)[0][-1] == "CONTENT ."
    assert dialogue([550], keep=True)[0] == ["MAIL", "RSET"]


def test_probes() -> None:
    sent, events = dialogue([250, 250, 550], probe=Stage.RCPT)
    assert sent == ["MAIL", "RCPT 0", "RCPT 1", "RSET", "QUIT"]
    assert events == [Event(What.PROBED, 0), Event(What.REFUSED, 1)]
    sent, events = dialogue([250, 250, 550, 354], probe=Stage.DATA)
    assert sent[3:] == ["DATA"] and events == [Event(What.REFUSED, 1), Event(What.ALL_PROBED)]
    sent, events = dialogue([250, 250, 550, 354], probe=Stage.DATA, window=1000)
    assert sent == ["MAIL RCPT 0 RCPT 1 DATA"] and events[-1] == Event(What.ALL_PROBED)
    assert dialogue([250, 250, 250, 451], probe=Stage.DATA)[0][3:] == ["DATA", "RSET", "QUIT"]


def test_the_original_client() -> None:
    both = {Stage.XFORWARD_NAME: b"XFORWARD A", Stage.XFORWARD_HELO: b"XFORWARD B"}
    assert dialogue([], xforward={Stage.XFORWARD_HELO: b"XFORWARD B"})[0][:2] == ["XFORWARD B", "MAIL"]
    sent, events = dialogue([500, 250], xforward=both)
    assert sent[:3] == ["XFORWARD A", "XFORWARD B", "MAIL"] and events[0] == Event(What.WARN)


def test_words_for_stages() -> None:
    assert Stage.RCPT.command == "RCPT TO command" and Stage.MAIL.doing == "sending MAIL FROM"


@given(
    st.lists(st.sampled_from([250, 354, 421, 450, 550]), max_size=30),
    st.integers(1, 5),
    st.sampled_from([0, 20, 1000]),
    st.booleans(),
    st.booleans(),
)
def test_any_answers_end(answers: list[int], rcpts: int, window: int, per_recipient: bool, keep: bool) -> None:
    """Whatever the server answers, the dialogue ends, and nobody's outcome is told twice."""
    _, events = dialogue(answers, rcpts=rcpts, window=window, per_recipient=per_recipient, keep=keep)
    places = [event.place for event in events if event.place >= 0]
    assert len(places) == len(set(places))
    assert sum(event.what in (What.MAIL_REFUSED, What.ALL_DELIVERED) for event in events) <= 1
