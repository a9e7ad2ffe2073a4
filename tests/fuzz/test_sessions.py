"""Whole SMTP sessions of clients that say anything: each is answered properly, and what is accepted arrives."""

from __future__ import annotations

import errno
import re
import socket

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.conftest import CHANGED
from tests.kit.instance import TRUSTED, Instance

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("fuzz")]

REPLY = re.compile(rb"(?:[2345]\d\d-[^\r\n]*\r\n)*[2345]\d\d [^\r\n]*\r\n")
QUEUED = re.compile(rb"250 2\.0\.0 Ok: queued as (\w+)\r\n")

WORDS = st.sampled_from([
    b"EHLO", b"HELO", b"MAIL", b"RCPT", b"DATA", b"BDAT", b"RSET", b"NOOP", b"VRFY", b"ETRN", b"HELP", b"XCLIENT", b"FROM:",
    b"TO:", b"<a@b>", b"<user@ours.example>", b"<>", b"<gone@relay.example>", b"SIZE=10", b"SIZE=99999999999999999999",
    b"BODY=8BITMIME", b"SMTPUTF8", b"NOTIFY=NEVER", b"NOTIFY=", b"ORCPT=rfc822;x+", b"RET=HDRS", b"ENVID=x", b"5", b"LAST",
    b"0", b"-1", b"9" * 5000, b"\xff", b"\0", b"\"", b"<\"a b\"@c>", b"<@a,@b:c@d>", b"[1.2.3.4]", b"..", b"x" * 2000, b"(",
    b"STARTTLS", b"AUTH", b"PLAIN", b"\xc3\xa9", b"<a%b@c>", b"<a@[1.2.3.4]>", b"<postmaster>", b"<root>", b"%s%n",
])  # fmt: skip
COMMANDS = st.one_of(
    st.lists(WORDS, max_size=5).map(b" ".join),
    st.sampled_from([
        b"EHLO x", b"MAIL FROM:<a@b>", b"RCPT TO:<user@ours.example>", b"RCPT TO:<gone@relay.example>", b"RSET", b"NOOP",
        b"RCPT TO:<nobodythere@ours.example>", b"BDAT 4\r\nx\r\n", b"BDAT 5 LAST\r\nxy\r\n",
        b"DATA\r\nSubject: x\r\n\r\nx\r\n.", b"DATA\r\n.", b"DATA\r\n\r\n..\r\n\n.\n\r\n.",
    ]),
    st.binary(max_size=60),
)  # fmt: skip
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n", b""])
SESSIONS = st.lists(st.tuples(COMMANDS, ENDS).map(b"".join), max_size=12).map(b"".join)
OPENINGS = st.sampled_from([b"", b"EHLO c\r\n", b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<user@ours.example>\r\n"])


def talk(mta: Instance, said: bytes, piece: int) -> bytes:
    """Send bytes in pieces and the end of the connection; return all that the server says."""
    with socket.create_connection((mta.host, mta.port), 15.0, source_address=(TRUSTED, 0)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        heard = client.recv(1000)
        try:
            for start in range(0, len(said), piece):
                client.sendall(said[start : start + piece])
            client.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It had enough of us; what it said before that can still be read.
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # the same, found by shutdown
                raise
        try:
            while data := client.recv(65536):
                heard += data
        except ConnectionResetError:
            pass
        return heard


def accepted(heard: bytes) -> list[str]:
    """Check that all that was said is proper replies, and return the ids of the messages that were accepted."""
    position = 0
    while position < len(heard):
        reply = REPLY.match(heard, position)
        assert reply is not None, heard[position:]
        position = reply.end()
    return [queue_id.decode() for queue_id in QUEUED.findall(heard)]


def test_any_session(fuzzed: Instance) -> None:
    ids: list[str] = []

    @settings(max_examples=200, deadline=None)
    @given(OPENINGS, SESSIONS, st.sampled_from([1 << 20, 1 << 20, 100, 7]))
    def hold(opening: bytes, said: bytes, piece: int) -> None:
        ids.extend(accepted(talk(fuzzed, opening + said, piece)))

    hold()
    assert ids, "no message was accepted"
    fuzzed.wait_until_empty(30.0)
    log = "\n".join(fuzzed.log_lines())
    assert not [queue_id for queue_id in ids if f" {queue_id}: removed" not in log]
    assert not re.findall(r"(?m)status=(?!sent)", log)


@pytest.mark.reference
def test_replies_are_those_of_postfix(fuzzed: Instance) -> None:
    """The same examples in each run; lines longer than the reference's buffers have their own tests."""
    with Instance("reference", main={name: fuzzed.main[name] for name in CHANGED}) as reference:
        reference.start()

        @settings(max_examples=200, deadline=None, derandomize=True)
        @given(OPENINGS, SESSIONS.filter(lambda said: len(said) < 2000 and b"XCLIENT" not in said))
        def hold(opening: bytes, said: bytes) -> None:
            ours, theirs = (talk(mta, opening + said, 1 << 20) for mta in (fuzzed, reference))
            assert re.sub(rb"queued as \w+", b"queued", ours) == re.sub(rb"queued as \w+", b"queued", theirs)

        hold()


def test_replies_do_not_depend_on_pieces(fuzzed: Instance) -> None:
    """The same bytes in other pieces bring the same replies."""

    # A header line in the place of a command: the server hangs up on a client that goes on speaking.
    @example(b"EHLO c\r\n", b"Subject: x\r\n" + b"NOOP\r\n" * 500, 7)
    @settings(max_examples=60, deadline=None)
    @given(OPENINGS, SESSIONS, st.integers(1, 40))
    def hold(opening: bytes, said: bytes, piece: int) -> None:
        whole, pieces = (talk(fuzzed, opening + said, size) for size in (1 << 20, piece))
        without_ids = [re.sub(rb"queued as \w+", b"queued", heard) for heard in (whole, pieces)]
        assert without_ids[0] == without_ids[1]

    hold()
