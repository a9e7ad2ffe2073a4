"""How BDAT counts: lines with their ends, and only those that are whole while chunks come."""

from __future__ import annotations

import re
import socket

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]
MAIN = {
    "message_size_limit": "100", "mailbox_size_limit": "0", "virtual_mailbox_limit": "0",
    "smtpd_forbid_bare_newline": "normalize",
}  # fmt: skip


def chunk(text: bytes, last: bool = False) -> bytes:
    return b"BDAT %d%b\r\n%b" % (len(text), b" LAST" if last else b"", text)


@pytest.mark.parametrize(
    "data",
    [
        chunk(b"x" * 60) * 2, chunk(b"x" * 60) + chunk(b"x" * 60, last=True), chunk(b"a\nb\nc\n", last=True),
        chunk(b"x" * 60 + b"\r\n") + chunk(b"x" * 60), chunk(b"x" * 99) * 3 + chunk(b"x" * 97 + b"\r\n", last=True),
    ],
    ids=range(5),
)  # fmt: skip
def test_size_limit(parity: Parity, data: bytes) -> None:
    def case(mta: Instance) -> list[bytes]:
        with socket.create_connection((mta.host, mta.port)) as client, client.makefile("rb") as replies:
            greeting = replies.readline()
            client.sendall(b"EHLO x\r\n")
            while replies.readline()[3:4] == b"-":
                pass
            client.sendall(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user@ours.example>\r\n" + data + b"QUIT\r\n")
            return [re.sub(rb"as \w+", b"as <ID>", line) for line in (greeting, *replies)]

    parity(case, main=MAIN)


def test_content_is_never_taken_for_commands(parity: Parity) -> None:
    """Of a chunk that is far too large the client has sent some before it learns that."""

    def case(mta: Instance) -> None:
        mark = mta.log_mark()
        with socket.create_connection((mta.host, mta.port)) as client, client.makefile("rb") as replies:
            mta.transcript.append(replies.readline().decode())
            client.sendall(b"HELO x\r\nMAIL FROM:<a@b.example>\r\nBDAT 5000 LAST\r\nX-Content: x\r\n")
            mta.transcript += [replies.readline().decode() for _ in range(3)]
            client.shutdown(socket.SHUT_WR)
            replies.read()
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
        mta.transcript += [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line]

    parity(case, main=MAIN | {"smtpd_forbid_unauth_pipelining": "no"})
