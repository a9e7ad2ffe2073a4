"""showq(8) as postqueue(1) asks it; parity is in tests/parity/services/test_showq.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pyfix.daemons.showq import daemon as showq
from pyfix.formats.attributes import encode_pairs
from pyfix.formats.records import encode_lines
from tests.unit.daemons.running import System, running
from tests.unit.queue.test_message import build
from tests.unit.runtime.forked import in_child

PROTOCOL = "mail_queue_list_protocol"


def put(system: System, queue_id: str, recipients: list[str]) -> Path:
    path = system.queue / "active" / queue_id
    build(path, recipients, encode_lines([b"x"]))
    path.chmod(0o700)
    system.give(path)
    return path


def test_an_empty_queue(system: System) -> None:
    with running(showq.main, system, "showq") as daemon:
        client = daemon.greeted(PROTOCOL)
        assert client.receive() == []
        assert client.receive() is None


def test_each_client_gets_the_whole_list(system: System) -> None:
    put(system, "ABC123", ["a@x", "b@x"])
    with running(showq.main, system, "showq") as daemon:
        for _ in range(2):
            client = daemon.greeted(PROTOCOL)
            found = client.receive()
            assert found is not None and [pair for pair in found if pair[0] in ("queue_id", "recipient")] == [
                ("queue_id", "ABC123"), ("recipient", "a@x"), ("recipient", "b@x"),
            ]  # fmt: skip
            assert client.receive() == []


def test_a_slow_reader_gets_a_long_list_complete(system: System) -> None:
    names = [f"user{number}@a-domain-with-a-long-name.example" for number in range(3000)]
    for queue_id in ("ABC1", "ABC2", "ABC3"):
        put(system, queue_id, names)
    with running(showq.main, system, "showq") as daemon:
        client, other = daemon.greeted(PROTOCOL), daemon.greeted(PROTOCOL)
        other.close()
        for _ in range(3):
            found = client.receive()
            assert found is not None
            assert [value for name, value in found if name == "recipient"] == names
        assert client.receive() == []


def test_lists_for_postfix_3_7(system: System) -> None:
    put(system, "ABC123", ["a@x"])
    system.write_main(pyfix_internal_protocol="3.7")
    with running(showq.main, system, "showq") as daemon:
        found = daemon.greeted(PROTOCOL).receive()
        assert found is not None and [name for name, _value in found][6:] == ["recipient", "reason"]


def test_standing_alone(system: System) -> None:
    """For postqueue(1) while the mail system is down: the same list on standard output."""
    out = system.folder / "out"

    def run() -> int:
        os.environ["MAIL_CONFIG"] = str(system.folder)
        sys.stdout = out.open("w")
        return showq.main(["-u", "-S"])

    assert in_child(run) == "0"
    assert out.read_bytes() == encode_pairs([("protocol", PROTOCOL)]) + b"\0"
    put(system, "ABC123", ["a@x"])
    assert in_child(run) == "0"
    assert b"queue_id\0ABC123\0" in out.read_bytes()
    assert subprocess.run(["tail", "-c", "2", out], capture_output=True, check=True).stdout == b"\0\0"
