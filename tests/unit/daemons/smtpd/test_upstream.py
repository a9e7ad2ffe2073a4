from __future__ import annotations

import pytest

from pyfix.access.peer import PeerNames
from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd.upstream import Upstream
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream
from tests.unit.runtime.forked import on_loop, pair


def served(data: bytes, *, leaves: bool = False, seconds: float = 0.2) -> object:
    """Return what the log and the server know of a client that begins with *data*, and what the session has yet to read."""

    async def test() -> object:
        lines: list[str] = []
        log.warning = lambda text: lines.append(text)  # type: ignore[method-assign,assignment]  # what the test listens with
        ours, theirs = pair()
        if data:
            theirs.sendall(data)
        if leaves:
            theirs.close()
        stream = Stream(ours)
        upstream = Upstream(Snapshot({"inet_protocols": "all"}), "haproxy", seconds, log_port=True)
        client, known = await upstream.client_of(stream, PeerNames(lookup=False, log_port=True))
        rest = await stream.read() if stream.pending else b""
        return client and client.log_name, known, rest, lines

    return on_loop(test)


def test_clients() -> None:
    assert served(b"PROXY TCP4 192.0.2.7 192.0.2.8 99 25\r\nEHLO") == ("unknown[192.0.2.7]:99", True, b"EHLO", [])
    local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
    assert served(local) == ("localhost[127.0.0.1]:0", True, b"", [])


@pytest.mark.parametrize(
    ("data", "leaves", "warning"),
    [
        (b"PROXY \xff\n0123456789", False, "bad or missing protocol type: PROXY \\377\\n0123456789"),
        (b"", False, "timeout error"),
        (b"", True, "EOF"),
    ],
)
def test_nobody(data: bytes, leaves: bool, warning: str) -> None:
    found = served(data, leaves=leaves)
    assert found == ("unknown[unknown]:unknown", False, b"", [f"haproxy read: {warning}"])


def test_protocols() -> None:
    with pytest.raises(ConfigError, match="unsupported smtpd_upstream_proxy_protocol value: x"):
        Upstream(Snapshot({}), "x", 1, log_port=False)
