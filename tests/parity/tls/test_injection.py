"""What is said in the clear never counts in TLS: commands that are put behind STARTTLS, replies that are put behind its own.

Source: RFC 3207 section 5; CVE-2011-0411, CVE-2021-38371 and their like ("NO STARTTLS"); TLS_README.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import pytest
from OpenSSL import SSL

from tests.kit import requirements
from tests.kit.comparison import KnownDifference
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Parity
from tests.kit.tls import World, client_context
from tests.kit.tlspeer import Manner
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .deliveries import Case, deliver_all

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIL: Final = b"MAIL FROM:<evil@client.example>\r\nRCPT TO:<user@ours.example>\r\n"
PLAIN, WRAPPED, NONE, ENCRYPTED = 0, 1, 2, 3
"""The services: TLS offered, from the start, not at all, required."""


class Attack:
    """A connection whose every byte we choose; TLS is done in memory."""

    def __init__(self, mta: Instance, service: int, *, highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
        host = f"127.0.1.{service}" if service else "127.0.0.1"
        self._socket = socket.create_connection((host, mta.port), 30, source_address=("127.0.0.1", 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._from, self._to = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = client_context(highest=highest).wrap_bio(self._from, self._to)
        self._secured = False
        self.said: list[str] = []
        self._lines = b""

    def clear(self, data: bytes) -> None:
        """Send bytes as they are."""
        with suppress(OSError):
            self._socket.sendall(data)

    def hello(self) -> bytes:
        """Return the first message of a handshake."""
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._to.read()

    def _receive(self) -> bool:
        try:
            data = self._socket.recv(65536)
        except OSError:
            data = b""
        if data:
            self._from.write(data)
        return bool(data)

    def shake(self, ahead: bytes = b"") -> None:
        """Do the handshake; *ahead* was sent of it already."""
        waiting = b"" if ahead else self.hello()
        while True:
            self.clear(waiting)
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                waiting = self._to.read()
                if waiting:
                    continue
                if not self._receive():
                    self.said.append("handshake: lost")
                    return
            except ssl.SSLError as error:
                self.said.append(f"handshake: {error.reason}")
                return
            else:
                self.clear(self._to.read())
                self.said.append("handshake: done")
                self._secured = True
                return

    def say(self, data: bytes) -> None:
        """Send bytes in TLS and take one reply."""
        self._tls.write(data)
        self.clear(self._to.read())
        self.reply()

    def reply(self) -> None:
        """Take one reply, in TLS or not."""
        while not (found := self._whole()):
            if not self._more():
                self.said.append(f"{self._lines!r} <lost>")
                return
        self.said.append(found)

    def _whole(self) -> str:
        lines = self._lines.split(b"\r\n")
        for count, line in enumerate(lines[:-1], 1):
            if line[3:4] != b"-":
                self._lines = b"\r\n".join(lines[count:])
                return b"\n".join(lines[:count]).decode()
        return ""

    def _more(self) -> bool:
        if not self._secured:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if data[:1] in (b"\x15", b"\x16"):
                self.said.append("TLS")
                return False
            self._lines += data
            return bool(data)
        while True:
            try:
                data = self._tls.read(65536)
            except ssl.SSLWantReadError:
                if not self._receive():
                    return False
                continue
            except ssl.SSLError as error:
                self.said.append("TLS is over" if "ALERT" in str(error.reason) else str(error.reason))
                return False
            self._lines += data
            return bool(data)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def _begun(attack: Attack) -> None:
    attack.reply()
    attack.clear(b"EHLO x\r\n")
    attack.reply()


def _rest(attack: Attack) -> None:
    if attack.said[-1] == "handshake: done":
        for line in (b"RCPT TO:<user@ours.example>\r\n", b"DATA\r\n", b"NOOP\r\n", b"QUIT\r\n"):
            attack.say(line)


def together(extra: bytes) -> Callable[[Attack], None]:
    """Send something in one packet with STARTTLS."""

    def run(attack: Attack) -> None:
        _begun(attack)
        attack.clear(b"STARTTLS\r\n" + extra)
        attack.reply()
        attack.shake()
        _rest(attack)

    return run


def behind(extra: bytes) -> Callable[[Attack], None]:
    """Send something in the clear when the server waits for the handshake."""

    def run(attack: Attack) -> None:
        _begun(attack)
        attack.clear(b"STARTTLS\r\n")
        attack.reply()
        attack.clear(extra)
        attack.shake()
        _rest(attack)

    return run


def hello_together(attack: Attack) -> None:
    """Begin the handshake in the packet of STARTTLS."""
    _begun(attack)
    hello = attack.hello()
    attack.clear(b"STARTTLS\r\n" + hello)
    attack.reply()
    attack.clear(MAIL)
    attack.close()


def half_a_record(attack: Attack) -> None:
    """Go on in the clear behind the half of a record."""
    _begun(attack)
    attack.clear(b"STARTTLS\r\n")
    attack.reply()
    hello = attack.hello()
    attack.clear(hello[: len(hello) // 2] + MAIL * 20)
    attack.shake(hello)


def clear_in_tls(attack: Attack) -> None:
    """Go on in the clear when TLS has begun."""
    _begun(attack)
    attack.clear(b"STARTTLS\r\n")
    attack.reply()
    attack.shake()
    attack.say(b"EHLO x\r\n")
    attack.clear(b"NOOP\r\nNOOP\r\n")
    attack.reply()


def before_tls(attack: Attack) -> None:
    """Say something in the clear to a port that begins with TLS."""
    attack.clear(b"EHLO x\r\n" + MAIL)
    attack.shake()


def tls_to_plain(attack: Attack) -> None:
    """Begin with TLS where nobody expects it."""
    attack.reply()
    attack.clear(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"R" * 507)
    attack.close()


def starttls_there(attack: Attack) -> None:
    """Ask for TLS where there is none."""
    _begun(attack)
    attack.clear(b"STARTTLS\r\n" + MAIL + b"QUIT\r\n")
    for _ in range(4):
        attack.reply()


def in_the_middle(attack: Attack) -> None:
    """Put STARTTLS into a group of commands."""
    _begun(attack)
    attack.clear(b"MAIL FROM:<a@client.example>\r\nSTARTTLS\r\nRCPT TO:<user@ours.example>\r\n")
    attack.reply()
    attack.reply()
    attack.shake()
    _rest(attack)


ATTACKS: Final[list[tuple[str, int, Callable[[Attack], None]]]] = [
    *(
        (f"{function.__name__} {extra[:20]!r}", service, function(extra))
        for service in (PLAIN, ENCRYPTED)
        for extra in (b"RSET\r\n", MAIL, b"QUIT\r\n", b"x", b"\r\n", b"EHLO y\r\n" + MAIL, b"NOOP\r\n" * 300)
        for function in (together, behind)
    ),
    *((function.__name__, PLAIN, function) for function in (hello_together, half_a_record, clear_in_tls, tls_to_plain, in_the_middle)),
    *((f"required, {function.__name__}", ENCRYPTED, function) for function in (tls_to_plain, in_the_middle)),
    ("before_tls", WRAPPED, before_tls),
    ("TLS to no TLS", NONE, tls_to_plain),
    ("STARTTLS where there is none", NONE, starttls_there),
]


def _renegotiated(mta: Instance) -> list[str]:
    """Ask for another handshake in a session of TLS 1.2."""
    said = []
    with socket.create_connection((mta.host, mta.port), 30) as connection:
        for line in (b"", b"EHLO x\r\n", b"STARTTLS\r\n"):
            connection.sendall(line)
            said.append(connection.recv(4096).decode())
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        connection.setblocking(True)
        tls = SSL.Connection(context, connection)
        connection.settimeout(None)
        tls.set_connect_state()
        tls.do_handshake()
        tls.renegotiate()
        try:
            tls.do_handshake()
            said.append(f"again: {tls.renegotiate_pending()}")
        except SSL.Error as error:
            said.append(f"refused: {error.args[0][0][2]}")
    return said


IN_SESSIONS: Final = KnownDifference(
    where="log",
    reference=r"warning: TLS library problem: error:.*:SSL routines::(bad record type|record layer failure|ssl/tls alert handshake failure):",
    pyfix=None,
    reason="what the library says of a record that is damaged in the middle of a session is not in pyfix's log, which tells of the end of the session",
)


def test_commands(instance_pool: InstancePool, world: World) -> None:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, (*KNOWN_DIFFERENCES, IN_SESSIONS), ("reference", "pyfix"))
    keys = f"-o smtpd_tls_cert_file={world.file('rsa.pem')} -o smtpd_tls_key_file={world.file('rsa.key')}"
    services = {
        "127.0.1.1:{port}": "-o smtpd_tls_security_level=encrypt -o smtpd_tls_wrappermode=yes",
        "127.0.1.2:{port}": "-o smtpd_tls_security_level=none",
        "127.0.1.3:{port}": "-o smtpd_tls_security_level=encrypt",
    }

    def case(mta: Instance) -> None:
        for number, (label, service, function) in enumerate(ATTACKS, 1):
            attack = Attack(mta, service)
            function(attack)
            attack.close()
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=number)
            mta.transcript += [f"{label}: {text}" for text in attack.said]
        mta.transcript += _renegotiated(mta)  # by the words of a library in our process
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=len(ATTACKS) + 1)
        mta.wait_until_empty()
        assert not any(mta.deliveries().values())

    main = {
        "smtpd_tls_security_level": "may", "smtpd_tls_loglevel": "1", "smtpd_tls_cert_file": world.file("rsa.pem"),
        "smtpd_tls_key_file": world.file("rsa.key"), "smtpd_client_connection_rate_limit": "0",
    }  # fmt: skip
    master = {name: f"{name} inet n - n - - smtpd {options} {keys}" for name, options in services.items()}
    parity(case, main=main, master=master, logs="smtpd", deliveries=True)


_PATIENCE: Final = "-o smtp_tls_loglevel=1 -o smtp_starttls_timeout=4s -o smtp_quit_timeout=4s -o smtp_helo_timeout=4s"
REPLIES: Final = [
    *(Manner(then=then) for then in ("injection", "injection behind", "injection of a record", "half a record")),
    Manner(answer="220-go\r\n220-on\r\n220 now"),
    Manner(answer="220 go\r\n220 twice"),
    Manner(answer="220 go\r\n354 go\r\n250 taken"),
    Manner(answer="250 go"),
    Manner(answer="421 4.7.0 go away"),
    Manner(answer="nonsense"),
    Manner(answer="220go"),
    Manner(early="220 early"),
    Manner(early="220 early\r\n250 ok\r\n250 ok\r\n354 go"),
]


def test_replies(parity: Parity, world: World) -> None:
    """A server, or whoever is in between, says more than was asked for."""
    cases: list[Case] = [
        (f"-o smtp_tls_security_level={level} {_PATIENCE}", manner) for level in ("may", "encrypt") for manner in REPLIES
    ]

    def case(mta: Instance) -> None:
        mta.stop()
        for (options, manner), lines in deliver_all(mta, world, cases, "smtp").items():
            # An early reply hides from the reference that STARTTLS was not sent yet; ours is sent before replies are looked at.
            shown = lines[-1:] if manner.early else lines
            assert not manner.early or not any(line.startswith("MAIL") for line in lines)
            mta.transcript += [f"{options} {manner}: {line}" for line in shown]

    main = {
        "transport_maps": "texthash:{dir}/etc/transport", "smtpd_tls_security_level": "none", "notify_classes": "",
        "default_destination_recipient_limit": "1",
    }  # fmt: skip
    parity(case, main=main, files={"transport": ""}, fresh=True)
