from __future__ import annotations

from pyfix.commands import qmqp_source
from pyfix.formats import netstring
from tests.kit.loadtools import sink, source
from tests.unit.commands.running import call


def test_all_messages_arrive() -> None:
    with sink("pyfix", "qmqp-sink", "-c", "-x", "4") as server:
        assert source("pyfix", "qmqp-source", server.port, "-m", "99", "-s", "9", "-l", "300000") == (0, "")
        assert server.end() == 0
        assert server.output.endswith(b"\r99\r")


def test_a_request() -> None:
    content = qmqp_source._content(b"a@b", b"c@d", "host", 500)
    assert len(content) == 500
    assert content.endswith(b"\n")
    request = qmqp_source._request(b"a@b", b"c@d", 2, content)
    inner = netstring.decode(request, 10000)
    assert inner is not None
    assert inner[1] == b""
    strings, rest = [], inner[0]
    while rest and (found := netstring.decode(rest, 10000)):
        strings.append(found[0])
        rest = found[1]
    assert strings == [content, b"a@b", b"0c@d", b"1c@d"]


def test_usage() -> None:
    for argv in ([], ["-m", "0", "h"], ["-w", "1", "-R", "1", "h"]):
        done = call(qmqp_source.main, *argv, name="qmqp-source")
        assert done.status == 1
        assert done.err[0].startswith("qmqp-source: fatal: usage: qmqp-source -cv ")
