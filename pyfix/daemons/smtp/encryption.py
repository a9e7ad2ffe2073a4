"""TLS with the servers of each destination: what it needs, and how it begins.

Source: RFC 3207; TLS_README "SMTP Client specific settings"; postconf(5) smtp_tls_security_level, smtp_tls_policy_maps,
smtp_tls_per_site, smtp_tls_wrappermode, smtp_tls_note_starttls_offer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from pyfix.config.compatibility import is_old_default, old_default_text
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.daemons.smtp.dane import Dane
from pyfix.daemons.smtp.destination import parse_destination
from pyfix.daemons.smtp.failure import UNREACHABLE, Failure, refusal
from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.session import ServerLost, Session
from pyfix.formats.domain import is_hostaddr, is_hostname
from pyfix.runtime.dns import Dns
from pyfix.runtime.libssl import NoLibrary
from pyfix.runtime.log import log
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError
from pyfix.tls.policy import BadPolicy, ClientPolicy, parse_policy, stronger_site

if TYPE_CHECKING:
    from pyfix.tls.client import ClientTls

__all__ = ["HANDSHAKE_FAILED", "Encryption", "Unusable"]

HANDSHAKE_FAILED: Final = Failure("4.7.5", "Cannot start TLS: handshake failure")
_FINGERPRINT: Final = re.compile(r"(?:[0-9A-Fa-f]{2}:?)*[0-9A-Fa-f]{2}")
_SHOWN: Final = 384
"""Characters of a malformed fingerprint that the log shows."""
_PROBLEM: Final = Failure("4.7.5", "client TLS configuration problem")


class Unusable(NamedTuple):
    """Why a server can't be used, before anybody has connected to it."""

    failure: Failure
    tls: str = "unknown?"
    """What the log says of TLS."""


def _bad(error: BadPolicy, server: Server) -> Unusable:
    log.warning(str(error))
    log.warning(f"TLS policy lookup for {server.destination}/{server.host}: {_PROBLEM.reason}")
    return Unusable(_PROBLEM)


class Encryption:
    """What one process does about TLS; OpenSSL comes in only where it may be needed."""

    def __init__(
        self, settings: SmtpClientSettings, *, prefix: str, level: str, dnssec: bool, service: str
    ) -> None:
        """*service*: our name in master.cf.  *prefix*: ``smtp`` or ``lmtp``.  *level*: where nothing else is said.

        *dnssec*: smtp_dns_support_level.
        """
        self._settings: Final = settings
        self._prefix: Final = prefix
        self._level: Final = level
        self._dane: Final = Dane(settings, self._usual, prefix=prefix, dnssec=dnssec)
        self._service: Final = service
        self._old_digest: Final = is_old_default(settings.snapshot, f"{prefix}_tls_fingerprint_digest", "3.6")
        self._tls: ClientTls | None = None
        self._policy_maps = self._site_maps = Maps("", "", settings.snapshot)

    def open(self) -> None:
        """Open tables, and read keys, with the rights for that."""
        settings = self._settings
        if self._prefix == "smtp" and is_old_default(settings.snapshot, "smtp_tls_security_level", "3.11"):
            log.info(old_default_text("smtp_tls_security_level=(empty)"))
        self._policy_maps = Maps(f"{self._prefix}_tls_policy_maps", settings.smtp_tls_policy_maps, settings.snapshot)
        self._site_maps = Maps(f"{self._prefix}_tls_per_site", settings.smtp_tls_per_site, settings.snapshot)
        if self._level == "none" and not self._policy_maps and not self._site_maps:
            return
        from pyfix.clients.tlsmgr import TlsManager

        try:
            from pyfix.tls.client import open_client
        except NoLibrary as error:
            log.warning(f"{error}: disabling TLS support")
            return

        loglevel = settings.lmtp_tls_loglevel if self._prefix == "lmtp" else settings.smtp_tls_loglevel
        manager = TlsManager(
            settings.tlsmgr_service_name, self._prefix,
            timeout=settings.ipc_timeout, idle=settings.ipc_idle, ttl=settings.ipc_ttl,
        )  # fmt: skip
        self._tls = open_client(settings, settings, level=loglevel, manager=manager)

    @property
    def maps(self) -> tuple[Maps, ...]:
        """The tables."""
        return (self._policy_maps, self._site_maps)

    def use_dns(self, dns: Dns) -> None:
        """Ask *dns* for what servers must agree with.  Raises ConfigError."""
        self._dane.ask(dns)

    # What a destination needs

    async def policy(self, server: Server) -> ClientPolicy | Unusable:
        """Return what is to be done with a server, or why it can't be used."""
        try:
            found = self._with_fingerprints(await self._found(server))
            self._check(found, server)
        except BadPolicy as error:
            return _bad(error, server)
        if found.level in ("dane", "dane-only"):
            try:
                resolved = await self._dane.resolve(found, server)
            except BadPolicy as error:
                return _bad(error, server)
            if isinstance(resolved, Failure):
                log.warning(f"TLS policy lookup for {server.destination}/{server.host}: {resolved.reason}")
                return Unusable(resolved)
            found = resolved
        if self._settings.smtp_tls_wrappermode and not found.required:
            log.warning(
                f'{self._prefix}_tls_wrappermode requires "{self._prefix}_tls_security_level = encrypt" (or stronger)'
            )
            return Unusable(UNREACHABLE, f"{found.level}?")
        return found

    async def level_of(self, server: Server) -> str:
        """Return the level that a server needs, none where it can't be used."""
        if not self._policy_maps and not self._site_maps:
            return self._level
        policy = await self.policy(server)
        return "none" if isinstance(policy, Unusable) else policy.level

    async def fits(self, session: Session) -> bool:
        """Tell whether a session that began earlier has what its server needs now."""
        if self._level == "none" and not self._policy_maps and not self._site_maps:
            return True
        policy = await self.policy(session.server)
        return not isinstance(policy, Unusable) and policy.level == session.level

    async def _found(self, server: Server) -> ClientPolicy:
        """Raises BadPolicy."""
        if self._policy_maps:
            return await self._by_policy(server.destination)
        if self._site_maps:
            return self._usual(await self._by_site(server))
        return self._usual(self._level)

    async def _by_policy(self, destination: str) -> ClientPolicy:
        name = self._policy_maps.parameter_name
        for key in _keys(destination):
            where = f'{name}, next-hop destination "{key}"'
            try:
                text = await self._policy_maps.find(key)
            except TableError:
                raise BadPolicy(f"{where}: policy table lookup error") from None
            if text is None:
                continue
            try:
                found = parse_policy(text, self._usual(self._level), self._usual)
            except BadPolicy as error:
                raise BadPolicy(f"{where}: {error}") from None
            for word in found.ignored:
                log.warning(f'{where}: ignoring attribute "{word}" with TLS disabled')
            return found
        return self._usual(self._level)

    async def _by_site(self, server: Server) -> str:
        name = self._site_maps.parameter_name
        sites = (("next-hop destination", server.destination), ("server hostname", server.host))

        def unknown(place: int, value: str) -> BadPolicy:
            kind, site = sites[place]
            return BadPolicy(f"{name}: unknown TLS policy '{value}' for {kind} {site}")

        try:
            values = (await self._site_maps.find(sites[0][1]), await self._site_maps.find(sites[1][1]))
        except TableError:
            raise BadPolicy(f"{name}: policy table lookup error") from None
        return stronger_site(values, self._level, unknown)

    def _usual(self, level: str) -> ClientPolicy:
        """Return the policy of a level of which nothing more is said."""
        settings = self._settings
        must = level not in ("none", "may")
        exclusions = [settings.smtp_tls_exclude_ciphers]
        if must:
            exclusions.append(settings.smtp_tls_mandatory_exclude_ciphers)
        matching: Mapping[str, tuple[str, ...]] = {
            "fingerprint": settings.smtp_tls_fingerprint_cert_match,
            "verify": settings.smtp_tls_verify_cert_match,
            "secure": settings.smtp_tls_secure_cert_match,
        }
        return ClientPolicy(
            level,
            protocols=settings.smtp_tls_mandatory_protocols if must else settings.smtp_tls_protocols,
            grade=settings.smtp_tls_mandatory_ciphers if must else settings.smtp_tls_ciphers,
            exclusions=tuple(exclusions),
            match=tuple(
                word
                for text in matching.get(level, ())
                for word in ((text,) if level == "fingerprint" else text.split(":"))
            ),
            server_name=settings.smtp_tls_servername,
            trust_anchors=(settings.smtp_tls_trust_anchor_file,) if settings.smtp_tls_trust_anchor_file else (),
        )

    def _with_fingerprints(self, policy: ClientPolicy) -> ClientPolicy:
        """Return the policy with its fingerprints in one form, ``AB:CD``, without those that are none."""
        if policy.level != "fingerprint":
            return policy
        if self._old_digest:
            for _ in policy.match if policy.own_match else ("",):
                name = f"{self._prefix}_tls_fingerprint_digest"
                log.info(old_default_text(f"{name}=md5 to compute certificate fingerprints"))
        good = []
        for text in policy.match:
            if _FINGERPRINT.fullmatch(text):
                good.append(bytes.fromhex(text.replace(":", "")).hex(":").upper())
            else:
                log.warning(f"malformed fingerprint value: {text[:_SHOWN]}")
        return replace(policy, match=tuple(good))

    def _check(self, policy: ClientPolicy, server: Server) -> None:
        """Raises BadPolicy for one that nobody could follow."""
        if policy.level == "fingerprint" and not policy.match:
            raise BadPolicy(
                f"nexthop domain {server.destination}: configured at fingerprint security level, "
                "but with no fingerprints to match."
            )
        for name in policy.trust_anchors:
            try:
                open(name, "rb").close()
            except OSError as error:
                raise BadPolicy(f"error opening trust anchor file: {name}: {error.strerror}") from None

    # How it begins

    @property
    def wrapped(self) -> bool:
        """Whether sessions begin with TLS."""
        return self._settings.smtp_tls_wrappermode

    async def start(self, session: Session, policy: ClientPolicy) -> Failure | None:
        """Begin TLS where it is wanted and offered; return why mail must not go this way.

        Whether TLS is in use is told by ``session.encrypted``; then the server must be greeted again.
        """
        if policy.level == "none":
            session.tls = "none"
            if self._settings.smtp_tls_note_starttls_offer and "STARTTLS" in session.offer:
                log.info(f"Host offered STARTTLS: [{session.server.host}]")
            return None
        if "STARTTLS" not in session.offer:
            return self._unavailable(
                session, policy, Failure("4.7.4", f"TLS is required, but was not offered by host {session.server.name}")
            )
        if self._tls is None:
            session.tls = f"{policy.level}?"
            if not policy.required:
                session.tls = f"{policy.level}:none"
                return None
            return Failure("4.7.5", "TLS is required, but our TLS engine is unavailable")
        session.say("STARTTLS")
        try:
            reply = await session.reply(self._settings.smtp_starttls_timeout)
        except ServerLost as lost:
            return lost.failure(session.server, "receiving the STARTTLS response")
        if not reply.positive:
            reason = f"TLS is required, but host {session.server.name} refused to start TLS: {reply.line}"
            return self._unavailable(session, policy, refusal(session.server.host, reply, reason))
        session.forget_input()
        return await self.secure(session, policy)

    def _unavailable(self, session: Session, policy: ClientPolicy, failure: Failure) -> Failure | None:
        """Go on in the clear, if that is allowed."""
        if policy.required:
            session.tls = f"!{policy.level}"
            return failure
        session.tls = f"{policy.level}:none"
        return None

    async def secure(self, session: Session, policy: ClientPolicy) -> Failure | None:
        """Bring up TLS now; return why mail must not go this way."""
        from pyfix.tls.client import Host
        from pyfix.tls.clientcache import SessionName

        session.tls = f"{policy.level}?"
        if self._tls is None:
            return Failure("4.7.5", "TLS is required, but our TLS engine is unavailable")
        server = session.server
        destination = parse_destination(server.destination, "25").host if server.port else server.destination
        # What a session agreed with once may have gone from the zone: it begins anew.
        session_name = SessionName(self._service, server.destination.lower(), server.host, server.address)
        name = None if policy.proof else session_name
        host = Host(server.full_name, server.host, destination, name)
        facts = await self._tls.connect(session.stream, host, policy, self._settings.smtp_starttls_timeout)
        if facts is None:
            session.lost = True
            return HANDSHAKE_FAILED
        session.encrypted = facts
        if facts.unverifiable:
            session.tls = f"{policy.level}:encrypt"
            return None
        if policy.matches and not facts.matched:
            session.tls = f"!{policy.level}"
            return Failure("4.7.5", "Server certificate not verified")
        session.tls = policy.level
        return None


def _keys(destination: str) -> list[str]:
    """Return what a policy table is asked for: the destination, and if it is a domain its parents with a dot."""
    keys = [destination]
    if is_hostname(destination) and not is_hostaddr(destination):
        at = destination.find(".", 1)
        while at >= 0:
            keys.append(destination[at:])
            at = destination.find(".", at + 1)
    return keys
