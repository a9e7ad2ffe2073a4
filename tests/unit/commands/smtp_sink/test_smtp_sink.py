"""What the reference does in the same cases is in tests/parity/commands/test_load_tools.py."""

from __future__ import annotations

from pyfix.commands import smtp_sink
from tests.unit.commands.running import call


def test_usage() -> None:
    done = call(smtp_sink.main, "-b", "550 hard", "127.0.0.1:1", "5", name="smtp-sink")
    assert done.status == 1
    assert done.err[0] == "smtp-sink: error: bad soft error reply: 550 hard"
    assert done.err[1].startswith("smtp-sink: fatal: usage: ")
