"""The DNS, asked from the event loop: nothing here blocks, and any number of questions may be under way.

    dns = Dns(probe=settings.dnssec_probe, reply_filter=ReplyFilterTables("smtp_dns_reply_filter", ...))
    answer = await dns.query("example.com", "MX")
    if answer.status is Status.OK:
        for record in records_of(MxRecord, answer.records):
            addresses = await dns.lookup(record.host, ("A", "AAAA"))
    elif answer.status is Status.RETRY:
        defer("4.4.3", answer.reason)

``query`` asks for one type and follows CNAME records; ``lookup`` asks for several types and puts the answers together.
Both always return an Answer: what went wrong is its status, ``reason`` is what Postfix logs and replies about it
(``Host or domain name not found. Name service error for name=example.com type=MX: Host not found, try again``), and
``error`` is the last part of that.  Names must be in their ASCII form.  With ``dnssec=True`` the answer tells whether
the resolver has validated it.  Nothing is remembered: that is the resolver's work.

``lookup`` and ``Answer`` treat ``no such name`` (NOT_FOUND) and ``no such record`` (NO_DATA) as two; where Postfix
makes no difference, ask ``answer.absent``.

Source: Postfix's behaviour with the C library's resolver; RFC 1035, RFC 6891 (EDNS), RFC 4035 section 3.2.3 (AD).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple, Protocol

from pyfix.config.errors import ConfigError
from pyfix.formats.dnsrecord import Record, SoaRecord
from pyfix.formats.domain import is_hostaddr, is_hostname
from pyfix.runtime.dnsexchange import ask_servers
from pyfix.runtime.log import log
from pyfix.runtime.resolvconf import ResolvConf, ResolverConfiguration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyfix.runtime.dnsmessage import Reply

__all__ = ["Answer", "Dns", "ReplyFilter", "Status"]

_MOST_ALIASES: Final = 10
NUMBERS: Final = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "TLSA": 52,
}  # fmt: skip
"""The types of records that can be asked for."""
_RECURSION_DESIRED: Final = 0x0100
_AUTHENTIC: Final = 0x0020
_DNSSEC_OK: Final = 0x8000
_EDNS_SIZE: Final = 1232
_OPT: Final = 41
_FORMAT_ERROR: Final = 1
_NO_SUCH_NAME: Final = 3

_HOST_NOT_FOUND: Final = "Host not found"
_TRY_AGAIN: Final = "Host not found, try again"
_NO_RECOVERY: Final = "Non-recoverable error"
_NO_ERROR: Final = "Unknown error 0"
"""The name servers have answered; what is wrong is the answer."""
_NO_RECORD: Final = "Host found but no data record of requested type"


class Status(Enum):
    """How a question ended."""

    OK = "ok"
    NOT_FOUND = "not_found"
    """There is no such name, or it is none that the DNS could have."""
    NO_DATA = "no_data"
    """The name has no record of this type."""
    NULL_MX = "null_mx"
    """The domain says that it accepts no mail."""
    NULL_SRV = "null_srv"
    """The domain says that it does not have this service."""
    RETRY = "retry"
    """No server had an answer; it may have one later."""
    FAIL = "fail"
    """The servers refuse the question."""
    INVALID = "invalid"
    """The records have malformed names in them."""
    POLICY = "policy"
    """The reply filter has left nothing of the answer."""


_STATUS: Final = {
    _HOST_NOT_FOUND: Status.NOT_FOUND,
    _NO_RECORD: Status.NO_DATA,
    _NO_RECOVERY: Status.FAIL,
    _TRY_AGAIN: Status.RETRY,
}


_HOPE: Final = {
    Status.NOT_FOUND: 0, Status.NO_DATA: 0, Status.NULL_MX: 1, Status.NULL_SRV: 1, Status.FAIL: 2, Status.INVALID: 3,
    Status.RETRY: 4, Status.POLICY: 5,
}  # fmt: skip
"""Of answers without records for several types, which one counts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the DNS says about a name."""

    status: Status
    name: str
    """The name that was asked for, or what it is an alias of."""
    records: tuple[Record, ...] = ()
    reason: str = ""
    """Why there is no answer, as a sentence for the log and for replies."""
    error: str = ""
    """Why there is no answer, in the C library's few words."""
    validated: bool = False
    """The resolver vouches for all of the answer by DNSSEC; asked for by ``dnssec=True``."""
    validated_types: frozenset[str] = frozenset()
    """Of an answer for several types, those that the resolver vouches for."""
    negative: tuple[SoaRecord, ...] = ()
    """With a negative answer: the zone's own record, which says for how long it holds (RFC 2308)."""

    @property
    def absent(self) -> bool:
        """Whether there is surely no such record."""
        return self.status in (Status.NOT_FOUND, Status.NO_DATA)


class ReplyFilter(Protocol):
    """What smtpd_dns_reply_filter and its like say about records."""

    async def keep(self, records: Sequence[Record]) -> tuple[Record, ...] | None:
        """Return the records that may stay, or None when that can't be known."""
        ...


class _Raw(NamedTuple):
    """What came of one question for one name."""

    error: str
    """Empty when there are records."""
    reply: Reply | None


class Dns:
    """A client of the name servers that resolv.conf names."""

    def __init__(
        self,
        *,
        reply_filter: ReplyFilter | None = None,
        probe: str = "",
        default_domain: bool = False,
        search_domains: bool = False,
        configuration: Callable[[], ResolverConfiguration] | None = None,
    ) -> None:
        """*probe*: ``type:name`` that shows whether the resolver validates at all (postconf(5) dnssec_probe).

        *default_domain*, *search_domains*: look for names without a dot, and for others, in the domains of
        resolv.conf too (RES_DEFNAMES and RES_DNSRCH of smtp_dns_resolver_options).  *configuration*: where to ask,
        if it is not what resolv.conf says at that time.  Raises ConfigError.
        """
        self._filter = reply_filter
        self._probe = probe
        kind, separator, name = probe.partition(":")
        if probe and (kind.upper() not in NUMBERS or not separator or not name):
            raise ConfigError(f"malformed dnssec_probe value: {probe} format is qtype:qname")
        self._default_domain = default_domain
        self._search_domains = search_domains
        self._configuration = configuration or ResolvConf()
        self._first = 0
        self._probed = not probe
        self._validates = False

    # Questions

    async def lookup(
        self, name: str, types: Sequence[str], *, stop_at: Collection[Status] = (), dnssec: bool = False
    ) -> Answer:
        """Ask for each of *types* in turn, up to the first whose status is in *stop_at*; put the answers together.

        With any records the answer is OK; else it is the one that leaves most hope, of several the last.
        """
        found: list[Answer] = []
        best = Answer(Status.NOT_FOUND, name)
        for kind in types:
            answer = await self.query(name, kind, dnssec=dnssec)
            if answer.status is Status.OK:
                found.append(answer)
            elif _HOPE[answer.status] >= _HOPE[best.status]:
                best = answer
            if answer.status in stop_at:
                break
        if found:
            records = tuple(record for answer in found for record in answer.records)
            vouched = frozenset(answer.records[0].type for answer in found if answer.validated and answer.records)
            return replace(
                found[0], records=records, validated=all(answer.validated for answer in found), validated_types=vouched
            )
        return best

    async def query(self, name: str, kind: str, *, dnssec: bool = False) -> Answer:
        """Ask for the records of one type: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TLSA or TXT."""
        if (name != "." and not (name.isascii() and is_hostname(name))) or is_hostaddr(name):
            reason = f"Name service error for {name}: invalid host or domain name"
            return Answer(Status.NOT_FOUND, name, reason=reason, error=_HOST_NOT_FOUND)
        answer = await self._follow(name, kind, dnssec)
        if dnssec and not self._probed and not self._validates:
            await self._ask_probe()
        return answer

    async def _follow(self, name: str, kind: str, dnssec: bool) -> Answer:
        """Ask, and go on with the name that the first one is an alias of."""
        validated = dnssec
        first = name
        for _ in range(_MOST_ALIASES):
            error, reply = await self._ask(name, kind, dnssec)
            if dnssec and reply is not None and reply.validated:
                self._validates = True
            if error:
                reason = f"Host or domain name not found. Name service error for name={name} type={kind}: {error}"
                negative = reply.zone(name) if reply is not None else ()
                return Answer(_STATUS[error], name, reason=reason, error=error, negative=negative)
            assert reply is not None
            validated = validated and reply.validated
            extract = reply.extract(name, kind)
            if extract.status is Status.OK:
                return await self._filtered(Answer(Status.OK, name, extract.records, validated=validated), kind)
            if extract.alias:
                name = extract.alias
                continue
            return _useless(extract.status, name, kind)
        log.warning(f"dns_lookup: Name server loop for {first}")
        return Answer(Status.NOT_FOUND, name, reason=f"Name server loop for {first}", error=_NO_ERROR)

    async def _filtered(self, answer: Answer, kind: str) -> Answer:
        if self._filter is None:
            return answer
        kept = await self._filter.keep(answer.records)
        if kept:
            return replace(answer, records=kept)
        if kept is None:
            problem, status, error = "Invalid DNS reply filter syntax", Status.RETRY, _NO_ERROR
        else:
            problem, status, error = "DNS reply filter drops all results", Status.POLICY, "DNS reply filter policy"
        reason = f"Error looking up name={answer.name} type={kind}: {problem}"
        return Answer(status, answer.name, reason=reason, error=error)

    async def _ask_probe(self) -> None:
        """Find out whether the resolver validates anything, and say so when it does not: once."""
        self._probed = True
        kind, _, name = self._probe.partition(":")
        answer = await self._follow(name, kind.upper(), dnssec=True)
        if self._validates:
            return
        log.warning("DNSSEC validation may be unavailable")
        if answer.status in (Status.RETRY, Status.FAIL):
            log.warning(f"reason: dnssec_probe '{self._probe}' received no response: {answer.error}")
        else:
            log.warning(f"reason: dnssec_probe '{self._probe}' received a response that is not DNSSEC validated")

    # Where a name may be

    async def _ask(self, name: str, kind: str, dnssec: bool) -> _Raw:
        """Ask for a name, and for what it may stand for by the rules of the search list."""
        configuration = self._configuration()
        dots = name.count(".")
        as_it_is: _Raw | None = None
        if dots >= configuration.ndots or name == ".":
            as_it_is = await self._exchange(configuration, name, kind, dnssec)
            if not as_it_is.error:
                return as_it_is
        no_record: _Raw | None = None
        no_answer: _Raw | None = None
        domains = configuration.search if (self._search_domains if dots else self._default_domain) else ()
        if not self._search_domains:
            domains = domains[:1]
        for domain in domains:
            if not is_hostname(f"{name}.{domain}"):
                continue  # too long
            raw = await self._exchange(configuration, f"{name}.{domain}", kind, dnssec)
            if not raw.error:
                return raw
            if raw.error == _NO_RECORD:
                no_record = raw
            elif raw.error == _TRY_AGAIN:
                no_answer = raw
            elif raw.error != _HOST_NOT_FOUND:
                break
        if as_it_is is None:
            as_it_is = await self._exchange(configuration, name, kind, dnssec)
            if not as_it_is.error:
                return as_it_is
            if domains and as_it_is.error == _TRY_AGAIN:
                no_answer = as_it_is
            return no_record or no_answer or as_it_is
        return as_it_is if as_it_is.error != _HOST_NOT_FOUND else (no_record or no_answer or as_it_is)

    # One question

    async def _exchange(self, configuration: ResolverConfiguration, name: str, kind: str, dnssec: bool) -> _Raw:
        from pyfix.runtime.dnsmessage import Reply

        if configuration.rotate:
            self._first += 1
        edns = dnssec or configuration.edns
        question = _question(name, kind)
        data = await ask_servers(_query(question, edns, dnssec), question, configuration, self._first)
        if data is not None and edns and data[3] & 0x0F == _FORMAT_ERROR:
            # A server that does not know EDNS; it can't validate either.
            data = await ask_servers(_query(question, False, False), question, configuration, self._first)
        if data is None:
            return _Raw(_TRY_AGAIN, None)
        rcode, answers = data[3] & 0x0F, int.from_bytes(data[6:8], "big")
        reply = Reply(data, dnssec=dnssec)
        if rcode == _NO_SUCH_NAME:
            return _Raw(_HOST_NOT_FOUND, reply)
        if rcode:
            return _Raw(_NO_RECOVERY, None)
        return _Raw("" if answers else _NO_RECORD, reply)


def _useless(status: Status, name: str, kind: str) -> Answer:
    """Return the answer for a message that has not got what was asked for."""
    if status is Status.NULL_MX:
        reason = f"Domain {name} does not accept mail (nullMX)"
        return Answer(status, name, reason=reason, error=_NO_RECORD)
    if status is Status.NULL_SRV:
        reason = f"Domain {name} does not support SRV requests"
        return Answer(status, name, reason=reason, error=_NO_RECORD)
    reason = f"Name service error for name={name} type={kind}: Malformed or unexpected name server reply"
    return Answer(status, name, reason=reason, error=_NO_ERROR)


def _question(name: str, kind: str) -> bytes:
    labels = [] if name == "." else name.encode("ascii").split(b".")
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return encoded + struct.pack("!HH", NUMBERS[kind], 1)


def _query(question: bytes, edns: bool, dnssec: bool) -> bytes:
    flags = _RECURSION_DESIRED | (_AUTHENTIC if dnssec else 0)
    header = struct.pack("!HHHHHH", int.from_bytes(os.urandom(2)), flags, 1, 0, 0, int(edns))
    if not edns:
        return header + question
    options = struct.pack("!BHHBBHH", 0, _OPT, _EDNS_SIZE, 0, 0, _DNSSEC_OK if dnssec else 0, 0)
    return header + question + options
