"""The addresses of hosts, by the DNS, by the system's own names, or as they are written.

Source: postconf(5) smtp_host_lookup, smtp_dns_support_level, smtp_dns_reply_filter, inet_protocols.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pyfix.daemons.smtp.failure import Failure
from pyfix.daemons.smtp.server import Vouched
from pyfix.formats.dnsrecord import AddressRecord, records_of
from pyfix.formats.domain import is_hostaddr
from pyfix.runtime.dns import Answer, Dns, Status
from pyfix.runtime.log import log
from pyfix.runtime.threads import in_thread

_IPV6_TAG: Final = "ipv6:"
_WAITS: Final = (socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM)
_NO_HOST: Final = (socket.EAI_AGAIN, socket.EAI_NONAME)
_STATUSES: Final = {
    Status.FAIL: "x.4.3", Status.INVALID: "x.4.4", Status.NOT_FOUND: "x.4.4", Status.NO_DATA: "x.4.4",
    Status.POLICY: "4.7.0",
}  # fmt: skip
"""Codes of failed lookups; an x is 5, or 4 where an earlier problem was temporary."""


@dataclass
class Found:
    """What several lookups for one destination have found, and what went wrong."""

    failure: Failure | None = None

    def fail(self, status: str, reason: str) -> None:
        """Remember a failure; one that may be over later dominates those after it."""
        soft = self.failure is not None and self.failure.soft
        self.failure = Failure(status.replace("x", "4" if soft else "5"), reason)


class Hosts:
    """Finds the addresses of hosts."""

    def __init__(self, dns: Dns | None, *, native: bool, ipv4: bool, ipv6: bool, dnssec: bool = False) -> None:
        """*dns*: None where the DNS is not to be asked; *native*: the C library is asked.

        *dnssec*: ask for what the resolver vouches for.
        """
        self._dnssec: Final = dnssec
        self._dns: Final = dns
        self._native: Final = native
        kinds = [("A", ipv4, socket.AF_INET), ("AAAA", ipv6, socket.AF_INET6)]
        self._types: Final = [kind for kind, enabled, _ in kinds if enabled]
        self._families: Final = [int(family) for _, enabled, family in kinds if enabled]

    def is_enabled(self, address: str) -> bool:
        """Say whether inet_protocols has the protocol of a numerical address."""
        return int(socket.AF_INET6 if ":" in address else socket.AF_INET) in self._families

    async def addresses(self, host: str, found: Found) -> list[tuple[str, Vouched]]:
        """Return the addresses of *host*, a name in ASCII or an address; what is wrong goes to *found*."""
        literal = numerical(host)
        if literal and self.is_enabled(literal):
            return [(literal, Vouched())]
        if self._dns is not None:
            answer = await self._dns.lookup(host, self._types, dnssec=self._dnssec)
            if answer.status is Status.OK:
                return [
                    (record.address, Vouched(record.type in answer.validated_types, (host, record.name)))
                    for record in records_of(AddressRecord, answer.records)
                ]
            self._note(answer, found)
            if not answer.absent:
                return []
        if self._native:
            return [(address, Vouched()) for address in await self._ask_system(host, found)]
        return []

    @staticmethod
    def _note(answer: Answer, found: Found) -> None:
        found.fail(_STATUSES.get(answer.status, "4.4.3"), answer.reason)

    async def _ask_system(self, host: str, found: Found) -> list[str]:
        answer = await in_thread(_native, host, self._families)
        if isinstance(answer, _Problem):
            soft = (found.failure is not None and found.failure.soft) or answer.code in _WAITS
            detail = "4.4" if answer.code in _NO_HOST else "3.0"
            reason = f"unable to look up host {host}: {answer.text}"
            found.failure = Failure(f"{'4' if soft else '5'}.{detail}", reason)
            return []
        usable = []
        for family, address in answer:
            if family in self._families:
                usable.append(address)
            else:
                log.info(f"skipping address family {family} for host {host}")
        if not usable:
            found.fail("x.4.4", f"{host}: host not found")
        return usable


@dataclass(frozen=True)
class _Problem:
    """What the C library says instead of addresses."""

    code: int
    text: str


def numerical(host: str) -> str:
    """Return the address that *host* is; empty when it is a name."""
    text = host[len(_IPV6_TAG) :] if host[: len(_IPV6_TAG)].lower() == _IPV6_TAG else host
    return text if is_hostaddr(text) else ""


def _native(host: str, families: Iterable[int]) -> list[tuple[int, str]] | _Problem:
    """Ask the C library, which knows /etc/hosts and more.  To be called in a thread."""
    wanted = list(families)
    try:
        found = socket.getaddrinfo(host, None, wanted[0] if len(wanted) == 1 else 0, socket.SOCK_STREAM)
    except socket.gaierror as error:
        return _Problem(error.errno or 0, error.strerror or str(error))
    except (OSError, UnicodeError):
        return _Problem(int(socket.EAI_NONAME), "Name or service not known")
    return list(dict.fromkeys((int(entry[0]), str(entry[4][0])) for entry in found))
