"""qmqpd(8): replies, log lines and queue files for what clients send, good and bad.

Source: qmqpd(8); https://cr.yp.to/proto/qmqp.html.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from pyfix.formats.netstring import encode
from tests.kit import spool
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.ports import ReservedPort
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {
    "qmqpd_authorized_clients": "127.0.0.1", "default_transport": "retry:4.3.0 later", "relay_transport": "retry:4.3.0 later",
    "message_size_limit": "50000", "qmqpd_error_delay": "0s", "qmqpd_client_port_logging": "no",
    "header_checks": "regexp:{{/^X-Reject:/ REJECT not here}}",
}  # fmt: skip
TEXT = b"Subject: x\n\nhello\n"


def packet(content: bytes, sender: bytes, *recipients: bytes) -> bytes:
    return encode(b"".join(map(encode, (content, sender, *recipients))))


TO = (b"c@d.example",)
PACKETS = {
    "two recipients": packet(b"Subject: x\nFrom foo\n\nhello\n", b"a@b.example", *TO, b"e@d.example"),
    "mailbox lines": packet(b"From foo bar\n>From x\nSubject: x\n\nFrom y\nhello", b"a@b.example", *TO),
    "no sender": packet(TEXT, b"", *TO),
    "no recipient": packet(TEXT, b"a@b.example"),
    "VERP": packet(b"Subject: x\r\n\r\nhello\r\n.\n..\n", b"list-@b.example-@[]", *TO, b"e@x.example"),
    "other delimiters": packet(TEXT, b"list!@b.example-@[]", *TO),
    "VERP without domain": packet(TEXT, b"list-@[]", *TO),
    "too large": packet(b"x" * 50001, b"a@b.example", *TO),
    "long lines": packet(b"Subject: x\n\n" + b"y" * 5000 + b"\n" + b"z" * 2048, b"a@b.example", *TO),
    "nothing in it": packet(b"", b"a@b.example", *TO),
    "hops": packet(b"Received: x\n" * 60 + b"\nhello\n", b"a@b.example", *TO),
    "refused content": packet(b"X-Reject: a\n\nb\n", b"a@b.example", *TO),
    "no netstring": b"xx",
    "no netstring inside": encode(b"xx"),
    "no netstring as recipient": encode(encode(b"a") + encode(b"b") + b"zz"),
    "a string that is longer than its packet": b"10:7:a,1:b,1:c,",
    "a wrong end": packet(TEXT, b"a@b.example", *TO)[:-1] + b";",
    "an address to be quoted": packet(TEXT, b'a b <>"@b.example', b"c d@d.example"),
    "a long address": packet(TEXT, b"a" * 2049 + b"@b.example", *TO),
    "no domain": packet(TEXT, b"a", b"<x@d.example>", b"y@d.example@"),
    "bytes": packet(b"Subject: \xff\xe9\n\n\0\x80\n", b"a\xff@b.example", b"\xc3\xa9@d.example"),
    "zeros before lengths": b"0017:3:a\n\n,3:a@b,2:cd,,",
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    reserved = ReservedPort()
    yield reserved.number
    reserved.release()


def _ask(port: int, data: bytes, client: str = "127.0.0.1", *, early: bool = False) -> bytes:
    """Send a packet and return what comes; *early*: leave in the middle of it."""
    with socket.create_connection(("127.0.0.1", port), 20, source_address=(client, 0)) as connection:
        try:
            connection.sendall(data)
            if early:
                return b""
            found = b""
            while more := connection.recv(1000):
                found += more
        except ConnectionError:
            pass  # it had not read all of it
        return found


def _records(mta: Instance, queue_id: str) -> str:
    """Return a queue file's records, without what differs from one to the next."""
    try:
        records = spool.records(mta.spool_file(queue_id))
    except FileNotFoundError:
        return " (not deferred)"
    text = "\n".join(f"{record.kind} {record.data.decode('utf-8', 'backslashreplace')}" for record in records)
    text = re.sub(r"(?m)^C .*|^T .*|(?<=create_time=)\d+|(?<=client_port=)\d+|\w{3}, .* \(\w+\)$", "<>", text)
    return re.sub(r"<\d+\.<ID>", "<<ID>", text.replace(queue_id, "<ID>"))


def test_packets(parity: Parity, port: int) -> None:
    """All in one system a side: both need the same port."""

    def case(mta: Instance) -> object:
        found = {}
        seen_lines = 0
        for number, (name, data) in enumerate(PACKETS.items()):
            text = _ask(port, data).decode("utf-8", "surrogateescape").partition(":")[2]
            mta.wait_for_log("disconnect from", count=number + 1)
            if text.startswith("K"):
                queue_id = text.split()[-1].rstrip(",")
                mta.wait_for_log(rf"{queue_id}: to=<")
                assert wait_until(lambda: not mta.queue().keys() & {"incoming", "active"}, 15.0), (name, mta.queue())
                text = text.replace(queue_id, "<ID>") + _records(mta, queue_id)
            lines = [line.partition("]: ")[2] for line in mta.log_lines() if "/qmqpd[" in line]
            found[name] = (text, [re.sub(r"^[0-9A-F]{6,}: |^(warning: )[0-9A-F]{6,}: ", r"\1<ID>: ", line) for line in lines[seen_lines:]])
            seen_lines = len(lines)
        return found

    seen = parity(
        case, main=MAIN, master={"qmqp": f"127.0.0.1:{port} inet n - n - - qmqpd"}, fresh=True
    )
    assert isinstance(seen.result, dict)
    assert sum(text.startswith("KOk: queued as <ID>") for text, _ in seen.result.values()) >= 8


def test_who_may_not_and_who_leaves(parity: Parity, port: int) -> None:
    def case(mta: Instance) -> object:
        replies = [_ask(port, PACKETS["no sender"], "127.0.0.2")]
        mta.wait_for_log("disconnect from")
        for number, data in enumerate((b"", b"5", b"40:18:Subject", PACKETS["no sender"][:-3])):
            replies.append(_ask(port, data, early=True))
            mta.wait_for_log("disconnect from", count=number + 2)
        return replies

    parity(case, main=MAIN, master={"qmqp": f"127.0.0.1:{port} inet n - n - - qmqpd"}, logs="qmqpd", fresh=True)
