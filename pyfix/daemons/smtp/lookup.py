"""From destinations to servers: MX and SRV records, loops to ourselves, the order of trying.

Source: RFC 5321 section 5, RFC 7505 (null MX), RFC 2782 (SRV); postconf(5) ignore_mx_lookup_error,
smtp_defer_if_no_mx_address_found, use_srv_lookup, allow_srv_lookup_fallback, ignore_srv_lookup_error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pyfix.config.own_networks import own_addresses, proxy_addresses
from pyfix.daemons.smtp.destination import Destination
from pyfix.daemons.smtp.failure import Failure
from pyfix.daemons.smtp.hosts import Found, Hosts, numerical
from pyfix.daemons.smtp.order import Order
from pyfix.daemons.smtp.server import Server, Vouched
from pyfix.daemons.smtp.setup import Setup
from pyfix.formats.dnsrecord import MxRecord, SrvRecord, records_of
from pyfix.formats.domain import domain_to_ascii
from pyfix.runtime.dns import Answer, Dns, Status
from pyfix.runtime.log import log
from pyfix.tables.replyfilter import reply_filter

_SMTP_PORT: Final = 25
_STATUSES: Final = {
    Status.INVALID: "5.4.4", Status.NULL_MX: "5.1.0", Status.NULL_SRV: "5.1.0", Status.POLICY: "4.7.0",
    Status.FAIL: "5.4.3", Status.NOT_FOUND: "5.4.4", Status.NO_DATA: "5.4.4",
}  # fmt: skip
_IGNORABLE: Final = (Status.RETRY, Status.INVALID, Status.FAIL)
"""Failures after which the domain itself may be tried as a host."""


class Lookup:
    """Finds the servers of destinations."""

    def __init__(self, setup: Setup) -> None:
        """Raises ConfigError."""
        settings = self._settings = setup.settings
        self._setup: Final = setup
        self._dns: Final = None if setup.dns_support == "disabled" else self._client()
        self._dnssec: Final = setup.dns_support == "dnssec"
        self._hosts: Final = Hosts(
            self._dns if "dns" in setup.host_lookup else None,
            native="native" in setup.host_lookup,
            ipv4=setup.ipv4,
            ipv6=setup.ipv6,
            dnssec=self._dnssec,
        )
        if self._dnssec and self._dns is not None and "dns" in setup.host_lookup:
            setup.encryption.use_dns(self._dns)
        self._order: Final = Order(
            shuffled=settings.smtp_randomize_addresses,
            preferred=settings.smtp_address_preference.lower(),
            balanced=settings.smtp_balance_inet_protocols,
            limit=settings.smtp_mx_address_limit,
        )
        snapshot = settings.snapshot
        self._own: Final = frozenset([*(own.address for own in own_addresses(snapshot)), *proxy_addresses(snapshot)])
        self._srv_services: Final = frozenset(word.lower() for word in settings.use_srv_lookup)

    def _client(self) -> Dns:
        settings, setup = self._settings, self._setup
        options = {word.lower() for word in settings.smtp_dns_resolver_options}
        return Dns(
            reply_filter=reply_filter(
                f"{setup.prefix}_dns_reply_filter", settings.smtp_dns_reply_filter, settings.snapshot
            ),
            probe=settings.dnssec_probe,
            default_domain="res_defnames" in options,
            search_domains="res_dnsrch" in options,
        )

    async def servers(self, destination: Destination) -> list[Server] | Failure:
        """Return the servers of a destination in the order of trying, or why there are none."""
        host = destination.host
        if not host.isascii():
            host = domain_to_ascii(host) or host
        if self._dns is None or destination.is_host:
            return await self._host(destination, host)
        if destination.service.lower() in self._srv_services:
            return await self._services(destination, host)
        return await self._domain(destination, host)

    # A host

    async def _host(self, destination: Destination, host: str) -> list[Server] | Failure:
        """Return the addresses of one host."""
        found = Found()
        addresses = await self._hosts.addresses(host, found)
        if not addresses:
            return found.failure or Failure("4.3.0", f"{host}: host not found")
        literal = numerical(host)
        servers = [
            Server(
                destination.text, literal or self._name(host, vouched), address, destination.port, vouched=vouched
            )
            for address, vouched in addresses
        ]
        if self._detects_loops(destination) and self._place_of_us(servers) is not None:
            return Failure("5.4.6", f"mail for {host} loops back to myself")
        return _with_best(self._order.arrange(servers), loops=self._detects_loops(destination))

    def _name(self, host: str, vouched: Vouched) -> str:
        """Return what a host is called from now on: as it was asked for, or as its aliases end.

        Source: postconf(5) smtp_cname_overrides_servername.
        """
        end = vouched.names[1]
        return end if end and self._settings.smtp_cname_overrides_servername else host

    # A domain

    async def _domain(self, destination: Destination, domain: str) -> list[Server] | Failure:
        """Return the MX hosts of a domain, or the domain itself where it has none; LMTP knows no MX records."""
        if self._setup.lmtp:
            return await self._host(destination, domain)
        assert self._dns is not None  # who is asked for domains has a DNS
        answer = await self._dns.query(domain, "MX", dnssec=self._dnssec)
        if answer.status is not Status.OK:
            tolerated = answer.status in _IGNORABLE and self._settings.ignore_mx_lookup_error
            if answer.absent or tolerated:
                return await self._host(destination, domain)
            return _failure(answer)
        exchanges = sorted(records_of(MxRecord, answer.records), key=lambda record: record.preference)
        servers, found = await self._all(
            destination, [(record.host, record.preference, destination.port) for record in exchanges]
        )
        servers = _found_by(answer, domain, servers)
        if not servers:
            log.warning(f"no MX host for {domain} has a valid address record")
            failure = found.failure or Failure("4.4.4", f"no MX host for {domain} has a valid address record")
            if self._settings.smtp_defer_if_no_mx_address_found and not failure.soft:
                failure = failure._replace(status=f"4{failure.status[1:]}")
            return failure
        loops = self._detects_loops(destination)
        if loops:
            self_at = self._place_of_us(servers)
            if self_at is not None:
                best_found = servers[0].preference
                servers = [server for server in servers if server.preference < self_at]
                if not servers:
                    if exchanges[0].preference != best_found:
                        return Failure("4.4.4", f"unable to find primary relay for {domain}")
                    return Failure("5.4.6", f"mail for {domain} loops back to myself")
        return _with_best(self._order.arrange(servers), loops=loops)

    async def _all(
        self, destination: Destination, targets: Iterable[tuple[str, int, int]]
    ) -> tuple[list[Server], Found]:
        """Return the addresses of hosts with a preference and a port each."""
        found = Found()
        servers: list[Server] = []
        for host, preference, port in targets:
            addresses = await self._hosts.addresses(host, found)
            servers += [
                Server(destination.text, self._name(host, vouched), address, port, preference, vouched=vouched)
                for address, vouched in addresses
            ]
        return servers, found

    # A service

    async def _services(self, destination: Destination, domain: str) -> list[Server] | Failure:
        """Return what the SRV records of a domain name."""
        assert self._dns is not None  # who is asked for services has a DNS
        name = f"_{destination.service}._tcp.{domain}"
        answer = await self._dns.query(name, "SRV", dnssec=self._dnssec)
        if answer.status is not Status.OK:
            failed = answer.status in _IGNORABLE
            fallback, ignore = self._settings.allow_srv_lookup_fallback, self._settings.ignore_srv_lookup_error
            if (fallback and (answer.absent or failed)) or (ignore and failed):
                log.info(f"skipping SRV lookup for {name}: {answer.reason}")
                return await self._domain(destination, domain)
            return _failure(answer)
        targets = sorted(records_of(SrvRecord, answer.records), key=lambda record: record.priority)
        servers, found = await self._all(
            destination, [(record.host, record.priority, record.port) for record in targets]
        )
        servers = _found_by(answer, name, servers)
        if not servers:
            log.warning(f"no SRV host for {name} has a valid address record")
            return found.failure or Failure("4.4.4", f"no SRV host for {name} has a valid address record")
        return _with_best(self._order.arrange(servers), loops=False)

    # Ourselves

    def _detects_loops(self, destination: Destination) -> bool:
        return destination.port == _SMTP_PORT and not self._setup.lmtp

    def _place_of_us(self, servers: Sequence[Server]) -> int | None:
        """Return the preference with which a list has one of our addresses, or that of our proxy."""
        return next((server.preference for server in servers if server.address in self._own), None)


def _found_by(answer: Answer, domain: str, servers: Iterable[Server]) -> list[Server]:
    """Note by which records, vouched for or not, servers were found."""
    domains = tuple(dict.fromkeys((answer.name, domain)))
    return [
        server._replace(vouched=server.vouched._replace(exchange=answer.validated, domains=domains))
        for server in servers
    ]


def _failure(answer: Answer) -> Failure:
    return Failure(_STATUSES.get(answer.status, "4.4.3"), answer.reason)


def _with_best(servers: Sequence[Server], *, loops: bool) -> list[Server]:
    """Note which servers have the best preference, if that matters for the finding of loops."""
    if not loops:
        return list(servers)
    best = servers[0].preference
    return [server._replace(best=server.preference == best) for server in servers]
