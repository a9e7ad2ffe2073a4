"""The client's side of TLS: contexts as destinations want them, and what is found out of each server.

Source: TLS_README "SMTP Client specific settings"; postconf(5) smtp_tls_*.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from cryptography import x509

from pyfix.clients.tlsmgr import TlsManager
from pyfix.config.parameters.smtp_client_tls import SmtpClientTlsSettings
from pyfix.config.parameters.tls import TlsSettings
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream
from pyfix.tls.certificate import (
    DigestUnknown,
    check_digest,
    fingerprint,
    key_fingerprint,
    peer_certificate,
    signature_kind,
)
from pyfix.tls.ciphers import BadCiphers
from pyfix.tls.clientcache import ClientCache, SessionName
from pyfix.tls.context import (
    TlsUnusable,
    check_general,
    load_authorities,
    new_context,
    set_ciphers,
    set_versions,
    share_authorities,
)
from pyfix.tls.credentials import BadCredentials, CredentialFiles, load_credentials, load_pem, read_credentials
from pyfix.tls.dane import allow_dane, require
from pyfix.tls.dane import shown as shown_record
from pyfix.tls.facts import TlsFacts
from pyfix.tls.groups import set_groups
from pyfix.tls.handshake import handshake
from pyfix.tls.loglevel import parse_log_level
from pyfix.tls.names import matched_name, patterns
from pyfix.tls.policy import ClientPolicy
from pyfix.tls.protocols import BadProtocols, parse_protocols
from pyfix.tls.signatures import Signatures
from pyfix.tls.states import follow
from pyfix.tls.verification import Verification, is_trusted, note_problems

__all__ = ["ClientTls", "Host", "client_files", "open_client"]

_TRUST_ANCHOR: Final = 2
_OTHER_NAME: Final = 62
"""What the library says of the certificate of another host."""


@dataclass(frozen=True, slots=True)
class Host:
    """The server that a session is with."""

    log_name: str
    """``host[address]:port``."""
    name: str
    destination: str
    """The domain, or address, that mail is for."""
    session: SessionName | None = None
    """What its sessions are kept under; None for nowhere."""


def client_files(settings: SmtpClientTlsSettings) -> CredentialFiles:
    """Return the files of keys and certificates that the parameters name."""
    return CredentialFiles(
        chain_files=settings.smtp_tls_chain_files,
        rsa=(settings.smtp_tls_cert_file, settings.smtp_tls_key_file),
        dsa=(settings.smtp_tls_dcert_file, settings.smtp_tls_dkey_file),
        ec=(settings.smtp_tls_eccert_file, settings.smtp_tls_eckey_file),
    )


def open_client(
    settings: SmtpClientTlsSettings, general: TlsSettings, *, level: str, manager: TlsManager
) -> ClientTls | None:
    """Return the process's TLS; None when it can't be set up, which the log says why.

    To be called with the rights to read keys.  *level*: smtp_tls_loglevel.  *manager*: asked about smtp or lmtp.
    Raises ConfigError for a bad value.
    """
    check_general(general)
    try:
        return ClientTls(settings, general, level=level, manager=manager)
    except (TlsUnusable, BadCredentials) as error:
        for line in error.lines:
            if line.startswith(" "):
                log.info(line[1:])
            else:
                log.warning(line)
        return None


class ClientTls:
    """What all TLS sessions of a client process share."""

    def __init__(
        self, settings: SmtpClientTlsSettings, general: TlsSettings, *, level: str, manager: TlsManager
    ) -> None:
        """See open_client.  Raises TlsUnusable, BadCredentials."""
        self._settings = settings
        self._general = general
        self._level, unknown = parse_log_level(level)
        for word in unknown:
            log.warning(f'unknown {manager.kind}_tls_loglevel value "{word}" in "{level}"')
        if self._level.verbose:
            log.info("initializing the client-side TLS engine")
        try:
            self._digest = check_digest(settings.smtp_tls_fingerprint_digest)
        except DigestUnknown as error:
            raise TlsUnusable(f'Digest algorithm "{error}" not found', "disabling TLS support") from None
        first = new_context(general, log.warning)
        set_groups(first, general, log.warning)
        load_authorities(first, general, settings.smtp_tls_CAfile, settings.smtp_tls_CApath)
        files = client_files(settings)
        load_credentials(first, files)
        self._first: Final = first
        self._credentials: Final = read_credentials(files)
        self._credentials_name: Final = sha256(b"".join(self._credentials)).hexdigest()
        self._cache: Final = ClientCache(manager)
        self._contexts: dict[tuple[object, ...], tuple[Context, str, Signatures]] = {}

    def _context(self, policy: ClientPolicy) -> tuple[Context, str, Signatures]:
        """Return the context for a policy, its cipher list, and who watches it.

        Raises TlsUnusable, BadCiphers, BadProtocols, BadCredentials.
        """
        exclusions = (*policy.exclusions, *(("aNULL",) if policy.matches else ()))
        key = (policy.protocols, policy.grade, exclusions, policy.trust_anchors)
        known = self._contexts.get(key)
        if known is not None:
            return known
        context = new_context(self._general, _say_nothing)
        set_versions(context, parse_protocols(policy.protocols))
        ciphers = set_ciphers(context, self._general, policy.grade, exclusions)
        set_groups(context, self._general, _say_nothing)
        if policy.trust_anchors:
            for name in policy.trust_anchors:
                load_authorities(context, self._general, name, "")
        else:
            share_authorities(self._first, context)
        allow_dane(context, self._general.tls_dane_digests)
        for pem in self._credentials:
            load_pem(context, pem, "client certificate")
        note_problems(context, asks=False)
        context.set_verify_depth(self._settings.smtp_tls_scert_verifydepth + 1)
        if self._level.states:
            context.on_state(follow)
        made = self._contexts[key] = context, ciphers, Signatures(context)
        return made

    async def connect(self, stream: Stream, host: Host, policy: ClientPolicy, seconds: float) -> TlsFacts | None:
        """Bring up TLS with a server; None when it could not be, which the log says why."""
        level, peer = self._level, host.log_name
        if level.verbose:
            log.info(f"setting up TLS connection to {peer}")
        before = len(self._contexts)
        try:
            context, ciphers, signatures = self._context(policy)
        except BadProtocols:
            log.warning(f'{peer}: Invalid TLS protocol list "{":".join(policy.protocols)}": aborting TLS session')
            return None
        except BadCiphers as error:
            log.warning(f"{peer}: {error}")
            return None
        except (TlsUnusable, BadCredentials) as error:
            _tell(peer, error.lines)
            return None
        if len(self._contexts) > before:
            await self._cache.serve(context)
        if level.verbose:
            log.info(f'{peer}: TLS cipher list "{ciphers}"')
        connection = Connection(context)
        connection.connects()
        found = Verification(peer, level, self._settings.smtp_tls_scert_verifydepth, "server")
        connection.data = found
        if host.session is not None:
            conditions = (policy.protocols, ciphers, policy.trust_anchors, policy.server_name, self._credentials_name)
            found.cache_id = host.session.complete(policy.level, conditions)
            await self._cache.resume(connection, found)
        unverifiable = policy.proof is not None and not require(
            connection, policy.proof, lambda text: log.warning(f"{peer}: {text}")
        )
        if unverifiable:
            fallback = "" if policy.level == "dane-only" else ", fallback to unauthenticated TLS"
            log.warning(f"{peer}: all TLSA records unusable{fallback}")
        if name := _server_name(policy.server_name, host) if policy.proof is None else policy.proof.base_domain:
            if level.verbose:
                log.info(f"{peer}: SNI hostname: {name}")
            connection.ask_for(name)
        whom = f"to {peer}"
        if not await handshake(stream, connection, seconds, step="SSL_connect", whom=whom, states=level.states):
            return None
        facts = self._facts(connection, signatures, found, policy, host, provable=not unverifiable)
        if unverifiable and policy.level != "dane-only":
            return replace(facts, unverifiable=True)
        if policy.matches and not facts.matched:
            await self._cache.forget(found)
        return facts

    def _dane_match(self, connection: Connection, peer: str) -> bool:
        """Tell whether a server is one that its TLSA records allow."""
        match = connection.dane_match()
        if match is None:
            return False
        if self._level.match or self._level.certificate or self._level.verbose:
            kind = "TA" if match.usage == _TRUST_ANCHOR else "EE"
            if match.name:
                log.info(f"{peer}: matched peername: {match.name}")
            log.info(f"{peer}: Matched DANE {kind} certificate at depth {match.depth}: {shown_record(match)}")
        return True

    def _facts(
        self,
        connection: Connection,
        signatures: Signatures,
        found: Verification,
        policy: ClientPolicy,
        host: Host,
        *,
        provable: bool,
    ) -> TlsFacts:
        level, peer = self._level, found.peer
        shown = connection.peer_certificate
        trusted = shown is not None and is_trusted(connection)
        matched, problem = "", ""
        if shown is not None and policy.matches:
            if policy.level == "fingerprint":
                matched, problem = self._matched_fingerprint(shown, policy.match, peer)
                trusted = bool(matched)
            elif policy.proof is not None:
                matched = policy.proof.base_domain if self._dane_match(connection, peer) else ""
                trusted = bool(matched) or connection.verify_result == _OTHER_NAME
                if not provable and policy.level == "dane-only":
                    problem = "num=1:unspecified certificate verification error"
            elif trusted:
                wanted = patterns(policy.match, host=host.name, destination=host.destination)
                matched = matched_name(shown, wanted)
                if not matched:
                    by_address = any(map(_is_address, wanted))
                    trusted = not by_address
                    problem = "num=64:IP address mismatch" if by_address else "num=62:hostname mismatch"
        facts = self._describe(connection, signatures, shown, trusted=trusted, matched=bool(matched))
        if policy.level == "halfdane":
            facts = replace(facts, secured=False)
        if shown is not None and policy.matches and not matched:
            if problem:
                log.info(f"server certificate verification failed for {peer}: {problem}")
            else:
                log.info(found.explain())
        elif found.problem and level.untrusted and not level.verbose:
            log.info(found.explain())
        if facts.resumed and level.cache:
            log.info(f"{peer}: Reusing old session")
        if matched and (level.match or level.certificate) and policy.level != "fingerprint" and policy.proof is None:
            log.info(f"{peer}: matched peername: {matched}")
        if facts.certificate is not None and (level.match or level.certificate):
            log.info(
                f"{peer}: subject_CN={facts.certificate.common_name}, issuer={facts.certificate.issuer_name}, "
                f"cert fingerprint={facts.certificate.fingerprint}, "
                f"pkey fingerprint={facts.certificate.key_fingerprint}"
            )
        if level.summary:
            log.info(f"{facts.level} TLS connection established to {peer}: {' '.join(facts.description())}")
        return facts

    def _describe(
        self,
        connection: Connection,
        signatures: Signatures,
        shown: x509.Certificate | None,
        *,
        trusted: bool,
        matched: bool,
    ) -> TlsFacts:
        protocol = connection.protocol
        cipher, used, bits = connection.cipher
        group = server_kind = server_digest = client_kind = client_digest = ""
        client, server = signatures.take(connection)
        if protocol == "TLSv1.3":
            group = connection.group
            if server is not None and shown is not None:
                server_kind, server_digest = signature_kind(shown), server
            own = connection.own_certificate
            if client is not None and own is not None:
                client_kind, client_digest = signature_kind(own), client
        return TlsFacts(
            protocol, cipher, used, bits,
            key_exchange=group, server_signature=server_kind, server_digest=server_digest,
            client_signature=client_kind, client_digest=client_digest,
            certificate=None if shown is None else peer_certificate(shown, self._digest),
            trusted=trusted, matched=matched, resumed=connection.resumed,
        )  # fmt: skip

    def _matched_fingerprint(self, certificate: x509.Certificate, wanted: Iterable[str], peer: str) -> tuple[str, str]:
        """Return the fingerprint that agrees with the certificate or its key, or else why there is none."""
        own = {fingerprint(certificate, self._digest), key_fingerprint(certificate, self._digest)}
        length = len(next(iter(own)))
        usable = []
        for text in wanted:
            if len(text) == length:
                usable.append(text.upper())
            else:
                for kind in (1, 0):
                    log.warning(f"{peer}: unusable TLSA RR: 3 {kind} 255 {text.replace(':', '')}")
        if not usable:
            log.warning(f"{peer}: all fingerprints unusable")
            return "", "num=1:unspecified certificate verification error"
        matched = next((text for text in usable if text in own), "")
        return matched, "" if matched else "num=65:no matching DANE TLSA records"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _server_name(word: str, host: Host) -> str:
    match word.lower():
        case "hostname":
            return host.name
        case "nexthop":
            return host.destination
    return word


def _tell(peer: str, lines: Iterable[str]) -> None:
    first, *others = lines
    log.warning(f"{peer}: {first}")
    for line in others:
        log.warning(line)


def _say_nothing(_text: str) -> None:
    """What was said of the process's first context need not be said again."""
