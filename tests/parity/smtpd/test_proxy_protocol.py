"""What a proxy says before the client: good and bad headers of both versions, and what comes of them."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.kit import processes, requirements
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.ports import ReservedPort

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.8") + struct.pack("!HH", 1234, 25)
V6 = bytes.fromhex("20010db8" + "00" * 11 + "07" + "20010db8" + "00" * 11 + "08") + struct.pack("!HH", 1234, 25)
MAPPED = bytes(10) + b"\xff\xff" + V4[:4] + V6[16:]


def binary(command: int, family: int, data: bytes, version: int = 2) -> bytes:
    return SIGNATURE + bytes([version << 4 | command, family]) + struct.pack("!H", len(data)) + data


def line(*words: str) -> bytes:
    return " ".join(("PROXY", *words)).encode() + b"\r\n"


TCP4 = ("TCP4", "192.0.2.7", "192.0.2.8", "1234", "25")
HEADERS = [
    line(*TCP4), line("TCP6", "2001:db8::7", "2001:db8::8", "1234", "25"), line("UNKNOWN"), line("UNKNOWN", *TCP4[1:]),
    line(*TCP4)[:-2] + b"\n", line(*TCP4).lower(), line("TCP4", "192.0.2.7", "192.0.2.8", "0", "25"),
    line("TCP4", "192.0.2.7", "192.0.2.8", "65536", "25"), line(*TCP4[:-1]), line(*TCP4[:-2]), line(*TCP4[:-3]), line(*TCP4[:1]),
    b"PROXY\r\n", b"PROXY \r\n", b"PROXY\tTCP4\t192.0.2.7 192.0.2.8 1234 25\r\n", line("TCP5", *TCP4[1:]), line("tcp4", *TCP4[1:]),
    line("TCP4", "::1", *TCP4[2:]), line("TCP6", *TCP4[1:]), line("TCP4", "192.0.2.7", "192.0.2", "1234", "25"),
    line("TCP4", "192.0.2.256", *TCP4[2:]), line(*TCP4, "extra"), line(*TCP4[:3], "12x", "25"), line(*TCP4[:3], "-1", "25"),
    line(*TCP4[:3], "01234", "25"), line(*TCP4[:3], "1234", "123456"), line("TCP4", "", *TCP4[1:]), line("TCP4", "192.0.2.07", *TCP4[2:]),
    line("TCP4", "0.0.0.0", *TCP4[2:]), line("TCP4", "0.1.2.3", *TCP4[2:]), line("TCP6", "::ffff:192.0.2.7", "::ffff:192.0.2.8", "1", "2"),
    line("TCP6", "[::1]", "::1", "1", "2"), line("TCP6", "2001:DB8:0::7", "::1", "1", "2"), line("TCP6", "::1%lo", "::1", "1", "2"),
    b"EHLO foo\r\n", b"EHLO a longer name of a host\r\n", b"x" * 200 + b"\r\n", b"\r\n", line(*TCP4)[:-2], line(*TCP4)[:-2] + b"\rX",
    b"PROXY TCP4 192.0.2.7" + b" " * 600 + b"192.0.2.8 1 2\r\n", b"PROXY \xff\xfe\r\n", b"PROXY TCP4 \0 192.0.2.8 1 2\r\n",
    binary(1, 0x11, V4), binary(1, 0x21, V6), binary(1, 0x21, MAPPED), binary(0, 0x11, V4), binary(0, 0, b""), binary(0, 0xFF, b"x" * 40),
    binary(1, 0, b""), binary(1, 0x12, V4), binary(1, 0x13, V4), binary(1, 0x10, V4), binary(1, 0x31, b"x" * 216),
    binary(2, 0x11, V4), binary(15, 0x11, V4), binary(1, 0x11, V4[:-1]), binary(1, 0x21, V4), binary(1, 0x11, V4 + b"\3\0\2ab"),
    binary(1, 0x11, V4, version=1), binary(1, 0x11, V4, version=3), SIGNATURE + b"\x21\x11\0\xff" + V4, SIGNATURE[:8],
    SIGNATURE + b"\x21", SIGNATURE + b"\x21\x11\0", SIGNATURE + b"\x21\x11\0\0", binary(1, 0x11, V4 + b"x" * 508),
    binary(1, 0x11, V4 + b"x" * 509), binary(1, 0x11, V4 + b"x" * 600), binary(1, 0x11, bytes(12)),
]  # fmt: skip
MAIN = LENIENT | {"smtpd_upstream_proxy_protocol": "haproxy", "smtpd_upstream_proxy_timeout": "1s", "notify_classes": ""}


def behind_proxy(mta: Instance, header: bytes, *commands: bytes) -> None:
    """Say *header*, then commands as long as the server answers; add the replies to the transcript.

    The reference leaves what it does not understand unread, and then the system may throw its last reply away.
    """
    mark = mta.log_mark()
    with socket.create_connection((mta.host, mta.port)) as connection:
        connection.settimeout(10)
        connection.sendall(header)
        try:
            for command in (b"", *commands, b"QUIT\r\n"):
                connection.sendall(command)
                reply = b""
                while not reply.endswith(b"\n") or reply.rstrip().rpartition(b"\n")[2][3:4] == b"-":
                    data = connection.recv(4096)
                    if not data:
                        break
                    reply += data
                if not reply or reply.startswith(b"421 4.3.0"):
                    raise ConnectionResetError
                mta.transcript.append(reply.decode("latin-1"))
                if reply.startswith(b"554"):
                    break
        except ConnectionError:
            mta.transcript.append("<turned away>")
    mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)


@pytest.mark.parametrize("start", range(0, len(HEADERS), 8))
@pytest.mark.parametrize("protocols", ["all", "ipv4"])
def test_headers(parity_of_smtpd: Compare, start: int, protocols: str) -> None:
    def case(mta: Instance) -> None:
        for header in HEADERS[start : start + 8]:
            behind_proxy(mta, header, b"EHLO c.test\r\n", b"MAIL FROM:<a@b.c>\r\n", b"RCPT TO:<user@ours.example>\r\n")

    if protocols == "ipv4" and not any(b"TCP6" in header or b"\x21\x21" in header for header in HEADERS[start : start + 8]):
        return
    parity_of_smtpd(case, main=MAIN | {"inet_protocols": protocols})


def test_silence_and_end(parity_of_smtpd: Compare) -> None:
    """Nothing within the time; nothing at all; and a client that does not wait for the greeting."""

    def case(mta: Instance) -> None:
        behind_proxy(mta, b"")
        mark = mta.log_mark()
        with socket.create_connection((mta.host, mta.port)) as connection:
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(10)
            assert connection.recv(1000) == b"421 4.3.0 mail.ours.example Server local error\r\n"
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
        behind_proxy(mta, line(*TCP4) + b"EHLO early\r\n")
        behind_proxy(mta, binary(1, 0x11, V4) + b"EHLO early\r\n")

    parity_of_smtpd(case, main=MAIN)


@pytest.fixture(scope="module")
def world() -> Iterator[DnsWorld]:
    zones = {
        ".": "7.2.0.192.in-addr.arpa PTR client.example.\nclient.example A 192.0.2.7\nclient.example AAAA 2001:db8::7\n"
        + ".".join(reversed("20010db8000000000000000000000007"))
        + ".ip6.arpa PTR client.example.\n"
        "9.2.0.192.in-addr.arpa PTR client.example.\n9.2.0.192.bl.example A 127.0.0.2\n"
        + ".".join(reversed("20010db8000000000000000000000007"))
        + ".bl.example A 127.0.0.2\nbl.example TXT x"
    }
    with DnsWorld(zones) as world:
        yield world


@pytest.mark.parametrize("logging", ["yes", "no"])
def test_whose_name_is_looked_up(parity_of_smtpd: Compare, world: DnsWorld, logging: str) -> None:
    """The client has the names, rights and Received: line of the address that the proxy gives."""

    def case(mta: Instance) -> None:
        for address in ("192.0.2.7", "192.0.2.9", "192.0.2.10", "2001:db8::7"):
            kind = "TCP6" if ":" in address else "TCP4"
            to = "::1" if ":" in address else "192.0.2.8"
            commands = (b"EHLO c.test\r\n", b"MAIL FROM:<a@b.c>\r\n", b"RCPT TO:<user@ours.example>\r\n",
                        b"RCPT TO:<u@elsewhere.example>\r\n", b"DATA\r\n", b"Subject: x\r\n\r\nx\r\n.\r\n")  # fmt: skip
            behind_proxy(mta, line(kind, address, to, "1234", "25"), *commands)
        mta.wait_until_empty()

    main = MAIN | {
        "inet_protocols": "all",
        "smtpd_peername_lookup": "yes",
        "mynetworks": "192.0.2.7",
        "smtpd_client_port_logging": logging,
        "smtpd_recipient_restrictions": "reject_rbl_client bl.example",
    }
    parity_of_smtpd(case, main=main, mounts=world.mounts, deliveries=True)


CONFIGURATION = """\
global
  maxconn 20
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend first
  bind 127.0.0.1:{first}
  default_backend text
frontend second
  bind 127.0.0.1:{second}
  default_backend binary
backend text
  server mail 127.0.0.1:{port} send-proxy
backend binary
  server mail 127.0.0.1:{port} send-proxy-v2 check check-send-proxy inter 200
"""


def test_haproxy(parity_of_smtpd: Compare) -> None:
    """haproxy itself, both versions: the client that it serves is the one that is logged and may relay."""
    if shutil.which("haproxy") is None:
        requirements.missing("haproxy is not there: apt-get install haproxy")

    def case(mta: Instance) -> None:
        ports = [ReservedPort(), ReservedPort()]
        text = CONFIGURATION.format(first=ports[0].number, second=ports[1].number, port=mta.port)
        path = mta.write("haproxy.cfg", text)
        proxy = subprocess.Popen(["haproxy", "-q", "-f", str(path)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for port in ports:
                assert processes.wait_until(lambda number=port.number: _listens(number), 10)
                mark = mta.log_mark()
                commands = ["EHLO c.test", "MAIL FROM:<a@b.c>", "RCPT TO:<u@elsewhere.example>", "QUIT"]
                mta.dialogue(*commands, client="127.0.0.77", port=port.number)
                mta.wait_for_log(r"disconnect from unknown\[127\.0\.0\.77\]", since=mark)
            # The proxy looks whether we are there, and is itself the client when it does.
            mta.wait_for_log(r"connect from unknown\[127\.0\.0\.1\]")
        finally:
            proxy.terminate()
            proxy.wait(10)
            for port in ports:
                port.release()

    parity_of_smtpd(case, main=MAIN | {"mynetworks": "127.0.0.77"}, logs=False)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        time.sleep(0.01)
        return connection.connect_ex(("127.0.0.1", port)) == 0


def test_a_protocol_that_nobody_speaks(parity_of_smtpd: Compare) -> None:
    def case(mta: Instance) -> str:
        with socket.create_connection((mta.host, mta.port)) as connection:
            connection.settimeout(20)
            mta.wait_for_log(r"fatal: unsupported smtpd_upstream_proxy_protocol value: nonsense")
        return "fatal"

    parity_of_smtpd(case, main={"smtpd_upstream_proxy_protocol": "nonsense"}, logs=False, fresh=True)
