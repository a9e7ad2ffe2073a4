"""Whatever reaches the sockets of the daemons: they answer or hang up, and serve the next client.

All daemons of a running mail system, through their real sockets.
"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.instance import Instance

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("fuzz")]

PRIVATE = (
    "rewrite", "bounce", "defer", "trace", "verify", "proxymap", "proxywrite", "error", "retry", "discard", "local",
    "virtual", "anvil", "scache", "tlsmgr",
)  # fmt: skip
PUBLIC = ("cleanup", "flush", "showq", "qmgr", "pickup", "postlog")

NAMES = st.sampled_from([
    "request", "nrequest", "flags", "queue_id", "queue_name", "offset", "size", "nexthop", "encoding", "sendopts",
    "sender", "envelope_id", "ret_flags", "time", "recipient", "original_recipient", "recipient_count", "address",
    "rule", "table", "key", "value", "ident", "site", "action", "status", "dsn_orig_rcpt", "notify_flags", "reason",
    "label", "cache_type", "cache_id", "function", "log_client_name", "rewrite_context", "smtputf8", "", "protocol",
])  # fmt: skip
VALUES = st.one_of(
    st.sampled_from([
        "0", "1", "-1", "2", "3", "4294967296", "9" * 30, "9" * 5000, "resolve", "rewrite", "verify", "local", "lookup",
        "add", "update", "delete", "query", "connect", "disconnect", "message", "send_site", "refresh", "purge", "open",
        "seed", "active", "deferred", "../../etc/passwd", "0123456789A", "", "a@b", "a" * 3000, "static:x", "smtpd",
        "texthash:/etc/passwd", "AAAA", "=", "user@ours.example", "%", "(", '"', "\x7f", "\udcff",
    ]),
    st.text(max_size=30),
)  # fmt: skip


def _list(pairs: list[tuple[str, str]], ending: bytes, plain: bool) -> bytes:
    text = "".join(f"{name}={value}\n" if plain else f"{name}\0{value}\0" for name, value in pairs)
    return text.encode("utf-8", "surrogatepass") + ending


LISTS = st.builds(
    _list,
    st.lists(st.tuples(NAMES, VALUES), max_size=25),
    st.sampled_from([b"\0", b"\0", b"\0\0", b"", b"\n", b"\0{", b"x"]),
    st.booleans(),
)
PAYLOADS = st.lists(st.one_of(LISTS, st.binary(max_size=300)), min_size=1, max_size=3).map(b"".join)


def ask(path: Path, payload: bytes) -> bytes:
    """Send bytes to a daemon's socket and nothing more; return what it says until it hangs up."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(10.0)
        client.connect(str(path))
        answer = b""
        try:
            client.sendall(payload)
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                answer += data
                assert len(answer) < 10_000_000
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had heard enough
        return answer


@pytest.mark.parametrize("service", [*(f"private/{name}" for name in PRIVATE), *(f"public/{name}" for name in PUBLIC)])
def test_any_bytes(fuzzed: Instance, service: str) -> None:
    path = fuzzed.queue_directory / service

    @settings(max_examples=40, deadline=None)
    @given(PAYLOADS)
    def send(payload: bytes) -> None:
        if service == "public/postlog":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
                client.sendto(payload, str(path))
        else:
            ask(path, payload)

    send()
