from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.sasl.dovecot import Greeting, ProtocolError, begin, hello, parse_reply, respond
from pyfix.protocols.sasl.step import Challenge, Failure, Success


def greeted(*lines: str) -> Greeting:
    greeting = Greeting()
    for line in lines:
        greeting.take(line)
    return greeting


def test_hello() -> None:
    assert hello(77) == b"VERSION\t1\t0\nCPID\t77\n"


def test_greeting() -> None:
    greeting = greeted("VERSION\t1\t2", "MECH\tPLAIN\tplaintext", "MECH", "FOO", "SPID\t1", "DONE")
    assert greeting.done
    assert [(one.name, set(one.properties)) for one in greeting.mechanisms] == [("PLAIN", {"plaintext"})]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("VERSION\t2\t0", r"SASL: Protocol version mismatch \(2 vs. 1\)"),
        ("VERSION\tx\t0", "SASL: Protocol version error"),
        ("VERSION\t1", "SASL: Protocol version error"),
        ("SPID\t1", "SASL: Connected to wrong auth socket"),
    ],
)
def test_wrong_server(line: str, problem: str) -> None:
    with pytest.raises(ProtocolError, match=problem):
        greeted(line)


def test_requests_stay_one_line() -> None:
    line = begin(5, "PL\tAIN\n", service="smtp", server_address="1.2.3.4", client_address="::1", secured=True, response="YQ==")
    assert line == b"AUTH\t5\tPLAIN\tservice=smtp\tnologin\tlip=1.2.3.4\trip=::1\tsecured\tresp=YQ==\n"
    assert respond(5, "a\nb\tc") == b"CONT\t5\tabc\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("OK\t1\tuser=joe\textra", (1, Success("joe"))),
        ("OK\t1\tuser=a\tuser=b", (1, Success("b"))),
        ("CONT\t2\tYWJj", (2, Challenge("YWJj"))),
        ("CONT\t2\t", (2, Challenge(""))),
        ("FAIL\t3\tuser=joe\treason=no\ttemp", (3, Failure("no", "joe"))),
        ("FAIL\t3", (3, Failure("(reason unavailable)"))),
        ("OK\tx\tuser=joe", None),
        ("NOTE\t1", None),
        ("", None),
    ],
)
def test_replies(line: str, found: object) -> None:
    assert parse_reply(line) == found


@pytest.mark.parametrize("line", ["OK\t1", "CONT\t1"])
def test_replies_that_lack_something_never_let_in(line: str) -> None:
    reply = parse_reply(line)
    assert reply is not None
    assert isinstance(reply[1], Failure)
    assert reply[1].problem


def test_reply_without_a_number() -> None:
    with pytest.raises(ProtocolError):
        parse_reply("OK")


LINES = st.lists(st.sampled_from(["OK", "CONT", "FAIL", "VERSION", "MECH", "SPID", "DONE", "1", "", "user=x", "reason=y", "\x00", "\u00e9", "99999999999"]), max_size=6)


@given(st.one_of(LINES.map("\t".join), st.text(max_size=60)))
def test_any_line(line: str) -> None:
    """Only OK with a user lets anybody in, whatever is said."""
    try:
        greeted(line)
        reply = parse_reply(line)
    except ProtocolError:
        return
    if reply is not None and isinstance(reply[1], Success):
        assert line.startswith("OK\t")
        assert f"\tuser={reply[1].username}" in line
