"""What an answer of a name server says, and what of it can be used.

Records are read one by one, as Postfix does: a damaged one is left out, with Postfix's warning, and the others count.
Source: RFC 1035 section 4.1; RFC 2782, 3596, 6698, 7505.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import dns.exception
import dns.name

from pyfix.config.startup import hostname_complaint
from pyfix.formats.dnsrecord import (
    AddressRecord,
    HostRecord,
    MxRecord,
    Record,
    SoaRecord,
    SrvRecord,
    TextRecord,
    TlsaRecord,
)
from pyfix.formats.domain import is_hostaddr
from pyfix.runtime.dns import NUMBERS, Status
from pyfix.runtime.log import log

__all__ = ["Extract", "Reply"]

_IN: Final = 1
_MOST_RECORDS: Final = 100
_MOST_SHOWN: Final = 100
_OWNER: Final = "resource name"
_DATA: Final = "resource data"
_VALIDATED: Final = 0x20
_DAMAGE: Final = (dns.exception.DNSException, ValueError, struct.error)
_SIGN: Final = 1 << 31
_KINDS: Final = {number: kind for kind, number in NUMBERS.items()}


class Extract(NamedTuple):
    """What a message has for a question."""

    status: Status
    records: tuple[Record, ...] = ()
    alias: str = ""
    """The name to ask for instead."""


class _Bad(Exception):
    """A record that can't be used, and what that makes of the answer if there is no other."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        self.status = status


class _Head(NamedTuple):
    """What stands before the data of a record."""

    kind: str
    owner: str
    question: str
    ttl: int


class _Cursor:
    """Reads a message from a place on."""

    __slots__ = ("_data", "at")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def numbers(self, form: str) -> tuple[Any, ...]:
        """Return the next numbers, by a format of struct.  Raises struct.error."""
        found = struct.unpack_from(form, self._data, self.at)
        self.at += struct.calcsize(form)
        return found

    def name(self) -> dns.name.Name:
        """Return the next name, compressed or not.  Raises DNSException."""
        name, size = dns.name.from_wire(self._data, self.at)
        self.at += size
        return name

    def take(self, size: int) -> bytes:
        """Return the next bytes.  Raises ValueError."""
        found = self._data[self.at : self.at + size]
        if len(found) < size:
            raise ValueError("the message ends too early")
        self.at += size
        return found


class Reply:
    """An answer of a name server: at least a header and the question."""

    def __init__(self, data: bytes, *, dnssec: bool) -> None:
        self._data = data
        self.validated = dnssec and bool(data[3] & _VALIDATED)
        """The resolver says that it has validated what it says."""

    def extract(self, name: str, kind: str) -> Extract:
        """Return the records of type *kind*, or the alias that stands in their place."""
        try:
            return self._extract(name, kind)
        except _DAMAGE:
            return Extract(Status.RETRY)

    def _extract(self, name: str, kind: str) -> Extract:
        status = Status.NO_DATA
        records: list[Record] = []
        alias = ""
        wanted = NUMBERS[kind]
        for owner, number, group, ttl, length, cursor in self._each(authority=False):
            if group != _IN:
                log.warning(f"dns_get_fixed: bad class: {group}")
                return Extract(Status.RETRY)
            if number not in (wanted, NUMBERS["CNAME"]):
                continue
            try:
                head = _Head(_KINDS[number], _checked(owner, _OWNER, _KINDS[number], name), name, ttl)
                if number != wanted:
                    alias = _checked(cursor.name(), _DATA, head.kind, name)
                    continue
            except _Bad as bad:
                return Extract(bad.status)
            if len(records) >= _MOST_RECORDS:
                log.warning(
                    f"DNS record count limit ({_MOST_RECORDS}) exceeded -- "
                    f"dropping excess record(s) after qname={name} qtype={kind}"
                )
                break
            try:
                records.append(_CONVERTERS[kind](cursor, length, head))
            except _Bad as bad:
                if bad.status in (Status.NULL_MX, Status.NULL_SRV):
                    return Extract(bad.status)
                if status is not Status.RETRY:
                    status = bad.status
        if records:
            return Extract(Status.OK, tuple(records))
        return Extract(status, alias=alias)

    def zone(self, name: str) -> tuple[SoaRecord, ...]:
        """Return the SOA records of the authority section of a negative answer."""
        found: list[SoaRecord] = []
        try:
            for owner, number, group, ttl, length, cursor in self._each(authority=True):
                if number == NUMBERS["SOA"] and group == _IN:
                    head = _Head("SOA", _checked(owner, _OWNER, "SOA", name), name, ttl)
                    found.append(_soa(cursor, length, head))
        except (*_DAMAGE, _Bad):
            pass
        return tuple(found)

    def _each(self, *, authority: bool) -> Iterator[tuple[dns.name.Name, int, int, int, int, _Cursor]]:
        """Yield owner, type, class, ttl, length of data, and a cursor that stands before the data, of each record."""
        cursor = _Cursor(self._data)
        _id, _flags, questions, answers, authorities, _more = cursor.numbers("!HHHHHH")
        for _ in range(questions):
            cursor.name()
            cursor.numbers("!HH")
        for position in range(answers + authorities if authority else answers):
            owner = cursor.name()
            number, group, ttl, length = cursor.numbers("!HHIH")
            end = cursor.at + length
            if position >= answers or not authority:
                yield owner, number, group, 0 if ttl & _SIGN else ttl, length, cursor
            cursor.at = end


def _checked(found: dns.name.Name, where: str, kind: str, question: str) -> str:
    """Return a name as text, with Postfix's warnings about names that should not be in the DNS.  Raises _Bad."""
    if len(found) == 1 and where == _OWNER:
        return ""  # the root
    text = found.to_text(omit_final_dot=True) if len(found) > 1 else ""
    gripe = ""
    bad = False
    if is_hostaddr(text):
        gripe = "numeric domain name"
    elif complaint := hostname_complaint(text.removeprefix("*.")):
        log.warning(f"valid_hostname: {complaint}")
        gripe = "malformed domain name"
        bad = True
    if gripe:
        log.warning(f"{gripe} in {where} of {kind} record for {question}: {text[:_MOST_SHOWN]}")
    if bad:
        raise _Bad(Status.INVALID)
    return text


def _address(cursor: _Cursor, length: int, head: _Head) -> Record:
    family, size = (socket.AF_INET, 4) if head.kind == "A" else (socket.AF_INET6, 16)
    if length != size:
        log.warning(f"extract_answer: bad address length: {length}")
        raise _Bad(Status.RETRY)
    return AddressRecord(*head, socket.inet_ntop(family, cursor.take(size)))


def _host(cursor: _Cursor, _length: int, head: _Head) -> Record:
    return HostRecord(*head, _checked(cursor.name(), _DATA, head.kind, head.question))


def _mx(cursor: _Cursor, _length: int, head: _Head) -> Record:
    (preference,) = cursor.numbers("!H")
    host = cursor.name()
    if len(host) == 1:
        raise _Bad(Status.NULL_MX)
    return MxRecord(*head, preference, _checked(host, _DATA, head.kind, head.question))


def _srv(cursor: _Cursor, _length: int, head: _Head) -> Record:
    priority, weight, port = cursor.numbers("!HHH")
    host = cursor.name()
    if len(host) == 1:
        raise _Bad(Status.NULL_SRV)
    return SrvRecord(*head, priority, weight, port, _checked(host, _DATA, head.kind, head.question))


def _txt(cursor: _Cursor, length: int, head: _Head) -> Record:
    end = cursor.at + length
    content = b""
    while cursor.at < end:
        (size,) = cursor.numbers("!B")
        if cursor.at + size > end:
            log.warning(f"extract_answer: bad TXT string length: {size}")
            raise _Bad(Status.RETRY)
        content += cursor.take(size)
    return TextRecord(*head, "".join(chr(byte) if 0x20 <= byte < 0x7F else " " for byte in content))


def _tlsa(cursor: _Cursor, length: int, head: _Head) -> Record:
    if length < 3:
        raise _Bad(Status.RETRY)
    usage, selector, matching = cursor.numbers("!BBB")
    return TlsaRecord(*head, usage, selector, matching, cursor.take(length - 3))


def _soa(cursor: _Cursor, _length: int, head: _Head) -> SoaRecord:
    cursor.name()
    cursor.name()
    return SoaRecord(*head, *cursor.numbers("!IIIII"))


_CONVERTERS: Final[dict[str, Callable[[_Cursor, int, _Head], Record]]] = {
    "A": _address,
    "AAAA": _address,
    "CNAME": _host,
    "MX": _mx,
    "NS": _host,
    "PTR": _host,
    "SOA": _soa,
    "SRV": _srv,
    "TLSA": _tlsa,
    "TXT": _txt,
}
