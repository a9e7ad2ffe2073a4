"""The levels dane and dane-only: what DNSSEC says of a server, and what follows for its sessions.

Source: RFC 7672; TLS_README "DANE TLS authentication"; postconf(5) smtp_tls_security_level,
smtp_tls_dane_insecure_mx_policy, smtp_tls_force_insecure_host_tlsa_lookup.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.daemons.smtp.failure import Failure
from pyfix.daemons.smtp.server import Server, Vouched
from pyfix.formats.dnsrecord import TlsaRecord, records_of
from pyfix.runtime.dns import Dns, Status
from pyfix.runtime.log import log
from pyfix.tls.policy import BadPolicy, ClientPolicy

__all__ = ["Dane"]


class Dane:
    """Finds out what a destination with one of these levels gets."""

    def __init__(
        self, settings: SmtpClientSettings, usual: Callable[[str], ClientPolicy], *, prefix: str, dnssec: bool
    ) -> None:
        """*usual* gives the policy of a level that says nothing else.  *dnssec*: smtp_dns_support_level."""
        self._settings: Final = settings
        self._usual: Final = usual
        self._lmtp: Final = prefix == "lmtp"
        self._dnssec: Final = dnssec
        self._dns: Dns | None = None

    def ask(self, dns: Dns) -> None:
        """Look for TLSA records with a client of a resolver that is to validate what it says.  Raises ConfigError."""
        value = self._settings.smtp_tls_dane_insecure_mx_policy
        if value.lower() not in ("dane", "encrypt", "may"):
            raise ConfigError(f'invalid smtp_tls_dane_insecure_mx_policy: "{value}"')
        self._dns = dns

    async def resolve(self, policy: ClientPolicy, server: Server) -> ClientPolicy | Failure:
        """Return what is to be done with a server, or why mail has to wait.  Raises BadPolicy."""
        settings, vouched = self._settings, server.vouched
        if not server.port:
            raise BadPolicy(
                f'{server.destination}: the "dane" security level is invalid for delivery via unix-domain sockets'
            )
        if problem := self._configuration_problem(policy, server):
            if policy.level == "dane-only":
                raise BadPolicy(problem)
            log.warning(problem)
            return self._lowered(policy, "may")
        insecure = vouched.exchange is False
        allowed = "dane" if self._lmtp else settings.smtp_tls_dane_insecure_mx_policy.lower()
        if insecure and (policy.level == "dane-only" or allowed == "may"):
            return self._without(policy, "may", "non DNSSEC destination")
        found = await self._records(server)
        if isinstance(found, Failure):
            return found
        name, records = found
        if not records:
            return self._without(policy, "may", "no TLSA records found")
        from pyfix.tls.dane import proof_of

        proof = proof_of(records, base_domain=name, names=vouched.domains, warn=log.warning)
        if proof is None:
            return self._without(policy, "encrypt", "TLSA records unusable")
        if insecure and allowed == "encrypt":
            return self._without(policy, "encrypt", "Verification not possible, MX RRset is insecure")
        return replace(policy, level="halfdane" if insecure else policy.level, proof=proof)

    def _configuration_problem(self, policy: ClientPolicy, server: Server) -> str:
        settings = self._settings
        if self._dns is None or not self._dnssec or "dns" not in {word.lower() for word in settings.smtp_host_lookup}:
            return f"{server.destination}: {policy.level} configured with dnssec lookups disabled"
        if not self._lmtp and settings.ignore_mx_lookup_error:
            return f"{server.destination}: {policy.level} configured with MX lookup errors ignored"
        if {word.lower() for word in settings.smtp_dns_resolver_options} & {"res_defnames", "res_dnsrch"}:
            return f"{server.destination}: dns resolver options incompatible with {policy.level} TLS"
        return ""

    def _without(self, policy: ClientPolicy, level: str, reason: str) -> ClientPolicy | Failure:
        """Do without proof, at another level, if that is allowed."""
        return Failure("4.7.5", reason) if policy.level == "dane-only" else self._lowered(policy, level)

    def _lowered(self, policy: ClientPolicy, level: str) -> ClientPolicy:
        """Return the policy at another level, with what it says itself."""
        before, usual = self._usual(policy.level), self._usual(level)
        return replace(
            policy,
            level=level,
            protocols=usual.protocols if policy.protocols == before.protocols else policy.protocols,
            grade=usual.grade if policy.grade == before.grade else policy.grade,
            exclusions=usual.exclusions if policy.exclusions == before.exclusions else policy.exclusions,
        )

    async def _records(self, server: Server) -> tuple[str, tuple[TlsaRecord, ...]] | Failure:
        """Return the TLSA records of a server that DNSSEC vouches for, and the name that they are below."""
        failure = Failure("4.7.5", f"TLSA lookup error for {server.host}:{server.port}")
        first, last = server.vouched.names
        aliased = first.lower() != last.lower()
        if not server.vouched.host and not self._settings.smtp_tls_force_insecure_host_tlsa_lookup:
            told = await self._alias_is_vouched(server.vouched) if aliased else False
            if told is None:
                return failure
            if not told:
                return first, ()
        for name in (last, first) if aliased and server.vouched.host else (first,):
            records = await self._ask(name, server.port)
            if records is None:
                return failure
            if records:
                return name, records
        return first, ()

    async def _alias_is_vouched(self, vouched: Vouched) -> bool | None:
        """Tell whether the alias itself is in a signed zone, though what it stands for is not; None: nobody knows."""
        assert self._dns is not None
        answer = await self._dns.query(vouched.names[0], "CNAME", dnssec=True)
        if answer.status is Status.OK or answer.absent:
            return answer.validated
        log.warning(f"DNSSEC status lookup error for {vouched.names[0]}: {answer.reason}")
        return None

    async def _ask(self, name: str, port: int) -> tuple[TlsaRecord, ...] | None:
        """Return the records of one name, none where they are not vouched for; None: nobody knows."""
        assert self._dns is not None
        for _ in range(2):  # a failure is nothing to be remembered: the same question again
            answer = await self._dns.query(f"_{port}._tcp.{name}", "TLSA", dnssec=True)
            if answer.status is Status.OK:
                return tuple(records_of(TlsaRecord, answer.records)) if answer.validated else ()
            if answer.absent:
                return ()
            log.warning(f"DANE TLSA lookup problem: {answer.reason}")
        return None
