"""The server's side of TLS: one context for a process, and what is found out of each client.

Source: TLS_README "SMTP Server specific settings"; postconf(5) smtpd_tls_*.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from cryptography import x509

from pyfix.clients.tlsmgr import TlsManager
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.smtpd_tls import SmtpdTlsSettings
from pyfix.config.parameters.tls import TlsSettings
from pyfix.config.parameters.tls_sessions import TlsSessionSettings
from pyfix.config.snapshot import Snapshot
from pyfix.formats.clienthello import ClientHello
from pyfix.runtime.libssl.names import (
    OP_CIPHER_SERVER_PREFERENCE,
    SESS_CACHE_NO_AUTO_CLEAR,
    SESS_CACHE_NO_INTERNAL,
    SESS_CACHE_OFF,
    SESS_CACHE_SERVER,
    TLS1_3_VERSION,
)
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream
from pyfix.tls.certificate import DigestUnknown, check_digest, peer_certificate, signature_kind
from pyfix.tls.ciphers import BadCiphers
from pyfix.tls.context import TlsUnusable, check_general, load_authorities, new_context, set_ciphers, set_versions
from pyfix.tls.credentials import BadCredentials, CredentialFiles, load_credentials
from pyfix.tls.facts import TlsFacts
from pyfix.tls.groups import read_parameters, set_groups
from pyfix.tls.handshake import handshake
from pyfix.tls.loglevel import parse_log_level
from pyfix.tls.options import SSL_OPTIONS, option_bits
from pyfix.tls.protocols import BadProtocols, parse_protocols
from pyfix.tls.servercache import ServerCache
from pyfix.tls.signatures import Signatures
from pyfix.tls.sni import ServerNames
from pyfix.tls.states import follow
from pyfix.tls.tickets import TICKET_CIPHERS, Tickets
from pyfix.tls.verification import Verification, is_trusted, note_problems

__all__ = ["ServerTls", "ServerTlsSettings", "open_server", "server_files", "watched_files"]



class ServerTlsSettings(SmtpdTlsSettings, TlsSettings, TlsSessionSettings, MailSettings):
    """What a server reads."""


def server_files(settings: SmtpdTlsSettings) -> CredentialFiles:
    """Return the files of keys and certificates that the parameters name; ``none`` stands for no certificate."""

    def pair(certificate: str, key: str) -> tuple[str, str]:
        return ("", "") if certificate.lower() == "none" else (certificate, key)

    return CredentialFiles(
        chain_files=settings.smtpd_tls_chain_files,
        rsa=pair(settings.smtpd_tls_cert_file, settings.smtpd_tls_key_file),
        dsa=pair(settings.smtpd_tls_dcert_file, settings.smtpd_tls_dkey_file),
        ec=pair(settings.smtpd_tls_eccert_file, settings.smtpd_tls_eckey_file),
    )


def watched_files(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the files of keys, certificates and authorities, which only a new process reads again."""
    settings = ServerTlsSettings(snapshot)
    authorities = (settings.smtpd_tls_CAfile,) if settings.smtpd_tls_CAfile else ()
    return (*server_files(settings).names, *authorities)


def open_server(
    snapshot: Snapshot, *, enforced: bool, describes: bool = False, service: str = ""
) -> ServerTls | None:
    """Return the process's TLS; None when it can't be set up, which the log says why.

    To be called with the rights to read keys.  *enforced*: clients must use TLS.  *describes*: the details of a
    session are wanted even where nothing is logged of them.  *service*: its name in master.cf.  Raises ConfigError.
    """
    settings = ServerTlsSettings(snapshot)
    wants_certificate = settings.smtpd_tls_ask_ccert
    needs_certificate = settings.smtpd_tls_req_ccert
    files = server_files(settings)
    anonymous = settings.smtpd_tls_cert_file.lower() == "none"
    if files.chain_files and (files.has_old or anonymous):
        log.warning(
            "Both smtpd_tls_chain_files and one or more of the legacy  smtpd_tls_cert_file, smtpd_tls_eccert_file or "
            "smtpd_tls_dcert_file are non-empty; the legacy  parameters will be ignored"
        )
    if needs_certificate and not enforced:
        log.warning("Can't require client certs unless TLS is required")
        needs_certificate = False
    wants_certificate = wants_certificate or needs_certificate
    if not files.names:
        if anonymous and wants_certificate:
            log.warning("Need a server cert to request client certs")
        if not anonymous or wants_certificate:
            log.warning("No server certs available. TLS won't be enabled")
            return None
    check_general(settings)
    try:
        return ServerTls(
            snapshot, settings, files, enforced=enforced, asks=wants_certificate, requires=needs_certificate,
            describes=describes, service=service,
        )  # fmt: skip
    except (TlsUnusable, BadCredentials) as error:
        _report(error.lines)
        return None


def _report(lines: Iterable[str]) -> None:
    """Log why something can't be; a line that begins with a blank is no warning."""
    for line in lines:
        if line.startswith(" "):
            log.info(line[1:])
        else:
            log.warning(line)


class ServerTls:
    """What all TLS sessions of a server process share."""

    def __init__(
        self,
        snapshot: Snapshot,
        settings: ServerTlsSettings,
        files: CredentialFiles,
        *,
        enforced: bool,
        asks: bool,
        requires: bool,
        describes: bool,
        service: str,
    ) -> None:
        """See open_server.  Raises TlsUnusable, BadCredentials."""
        self._settings = settings
        self.files: Final = files
        self.asks: Final = asks
        """Clients are asked for a certificate."""
        self.requires: Final = requires
        """Clients without a trusted certificate are sent away."""
        self._level, unknown = parse_log_level(settings.smtpd_tls_loglevel)
        for word in unknown:
            log.warning(f'unknown smtpd_tls_loglevel value "{word}" in "{settings.smtpd_tls_loglevel}"')
        if self._level.verbose:
            log.info("initializing the server-side TLS engine")
        self._describes = describes or self._level.summary
        try:
            self._digest = check_digest(settings.smtpd_tls_fingerprint_digest)
        except DigestUnknown as error:
            raise TlsUnusable(f'Digest algorithm "{error}" not found', "disabling TLS support") from None
        words = settings.smtpd_tls_mandatory_protocols if enforced else settings.smtpd_tls_protocols
        try:
            self._versions = parse_protocols(words)
        except BadProtocols:
            raise TlsUnusable(f'Invalid TLS protocol list "{" ".join(words)}": disabling TLS support') from None
        self._grade = settings.smtpd_tls_mandatory_ciphers if enforced else settings.smtpd_tls_ciphers
        self._exclusions = [settings.smtpd_tls_exclude_ciphers]
        if enforced:
            self._exclusions.append(settings.smtpd_tls_mandatory_exclude_ciphers)
        if asks:
            self._exclusions.append("aNULL")
        self._problem: tuple[str, ...] = ()
        """What makes each session impossible."""
        self._ciphers = ""
        context = self._context = self._base_context()
        # What was agreed on under other conditions is not resumed: the keys of tickets are those of all services.
        conditions = (
            service, str(self._versions), self._ciphers, asks, requires,
            settings.smtpd_tls_CAfile, settings.smtpd_tls_CApath, settings.smtpd_tls_ccert_verifydepth,
            settings.tls_append_default_CA,
        )  # fmt: skip
        context.set_session_id(sha256(repr(conditions).encode()).digest())
        self._signatures = Signatures(context) if self._describes else None
        load_authorities(context, settings, settings.smtpd_tls_CAfile, settings.smtpd_tls_CApath)
        load_credentials(context, files)
        parameters = read_parameters(settings.smtpd_tls_dh1024_param_file, log.warning)
        parameters.serve(context)
        if asks:
            if settings.smtpd_tls_CAfile:
                context.load_client_authorities(settings.smtpd_tls_CAfile)
            note_problems(context, asks=True)
            context.set_verify_depth(settings.smtpd_tls_ccert_verifydepth + 1)
        cipher = settings.tls_session_ticket_cipher
        options, _ = option_bits(settings.tls_ssl_options, SSL_OPTIONS)
        self._wants_tickets = bool(cipher) and not options & SSL_OPTIONS["NO_TICKET"]
        if cipher and cipher.lower() not in TICKET_CIPHERS:
            log.warning(f"tls_session_ticket_cipher: invalid value: {cipher}; session tickets disabled")
            self._wants_tickets = False
        self._service = service
        self._allows_tls13 = (
            TLS1_3_VERSION not in self._versions.excluded and self._versions.highest in (0, TLS1_3_VERSION)
        )
        self._manager = TlsManager(
            settings.tlsmgr_service_name, "smtpd",
            timeout=settings.ipc_timeout, idle=settings.ipc_idle, ttl=settings.ipc_ttl,
        )  # fmt: skip
        self._arranged = False
        self._tickets: Tickets | None = None
        self._cache: ServerCache | None = None
        self._names: ServerNames | None = None
        if settings.tls_server_sni_maps:
            self._names = ServerNames(snapshot, settings.tls_server_sni_maps, parameters.serve)
            self._names.serve(context)

    def _base_context(self) -> Context:
        settings = self._settings
        context = new_context(settings, log.warning)
        context.set_options(SSL_OPTIONS["NO_RENEGOTIATION"])
        set_versions(context, self._versions)
        if settings.tls_preempt_cipherlist:
            context.set_options(OP_CIPHER_SERVER_PREFERENCE)
        try:
            self._ciphers = set_ciphers(context, settings, self._grade, self._exclusions)
        except BadCiphers as error:
            self._problem = (str(error),)
        except TlsUnusable as error:
            self._problem = error.lines
        set_groups(context, settings, log.warning)
        if self._level.states:
            context.on_state(follow)
        return context

    async def _arrange_resumption(self) -> None:
        """Learn of tlsmgr what is done with sessions; once, before the first handshake."""
        self._arranged = True
        settings, context = self._settings, self._context
        policy = await self._manager.policy()
        if policy.timeout > 0:
            context.set_timeout(2 * policy.timeout)  # tlsmgr, or the key of a ticket, forgets a session before
        if self._wants_tickets and policy.timeout > 0:
            self._tickets = Tickets(self._manager, settings.tls_session_ticket_cipher)
            self._tickets.serve(context, policy.timeout)
        mode = SESS_CACHE_OFF
        if policy.cached:
            self._cache = ServerCache(self._manager, self._service, modern=self._allows_tls13)
            self._cache.serve(context)
        if policy.cached or self._tickets is not None or settings.smtpd_tls_always_issue_session_ids:
            mode = SESS_CACHE_SERVER | SESS_CACHE_NO_AUTO_CLEAR | SESS_CACHE_NO_INTERNAL
        context.set_session_cache_mode(mode)

    async def accept(self, stream: Stream, peer: str, seconds: float) -> TlsFacts | None:
        """Bring up TLS with a client whom the log calls *peer*; None when it could not be, which the log says why.

        What the client has sent before belongs to nobody any more.  Raises StreamTimeout.
        """
        level = self._level
        if level.verbose:
            log.info(f"setting up TLS connection from {peer}")
        if self._problem:
            first, *others = self._problem
            _report([f"{peer}: {first}", *others])
            return None
        if level.verbose:
            log.info(f'{peer}: TLS cipher list "{self._ciphers}"')
        if not self._arranged:
            await self._arrange_resumption()
        tickets = self._tickets if self._tickets is not None and await self._tickets.prepare() else None
        connection = Connection(self._context)
        connection.accepts()
        if tickets is None:
            connection.give_no_ticket()
        found = Verification(peer, level, self._settings.smtpd_tls_ccert_verifydepth, "client")
        connection.data = found
        cache = self._cache

        async def prepare(hello: ClientHello) -> None:
            if self._names is not None and self._names.wait and hello.name:
                await self._names.prepare(found, hello.name.decode("utf-8", "surrogateescape"))
            if tickets is not None:
                await tickets.prepare_for(hello.tickets)
            if cache is not None:
                await cache.prepare_for(hello, found)

        if not await handshake(
            stream, connection, seconds, step="SSL_accept", whom=f"from {peer}", states=level.states, prepare=prepare
        ):
            return None
        if cache is not None and found.made:
            await cache.save(found)
        facts = self._facts(connection, found)
        self._log(facts, found, connection)
        return facts

    def _facts(self, connection: Connection, found: Verification) -> TlsFacts:
        shown = connection.peer_certificate
        certificate = None if shown is None else peer_certificate(shown, self._digest)
        protocol = connection.protocol
        cipher, used, bits = connection.cipher
        group = server_kind = server_digest = client_kind = client_digest = ""
        if protocol == "TLSv1.3" and self._signatures is not None:
            group = connection.group
            server, client = self._signatures.take(connection)
            if server is not None:
                own = connection.own_certificate
                server_kind, server_digest = _kind(own), server
            if client is not None:
                client_kind, client_digest = _kind(shown), client
        return TlsFacts(
            protocol, cipher, used, bits,
            key_exchange=group, server_signature=server_kind, server_digest=server_digest,
            client_signature=client_kind, client_digest=client_digest,
            certificate=certificate, trusted=certificate is not None and is_trusted(connection),
            resumed=connection.resumed,
            server_name=found.server_name,
        )  # fmt: skip

    def _log(self, facts: TlsFacts, found: Verification, connection: Connection) -> None:
        level, peer, certificate = self._level, found.peer, facts.certificate
        if facts.resumed and level.cache:
            log.info(f"{peer}: Reusing old session{' (RFC 5077 session ticket)' if found.by_ticket else ''}")
        if certificate is not None and level.certificate and level.verbose:
            log.info(f"subject={certificate.subject}")
            log.info(f"issuer={certificate.issuer}")
        if certificate is not None and level.certificate:
            log.info(
                f"{peer}: subject_CN={certificate.common_name}, issuer={certificate.issuer_name}, "
                f"cert fingerprint={certificate.fingerprint}, pkey fingerprint={certificate.key_fingerprint}"
            )
        if certificate is not None and not facts.trusted and (self.requires or (level.untrusted and not level.verbose)):
            again = f"{peer}: re-using session with untrusted certificate, look for details earlier in the log"
            log.info(found.explain() if found.problem else again)
        if level.summary:
            name = f" to {facts.server_name}" if facts.server_name else ""
            log.info(f"{facts.level} TLS connection established from {peer}{name}: {' '.join(facts.description())}")


def _kind(certificate: x509.Certificate | None) -> str:
    return "" if certificate is None else signature_kind(certificate)
