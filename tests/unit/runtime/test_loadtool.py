from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from pyfix.runtime.console import CommandError
from pyfix.runtime.loadtool import (
    Counter,
    begin_connect,
    families,
    listeners,
    number_at_least,
    own_name,
    run_tool,
    target,
    tool_options,
    window_size,
)
from pyfix.runtime.log import log


def test_numbers() -> None:
    assert number_at_least("7", 1, "bad") == 7
    assert window_size("1024") == 1024
    for text in ("0", "-1", "x", "", "1x", "\u0664", "9" * 30):
        with pytest.raises(CommandError, match="bad count: "):
            number_at_least(text, 1, "bad count")


def test_own_name() -> None:
    assert own_name(None) == socket.gethostname()
    assert own_name("a.example") == "a.example"
    assert own_name("[127.0.0.1]") == "[127.0.0.1]"
    with pytest.raises(CommandError, match=r"bad hostname: a\.\.b"):
        own_name("a..b")
    with pytest.raises(CommandError, match=r"bad address literal: \[1\.2\]"):
        own_name("[1.2]")


def test_options() -> None:
    log.tag = "tool"
    assert tool_options(["-a", "-b", "x", "rest"], "ab:", "usage") == ([("a", ""), ("b", "x")], ["rest"])
    with pytest.raises(CommandError, match="usage: tool -a x"):
        tool_options(["-z"], "a", "-a x")
    assert families(["c", "4"]) == socket.AF_INET
    assert families(["4", "6"]) == socket.AF_INET6
    assert families([]) == socket.AF_UNSPEC


def test_targets() -> None:
    assert target("127.0.0.1", "25", 0) == (socket.AF_INET, ("127.0.0.1", 25))
    assert target("inet:[127.0.0.1]:2525", "25", 0) == (socket.AF_INET, ("127.0.0.1", 2525))
    assert target("[127.0.0.1]", "25", 0) == (socket.AF_INET, ("127.0.0.1", 25))
    assert target("unix:/a/b", "25", 0) == (socket.AF_UNIX, "/a/b")
    for text in ("127.0.0.1:", "[::1:25"):
        with pytest.raises(CommandError):
            target(text, "25", 0)


def test_a_connection_leaves_nothing(tmp_path: Path) -> None:
    for text in ("127.0.0.1:0", f"unix:{tmp_path}/socket"):
        for _ in range(2):  # a file of an earlier one is in nobody's way
            (listening,) = listeners(text, "5", socket.AF_INET, 4096)
            name = listening.getsockname()
            address = (int(listening.family), name)
            with begin_connect(address, 4096) as connection, listening:
                linger = connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
                assert struct.unpack("ii", linger) == (1, 0)
    with pytest.raises(OSError, match="No such file"):
        begin_connect((int(socket.AF_UNIX), f"{tmp_path}/none"), 0)
    with pytest.raises(CommandError, match=r"bind 192\.0\.2\.1 port 25252: "):
        listeners("192.0.2.1:25252", "5", 0, 0)
    with pytest.raises(CommandError, match="nothing: "):
        listeners("nothing", "5", 0, 0)


def test_status_and_counter(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise CommandError("it is so", 3)

    assert run_tool("tool", fail) == 3
    counter = Counter(True)
    counter.show("1")
    counter.close()
    Counter(False).show("2")
    assert run_tool("tool", lambda: 0) == 0
    captured = capfd.readouterr()
    assert captured.err == "tool: fatal: it is so\n"
    assert captured.out == "1\r\n"
