from __future__ import annotations

import socket
import time
from threading import Thread

import pytest

from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.session import ReplyFilter, ServerLost, Session
from pyfix.runtime.stream import Stream
from pyfix.runtime.threads import in_thread
from pyfix.tables.table import Table
from tests.unit.runtime.forked import on_loop, pair

SERVER = Server("x.example", "mx.example", "192.0.2.1", 25)


def test_replies_and_commands() -> None:
    async def test() -> list[object]:
        ours, theirs = pair()
        session = Session(SERVER, Stream(ours), line_limit=2048, whole_deadline=False)
        session.records = True
        session.say("EHLO me")
        theirs.send(b"250 a\r\n421 b\r\n")
        seen: list[object] = [(await session.reply(5)).text, session.worn, (await session.reply(5)).text, session.worn]
        return [*seen, theirs.recv(100), session.history]

    history = ["Out: EHLO me", "In:  250 a", "In:  421 b"]
    assert on_loop(test) == ["250 a", False, "421 b", True, b"EHLO me\r\n", history]


@pytest.mark.parametrize("whole", [False, True])
def test_a_server_that_is_lost(whole: bool) -> None:
    async def test() -> list[str]:
        ours, theirs = pair()
        session = Session(SERVER, Stream(ours), line_limit=2048, whole_deadline=whole)
        seen = []
        for close in (False, True):
            if close:
                theirs.close()
            try:
                await session.reply(0.05)
            except ServerLost as lost:
                seen.append(lost.failure(SERVER, "sending MAIL FROM").reason)
        return [*seen, str(session.lost)]

    assert on_loop(test) == [
        "conversation with mx.example[192.0.2.1] timed out while sending MAIL FROM",
        "lost connection with mx.example[192.0.2.1] while sending MAIL FROM",
        "True",
    ]


@pytest.mark.parametrize("waits", [False, True])
def test_replies_that_tables_change(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    if waits:
        monkeypatch.setattr(Table, "local", False)

    async def test() -> list[str]:
        ours, theirs = pair()
        session = Session(SERVER, Stream(ours), line_limit=2048, whole_deadline=False)
        session.replace_lines(ReplyFilter("smtp_reply_filter", "regexp:{{/^250.b/ 450 c} {/^noise/ 220 d}}"))
        theirs.send(b"250-a\r\n250 b\r\nnoise\r\n354 ")
        seen = [(await session.reply(5)).text, (await session.reply(5)).text]
        theirs.send(b"go\r\n")
        return [*seen, (await session.reply(5)).text]

    assert on_loop(test) == ["250-a\n450 c", "220 d", "354 go"]


@pytest.mark.parametrize("waits", [False, True])
def test_a_filter_that_fails(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    if waits:
        monkeypatch.setattr(Table, "local", False)

    async def test() -> str:
        ours, theirs = pair()
        session = Session(SERVER, Stream(ours), line_limit=2048, whole_deadline=False)
        session.replace_lines(ReplyFilter("smtp_reply_filter", "fail:x"))
        theirs.send(b"250 a\r\n")
        try:
            return (await session.reply(5)).text
        except ServerLost as lost:
            return lost.failure(SERVER, "sending MAIL FROM").reason

    assert on_loop(test) == "local data error while talking to mx.example[192.0.2.1]"


@pytest.mark.parametrize(("rate", "good"), [(10**9, False), (1, True)])
def test_the_deadline_of_content_moves_with_what_is_sent(rate: int, good: bool) -> None:
    """A reader that takes twice the time for all of it, and never half of it for a part."""

    async def test() -> bool:
        ours, theirs = pair()
        session = Session(SERVER, Stream(ours), line_limit=2048, whole_deadline=True, min_data_rate=rate)
        reader = Thread(target=read_slowly, args=(theirs,))
        reader.start()
        session.begin_content(0.4)
        session.stream.write(b"x" * 2_000_000)
        try:
            await session.drain()
        except ServerLost as lost:
            return not lost.timed_out
        finally:
            session.close()
            await in_thread(reader.join)
        return True

    assert on_loop(test) is good


def read_slowly(connection: socket.socket) -> None:
    for _ in range(20):
        time.sleep(0.04)
        for _ in range(10):
            connection.recv(10_000)
    while connection.recv(100_000):
        pass
