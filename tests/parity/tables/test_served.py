"""Tables that ask a server in a small protocol: tcp, socketmap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyfix.tables import socketmap, tcp
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.tableservers import HANG_UP, SocketmapServer, TcpServer, netstring

from .conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

TCP_ANSWERS = {
    b"a": b"200 b%20c\n", b"none": b"500 no%20such\n", b"temp": b"400 later%0aon\n", b"bad": b"hello\n", b"e": b"200 \n",
    b"e2": b"200\n", b"pct": b"200 a%zz\n", b"n300": b"300 x\n", b"cr": b"200 x\r\n", b"raw": b"200 a b\tc\n", b"500": b"500\n",
    b"400": b"400\n", b"two": b"200  x\n", b"tab": b"200\tx\n", b"nul": b"200 a%00b\n", b"pct2": b"200 a%4\n", b"bare": b"200x\n",
    b"n500": b"500 a%zz\n", b"case": b"200 %c3%A9%2f\n", b"latin": b"200 %e9\n", b"close": HANG_UP,
    b"max": b"200 " + b"x" * 4091 + b"\n", b"max1": b"200 " + b"x" * 4092 + b"\n", b"long": b"200 " + b"x" * 5000 + b"\n",
    b"short": b"20 x\n", b"four": b"2000 x\n", b"empty": b"\n", b"n200": b"200 \0\n",
    b"user@ours.example": b"200 REJECT%20tcp%20says%20no\n", b"temp@ours.example": b"400 x\n",
}  # fmt: skip
SOCKETMAP_ANSWERS = {
    b"a": netstring(b"OK b c"), b"e": netstring(b"OK "), b"e2": netstring(b"OK"), b"none": netstring(b"NOTFOUND "),
    b"none2": netstring(b"NOTFOUND"), b"temp": netstring(b"TEMP later"), b"temp0": netstring(b"TEMP "),
    b"tmo": netstring(b"TIMEOUT slow"), b"perm": netstring(b"PERM bad"), b"foo": netstring(b"FOO x"), b"raw": b"hello,",
    b"bad": b"3:abcd", b"low": netstring(b"ok x"), b"nul": netstring(b"OK a\0b"), b"sp": netstring(b"OK   x"),
    b"nfx": netstring(b"NOTFOUND x"), b"emp": netstring(b""), b"lead": b"05:OK ab,", b"neg": b"-1:,", b"huge": b"99999999999999:x",
    b"nocomma": b"4:OK x;", b"max": netstring(b"OK " + b"x" * 99997), b"max1": netstring(b"OK " + b"x" * 99998),
    b"latin": netstring(b"OK \xe9"), b"utf": netstring("OK é".encode()), b"close": HANG_UP, b"spaces": b" 4:OK x,", b"nolen": b":,",
    b"long": netstring(b"TEMP " + b"y" * 300), b"user@ours.example": netstring(b"OK second@ours.example"),
    b"temp@ours.example": netstring(b"TEMP not now"),
}  # fmt: skip


@pytest.fixture(scope="module")
def tcp_server() -> Iterator[TcpServer]:
    with TcpServer(TCP_ANSWERS) as server:
        yield server


@pytest.fixture(scope="module")
def socketmap_server() -> Iterator[SocketmapServer]:
    with SocketmapServer(SOCKETMAP_ANSWERS) as server:
        yield server


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between two tries; the reference does not, either."""
    monkeypatch.setattr(tcp, "_PAUSE", 0.0)
    monkeypatch.setattr(socketmap, "_PAUSE", 0.0)


KEYS = ["A", "x y%é", "", "a\tb", "!&~$%", '"q"']


def test_tcp_answers(both: Both, tcp_server: TcpServer) -> None:
    """Each form of reply, right and wrong; keys are sent encoded.  Source: tcp_table(5)."""
    table = f"tcp:127.0.0.1:{tcp_server.port}"
    del tcp_server.asked[:]
    both.all_same("postmap", [["-q", key.decode(), table] for key in TCP_ANSWERS] + [["-q", key, table] for key in KEYS])
    for key in KEYS:
        assert tcp_server.asked.count(tcp_server.asked[-1]) == 2  # both sides encode alike
    both.all_same("postmap", [["-q", "-", table], ["-q", "-", table, table]], given="a\nnone\na\n")
    both.same("postmap", "-q", "-", table, given="temp\na\n")
    both.all_same("postmap", [["-uq", "latin", table], ["-fq", "A", table], ["-hq", "-", table]], given="A: b\n")


def test_tcp_is_for_questions_only(both: Both, tcp_server: TcpServer) -> None:
    """Source: tcp_table(5)."""
    table = f"tcp:127.0.0.1:{tcp_server.port}"
    both.all_same("postmap", [["-s", table], ["-d", "a", table], [table], ["-i", table]], given="a b\n")


def test_tcp_places(both: Both, tcp_server: TcpServer) -> None:
    """How the server is named, and servers that are not there."""
    port = tcp_server.port
    places = [
        "127.0.0.1:1", "127.0.0.1", "foo.invalid:1", "127.0.0.1:nosuch", f"localhost:{port}", f"[127.0.0.1]:{port}",
        f"inet:127.0.0.1:{port}", "unix:/x", f":{port}", f"{port}", "127.0.0.1:", "[::1]:1", "::1:1", "[127.0.0.1", "[127.0.0.1]x:1",
        "a b:1", "[]:1", "-x:1", "x-:1", "nosuchservice",
    ]  # fmt: skip
    both.all_same("postmap", [["-q", "a", f"tcp:{place}"] for place in places])


def test_socketmap_answers(both: Both, socketmap_server: SocketmapServer) -> None:
    """Each form of reply, right and wrong.  Source: socketmap_table(5)."""
    table = f"socketmap:inet:127.0.0.1:{socketmap_server.port}:nm"
    both.all_same("postmap", [["-q", key.decode(), table] for key in SOCKETMAP_ANSWERS] + [["-q", key, table] for key in KEYS])
    both.same("postmap", "-q", "-", table, given="a\nnone\na\n")
    both.same("postmap", "-q", "-", table, given="temp\na\n")
    both.all_same("postmap", [["-s", table], ["-d", "a", table], [table], ["-i", table]], given="a b\n")


def test_socketmap_places(both: Both, socketmap_server: SocketmapServer) -> None:
    """How the server is named, and servers that are not there."""
    port = socketmap_server.port
    names = [
        "inet:127.0.0.1:1:nm", "inet:nosuch.invalid:1:nm", "unix:/nonex:nm", "unix:rel:nm", f"inet:127.0.0.1:{port}",
        "inet:127.0.0.1", f"inet:127.0.0.1:{port}:", f"foo:127.0.0.1:{port}:x", f"127.0.0.1:{port}:x", "unix:x", "x", "unix::x",
        f"inet:127.0.0.1:{port}:a b", "inet:127.0.0.1:nosuch:ab", f"inet:localhost:{port}:nm", f"inet:[127.0.0.1]:{port}:nm",
    ]  # fmt: skip
    both.all_same("postmap", [["-q", "a", f"socketmap:{name}"] for name in names])


RECIPIENTS = ["user", "temp", "mbox", "nosuch"]


def test_in_a_mail_system(parity: Parity, tcp_server: TcpServer, socketmap_server: SocketmapServer) -> None:
    """smtpd asks a tcp server, cleanup a socketmap server, both also behind proxymap; a failure is no answer.

    Source: tcp_table(5), socketmap_table(5), proxymap(8).
    """
    socketmap_table = f"socketmap:inet:127.0.0.1:{socketmap_server.port}:nm"
    tcp_table = f"tcp:127.0.0.1:{tcp_server.port}"

    def case(mta: Instance) -> None:
        for recipient in RECIPIENTS:
            replies = mta.dialogue(
                "EHLO client.example", "MAIL FROM:<sender@client.example>", f"RCPT TO:<{recipient}@ours.example>", "QUIT"
            )
        assert replies[2][:3] == "550"
        mta.send_message("mbox@ours.example")
        mta.wait_until_empty()

    parity(
        case,
        main={
            "smtpd_recipient_restrictions": f"check_recipient_access {tcp_table}",
            "virtual_alias_maps": f"proxy:{socketmap_table}",
            "proxy_read_maps": f"proxy:{socketmap_table}",
            "notify_classes": "",
        },
        deliveries=True,
        logs="smtpd",
    )


def test_nobody_there(parity: Parity) -> None:
    """A server that is down is a temporary failure.  Source: socketmap_table(5)."""

    def case(mta: Instance) -> None:
        replies = mta.dialogue(
            "EHLO client.example", "MAIL FROM:<sender@client.example>", "RCPT TO:<user@ours.example>", "QUIT"
        )
        assert replies[2][:3] == "451"

    parity(case, main={
            "smtpd_recipient_restrictions": "check_recipient_access socketmap:inet:127.0.0.1:1:nm",
            "notify_classes": "",
        }, logs="smtpd")

