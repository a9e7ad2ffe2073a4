"""A name server in threads of the test's process, which says what the test wants: records, failures, silence, garbage.

It answers as a resolver does: it follows CNAME records, and knows which names there are not.  What it has no script or
record for can be passed on to a real server.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Script = Callable[[dns.message.Message], "bytes | dns.message.Message | None"]
"""What is answered to a question: a message, raw bytes, or nothing."""

_MOST_UDP: Final = 65535
_AD: Final = dns.flags.AD


def rcode(code: str) -> Script:
    """Answer with an error and no records: ``SERVFAIL``, ``REFUSED``, ``FORMERR``, ``NOTIMP``."""

    def script(query: dns.message.Message) -> dns.message.Message:
        reply = _begin(query)
        reply.set_rcode(dns.rcode.from_text(code))
        return reply

    return script


def silence(_query: dns.message.Message) -> None:
    """Answer nothing."""


def garbage(query: dns.message.Message) -> bytes:
    """Answer with a header that promises a record, and noise."""
    return struct.pack("!HHHHHH", query.id, 0x8180, 1, 1, 0, 0) + query.to_wire()[12:] + b"\xc0\xff\xfe" * 5


def raw_records(*records: tuple[str, str, bytes]) -> Script:
    """Answer with records whose data is given as bytes: (owner, type, data)."""

    def script(query: dns.message.Message) -> bytes:
        question = query.to_wire()
        data = struct.pack("!HHHHHH", query.id, 0x8580, 1, len(records), 0, 0)
        data += question[12 : 12 + len(query.question[0].name.to_wire() or b"") + 4]
        for owner, kind, content in records:
            data += dns.name.from_text(owner).to_wire() or b""
            data += struct.pack("!HHIH", dns.rdatatype.from_text(kind), 1, 300, len(content)) + content
        return data

    return script


def _begin(query: dns.message.Message) -> dns.message.Message:
    reply = dns.message.make_response(query, recursion_available=True)
    reply.flags |= dns.flags.AA
    return reply


class DnsDouble:
    """The server; ``asked`` has the questions as (name, type) in the order in which they came."""

    def __init__(
        self,
        records: str = "",
        scripts: Mapping[str, Script] | None = None,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        validated: Sequence[str] = (),
        small: bool = False,
        upstream: tuple[str, int] | None = None,
    ) -> None:
        """*records*: lines ``name [ttl] type data``; *scripts*: by name, or ``name/TYPE``, without the last dot.

        *validated*: names, or ``name/TYPE``, whose answers have the AD bit.  *small*: everything is too large for a datagram.
        *upstream*: the server to ask for what is not here.
        """
        self.scripts = dict(scripts or {})
        self.validated = set(validated)
        self.small = small
        self.upstream = upstream
        self.asked: list[tuple[str, str]] = []
        self.over_tcp: list[tuple[str, str]] = []
        self.records: dict[str, list[dns.rrset.RRset]] = {}
        for line in records.splitlines():
            if line.strip():
                self.add(line)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket()
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for _ in range(50):
            self._udp.bind((address, port))
            try:
                self._tcp.bind(self._udp.getsockname())
                break
            except OSError:
                self._udp.close()
                self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp.listen(50)
        self.address: tuple[str, int] = self._udp.getsockname()
        for serve in (self._serve_datagrams, self._serve_connections):
            threading.Thread(target=serve, daemon=True).start()

    def add(self, line: str) -> None:
        """Add a record."""
        words = line.split(None, 1)
        ttl = 300
        if words[1].split()[0].isdigit():
            digits, words[1] = words[1].split(None, 1)
            ttl = int(digits)
        kind, data = words[1].split(None, 1)
        owner = dns.name.from_text(words[0])
        rrset = dns.rrset.from_text(owner, ttl, "IN", kind, data)
        self.records.setdefault(owner.to_text(omit_final_dot=True).lower(), []).append(rrset)

    # Serving

    def _serve_datagrams(self) -> None:
        while True:
            try:
                data, client = self._udp.recvfrom(_MOST_UDP)
            except OSError:
                return
            threading.Thread(target=self._answer_datagram, args=(data, client), daemon=True).start()

    def _answer_datagram(self, data: bytes, client: tuple[str, int]) -> None:
        answer = self.answer(data, tcp=False)
        if answer is not None:
            with suppress(OSError):
                self._udp.sendto(answer, client)

    def _serve_connections(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_connection, args=(client,), daemon=True).start()

    def _serve_connection(self, client: socket.socket) -> None:
        with suppress(OSError), client, client.makefile("rb") as stream:
            while len(size := stream.read(2)) == 2:
                answer = self.answer(stream.read(int.from_bytes(size, "big")), tcp=True)
                if answer is None:
                    return
                client.sendall(len(answer).to_bytes(2, "big") + answer)

    def answer(self, data: bytes, *, tcp: bool) -> bytes | None:
        """Return what is answered to a message."""
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        (self.over_tcp if tcp else self.asked).append((name, kind))
        script = self.scripts.get(f"{name}/{kind}") or self.scripts.get(name)
        reply: bytes | dns.message.Message | None
        if script is not None:
            reply = script(query)
        elif self.upstream is not None and name not in self.records:
            return self._pass_on(data, tcp=tcp)
        else:
            reply = self._look_up(query)
        if reply is None or isinstance(reply, bytes):
            return reply
        if self.small and not tcp:
            reply.flags |= dns.flags.TC
            for section in reply.sections[1:]:
                section.clear()
        return reply.to_wire(max_size=_MOST_UDP)

    def _look_up(self, query: dns.message.Message) -> dns.message.Message:
        reply = _begin(query)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if not self.validated.isdisjoint((name, f"{name}/{dns.rdatatype.to_text(question.rdtype)}")):
            reply.flags |= _AD
        for _ in range(20):
            here = self.records.get(name)
            if here is None:
                known = any(other.endswith("." + name) for other in self.records)
                if not known and not reply.answer:
                    reply.set_rcode(dns.rcode.NXDOMAIN)
                break
            found = [rrset for rrset in here if rrset.rdtype == question.rdtype]
            alias = [rrset for rrset in here if rrset.rdtype == dns.rdatatype.CNAME]
            reply.answer += found or alias
            if found or not alias:
                break
            name = str(alias[0][0].target.to_text(omit_final_dot=True)).lower()
        if not reply.answer:
            soa = "ns.invalid. root.invalid. 1 3600 600 86400 60"
            reply.authority.append(dns.rrset.from_text(question.name, 300, "IN", "SOA", soa))
        return reply

    def _pass_on(self, data: bytes, *, tcp: bool) -> bytes | None:
        assert self.upstream is not None
        with suppress(OSError):
            if not tcp:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    other.settimeout(5)
                    other.sendto(data, self.upstream)
                    return other.recv(_MOST_UDP)
            with socket.create_connection(self.upstream, 5) as connection, connection.makefile("rb") as stream:
                connection.sendall(len(data).to_bytes(2, "big") + data)
                return stream.read(int.from_bytes(stream.read(2), "big"))
        return None

    def close(self) -> None:
        """End the server."""
        with suppress(OSError):
            self._udp.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        self._udp.close()
        self._tcp.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
