"""What the reference does in the same cases is in tests/parity/commands/test_load_tools.py."""

from __future__ import annotations

from collections import Counter

from pyfix.commands import smtp_source
from tests.kit.loadtools import sink, source
from tests.unit.commands.running import call


def test_all_messages_arrive_whole() -> None:
    with sink("pyfix", "smtp-sink", "-c", "-M", "300") as server:
        assert source("pyfix", "smtp-source", server.port, "-m", "150", "-s", "20", "-r", "3") == (0, "")
        assert source("pyfix", "smtp-source", server.port, "-d", "-m", "149", "-s", "20", "-l", "70000") == (0, "")
        source("pyfix", "smtp-source", server.port, "-d")
        assert server.end() == 0
    counts = Counter(server.output.split(b"\r"))
    assert any(text.endswith(b"mesg=300") for text in counts)


def test_usage() -> None:
    done = call(smtp_source.main, "-m", "0", "127.0.0.1", name="smtp-source")
    assert (done.status, done.err) == (1, ["smtp-source: fatal: bad message count: 0"])
    done = call(smtp_source.main, name="smtp-source")
    assert done.status == 1
    assert done.err[0].startswith("smtp-source: fatal: usage: smtp-source -cdLNov ")


def test_end_of_reply() -> None:
    assert smtp_source._end_of_reply(b"250 ok\r\n250 more\r\n") == 8
    assert smtp_source._end_of_reply(b"250-a\r\n250 b\r\nrest") == 14
    assert smtp_source._end_of_reply(b"250-a\r\n250 b") == 0
    assert smtp_source._end_of_reply(b"") == 0
