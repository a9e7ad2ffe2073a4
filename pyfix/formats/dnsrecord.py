"""Resource records of the DNS, as far as mail needs them.

Source: RFC 1035 section 3; RFC 2782 (SRV); RFC 3596 (AAAA); RFC 6698 (TLSA); RFC 7505 (null MX); postconf(5)
smtpd_dns_reply_filter for the text form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

__all__ = [
    "AddressRecord",
    "HostRecord",
    "MxRecord",
    "Record",
    "SoaRecord",
    "SrvRecord",
    "TextRecord",
    "TlsaRecord",
    "records_of",
]


@dataclass(frozen=True, slots=True)
class Record:
    """What all records have; subclasses add the data of their types."""

    type: str
    """``MX``, ``A`` and so on, in upper case."""
    name: str
    """The owner of the record, which is at the end of the CNAME records."""
    question: str
    """The name that was asked for when this record came."""
    ttl: int
    """Seconds for which the record holds."""

    @property
    def text(self) -> str:
        """The record as one line, in the form that tables of smtp_dns_reply_filter see."""
        return f"{self.name}. {self.ttl} IN {self.type} {self._data()}"

    def _data(self) -> str:
        raise NotImplementedError  # each type has its own


@dataclass(frozen=True, slots=True)
class AddressRecord(Record):
    """A or AAAA."""

    address: str

    def _data(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class HostRecord(Record):
    """NS, PTR or CNAME: a record that is another name, without its last dot."""

    host: str

    def _data(self) -> str:
        return f"{self.host}."


@dataclass(frozen=True, slots=True)
class MxRecord(Record):
    """MX: a mail exchanger."""

    preference: int
    host: str

    def _data(self) -> str:
        return f"{self.preference} {self.host}."


@dataclass(frozen=True, slots=True)
class SrvRecord(Record):
    """SRV: where a service of a domain is."""

    priority: int
    weight: int
    port: int
    host: str

    def _data(self) -> str:
        return f"{self.priority} {self.weight} {self.port} {self.host}."


@dataclass(frozen=True, slots=True)
class TextRecord(Record):
    """TXT: its strings one after the other, with blanks for what can't be printed."""

    content: str

    def _data(self) -> str:
        return self.content


@dataclass(frozen=True, slots=True)
class TlsaRecord(Record):
    """TLSA: what the certificate of a server must be."""

    usage: int
    selector: int
    matching: int
    association: bytes

    def _data(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.association.hex().upper()}"


@dataclass(frozen=True, slots=True)
class SoaRecord(Record):
    """SOA: the times of a zone, in seconds."""

    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int

    def _data(self) -> str:
        return f"- - {self.serial} {self.refresh} {self.retry} {self.expire} {self.minimum}"


_R = TypeVar("_R", bound=Record)


def records_of(kind: type[_R], records: tuple[Record, ...]) -> list[_R]:
    """Return those of *records* that are of one kind, in their order."""
    return [record for record in records if isinstance(record, kind)]
