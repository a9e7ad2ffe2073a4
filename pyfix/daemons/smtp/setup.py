"""What one process needs for all its deliveries: settings, tables, services."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.parameters.smtp_client_tls import SmtpClientTlsSettings
from pyfix.daemons.smtp.checks import Checks
from pyfix.daemons.smtp.encryption import Encryption
from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.session import ReplyFilter, Session
from pyfix.delivery.statusfilter import StatusFilter
from pyfix.runtime.stream import Stream
from pyfix.tables.maps import Maps

if TYPE_CHECKING:
    from pyfix.daemons.smtp.flags import ServiceFlags
    from pyfix.rewriting.forwarded import Forwarded
    from pyfix.rewriting.generic import Generic
    from pyfix.sasl.client import ClientLogin

_LEVELS: Final = ("none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure")


class Setup:
    """The settings of smtp(8) or lmtp(8), and what was made of them."""

    def __init__(self, settings: SmtpClientSettings, *, lmtp: bool, service: str, ipv4: bool, ipv6: bool) -> None:
        """*service* is the name in master.cf; *ipv4* and *ipv6*: inet_protocols.  Raises ConfigError."""
        self.settings: Final = settings
        self.lmtp: Final = lmtp
        self.service: Final = service
        self.ipv4: Final = ipv4
        self.ipv6: Final = ipv6
        self.prefix: Final = "lmtp" if lmtp else "smtp"
        """How the names of the program's parameters begin."""
        self.tls_level: Final = default_level(settings, self.prefix)
        self.dns_support: Final = self._dns_support()
        self.encryption: Final = Encryption(
            settings, prefix=self.prefix, level=self.tls_level, dnssec=self.dns_support == "dnssec", service=service
        )
        self.host_lookup: Final = self._host_lookup()
        self.login: Final = self._login()
        """None where we log in nowhere."""
        self.tells_postmaster: Final = "protocol" in {word.lower() for word in settings.notify_classes}
        self.flags: ServiceFlags | None = None
        """What master.cf says behind the program's name."""
        self.see_through: Callable[[Coroutine[Any, Any, None]], None]
        """Runs what no message waits for; set by the daemon."""
        self.sends_ehlo: Final = settings.smtp_always_send_ehlo
        self.probe_at_data: Final = self._probe_stage() == "data"

    def _login(self) -> ClientLogin | None:
        if not self.settings.smtp_sasl_auth_enable:
            return None
        from pyfix.sasl.client import ClientLogin

        return ClientLogin(self.settings, self.prefix)

    def _dns_support(self) -> str:
        value = self.settings.smtp_dns_support_level
        if not value:
            return "disabled" if self.settings.disable_dns_lookups else "enabled"
        if value not in ("disabled", "enabled", "dnssec"):
            raise ConfigError(f'invalid {self.prefix}_dns_support_level: "{value}"')
        return str(value)

    def _host_lookup(self) -> frozenset[str]:
        """Return who is asked for hosts: ``dns``, ``native``."""
        if self.dns_support == "disabled":
            return frozenset(("native",))
        words = self.settings.smtp_host_lookup
        for word in words:
            if word.lower() not in ("dns", "native"):
                name = f"{self.prefix}_host_lookup"
                raise ConfigError(f'unknown {name} value "{word}" in "{self.settings.snapshot.value(name)}"')
        return frozenset(word.lower() for word in words)

    def _probe_stage(self) -> str:
        value = self.settings.smtp_address_verify_target
        if value not in ("rcpt", "data"):
            raise ConfigError(f'bad protocol stage: "{self.prefix}_address_verify_target = {value}"')
        return str(value)

    def open_tables(self) -> None:
        """Open the tables, and read keys, which only root may be able to read."""
        self.encryption.open()
        self.discard_maps = self._maps(
            "discard_lhlo_keyword_address_maps" if self.lmtp else "discard_ehlo_keyword_address_maps",
            self.settings.smtp_discard_ehlo_keyword_address_maps,
        )
        self.discard_keywords = tuple(word.lower() for word in self.settings.smtp_discard_ehlo_keywords)
        self.pix_maps = self._maps("pix_workaround_maps", self.settings.smtp_pix_workaround_maps)
        snapshot, prefix = self.settings.snapshot, self.prefix
        self.reply_filter = ReplyFilter(f"{prefix}_reply_filter", self.settings.smtp_reply_filter, snapshot)
        filters = self.settings.smtp_delivery_status_filter
        self.status_filter = StatusFilter(f"{prefix}_delivery_status_filter", filters, snapshot)
        self.checks = Checks(self.settings, self.prefix) or None
        self.generic_maps = self._maps("generic_maps", self.settings.smtp_generic_maps)
        self.generic = self._generic() if self.generic_maps else None
        self.forwarded = None if self.lmtp or not self.settings.pyfix_srs_domain else self._forwarded()
        if self.login is not None:
            self.login.open_tables()

    def _forwarded(self) -> Forwarded | None:
        from pyfix.rewriting.forwarded import Forwarded
        from pyfix.tables.srs import open_rewritten_senders

        senders = open_rewritten_senders(self.settings)
        return None if senders is None else Forwarded(self.settings.snapshot, senders)

    def _generic(self) -> Generic:
        from pyfix.clients.resolve import rewrite_service
        from pyfix.clients.rewrite import Rewriter
        from pyfix.rewriting.domains import OwnDomains
        from pyfix.rewriting.generic import Generic
        from pyfix.rewriting.lookup import AddressLookup
        from pyfix.rewriting.standard import StandardForm

        settings = self.settings
        rewriter = Rewriter(
            rewrite_service(
                settings.rewrite_service_name,
                timeout=settings.ipc_timeout,
                idle=settings.ipc_idle,
                ttl=settings.ipc_ttl,
            )
        )

        async def ask(context: str, address: str) -> str:
            return await rewriter.rewrite(address, "remote" if context == "remote" else "local")

        lookup = AddressLookup(settings.recipient_delimiter, OwnDomains(settings), StandardForm(ask))
        return Generic(self.generic_maps, lookup, propagate="generic" in settings.propagate_unmatched_extensions)

    def _maps(self, name: str, value: tuple[str, ...]) -> Maps:
        return Maps(f"{self.prefix}_{name}", value, self.settings.snapshot)

    def new_session(self, server: Server, stream: Stream) -> Session:
        """Return a session over a connection, with all that the settings say of sessions."""
        settings = self.settings
        session = Session(
            server, stream,
            line_limit=settings.line_length_limit, whole_deadline=settings.smtp_per_request_deadline,
            min_data_rate=settings.smtp_min_data_rate,
        )  # fmt: skip
        session.records = self.tells_postmaster
        if self.reply_filter:
            session.replace_lines(self.reply_filter)
        return session

    @property
    def maps(self) -> tuple[Maps, ...]:
        """All tables."""
        checks = () if self.checks is None else self.checks.maps
        changes = (self.reply_filter, self.status_filter, self.generic_maps)
        own = (*self.encryption.maps, self.discard_maps, self.pix_maps, *changes, *checks)
        return own if self.login is None else (*own, *self.login.maps)


def default_level(settings: SmtpClientTlsSettings, prefix: str) -> str:
    """Return the TLS level of destinations for which nothing else is said.  Raises ConfigError."""
    level: str = settings.smtp_tls_security_level
    if level:
        if level.lower() not in _LEVELS:
            raise ConfigError(f'Invalid TLS level "{level}"')
        return level.lower()
    if settings.smtp_enforce_tls:
        return "verify" if settings.smtp_tls_enforce_peername else "encrypt"
    return "may" if settings.smtp_use_tls else "none"
