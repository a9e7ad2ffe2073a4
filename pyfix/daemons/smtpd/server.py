"""What all sessions of one smtpd process share: settings, tables, clients of other services.

Source: smtpd(8); postconf(5).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from pyfix.access.decisions import Decisions, log_decision
from pyfix.access.policy import AccessPolicy
from pyfix.clients.anvil import AnvilClient
from pyfix.clients.cleanup import NewMessage, input_flags
from pyfix.clients.flush import FlushClient
from pyfix.clients.postdrop import DroppedMessage
from pyfix.clients.resolve import Resolver, StandardResolver, rewrite_service
from pyfix.config.own_networks import address_families
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd import message
from pyfix.daemons.smtpd.encryption import Encryption
from pyfix.daemons.smtpd.proxyfilter import ProxyFilter
from pyfix.protocols.smtp.extensions import discarded_keywords
from pyfix.queue.freespace import has_room
from pyfix.runtime.daemon import background
from pyfix.runtime.ipc import IdleStreams
from pyfix.runtime.loop import current
from pyfix.tables.maps import Maps
from pyfix.tables.matchlist import MatchList, parent_matches

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.milters import MilterSetup
    from pyfix.sasl.server import Authentication

__all__ = ["Server"]

_ROOM_SECONDS: Final = 1.0


class Server:
    """One reading of main.cf, with everything worked out that sessions need."""

    def __init__(
        self,
        snapshot: Snapshot,
        service: str,
        *,
        stand_alone: bool = False,
        see_through: Callable[[Coroutine[Any, Any, Any]], None] = background,
        decisions: Decisions | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        """Read all that main.cf says.  Raises ConfigError.

        *see_through* runs what a session leaves to be done after its end.  *decisions* hears of what restrictions say;
        without it pyfix_log_decisions tells whether that is logged.  *resolver*: who is asked instead of
        trivial-rewrite(8).
        """
        self.see_through: Final = see_through
        settings = self.settings = SmtpdSettings(snapshot)
        settings.check()
        self.snapshot: Final = snapshot
        self.service: Final = service
        """First field of our master.cf entry."""
        self.stand_alone: Final = stand_alone
        self.encryption: Final = Encryption(settings, stand_alone=stand_alone)
        self.hostname: Final = settings.myhostname
        self.banner: Final = f"220 {settings.smtpd_banner}"
        timeout, idle, ttl = settings.ipc_timeout, settings.ipc_idle, settings.ipc_ttl
        self.resolver: Final = resolver or StandardResolver(
            rewrite_service(settings.rewrite_service_name, timeout=timeout, idle=idle, ttl=ttl)
        )
        if decisions is None and settings.pyfix_log_decisions:
            decisions = Decisions(log_decision)
        self.idle_cleanups: Final = IdleStreams(idle, ttl, server_speaks=True)
        """Connections to cleanup(8), each with a queue id for its next message."""
        self.policy: Final = AccessPolicy(snapshot, settings, self.resolver, decisions)
        self.anvil: Final = AnvilClient("anvil", timeout)
        self.flush: Final = FlushClient(settings.flush_service_name, timeout)
        self.authentication: Final = self._authentication(snapshot)
        """None where clients can't authenticate."""
        self.ipv6: Final = address_families(snapshot)[1]
        self.utf8: Final = settings.smtputf8_enable
        self.line_limit: Final = settings.line_length_limit
        self.soft_limit: Final = settings.smtpd_soft_error_limit
        self.hard_limit: Final = settings.smtpd_hard_error_limit
        self.junk_limit: Final = settings.smtpd_junk_command_limit
        self.size_limit: Final = settings.message_size_limit
        self.filter_record: Final = message.filter_record(settings.content_filter)
        self.proxy: Final = ProxyFilter(settings) if settings.smtpd_proxy_filter and not stand_alone else None
        self.probe_prefix: Final = settings.address_verify_sender.rpartition("@")[0].lower() or (
            settings.address_verify_sender.lower()
        )
        """What the sender of our address probes begins with."""
        self._has_room = True
        self._room_until = 0.0
        mode = settings.smtpd_forbid_bare_newline
        self.bare_newline: Final = "normalize" if mode == "yes" else mode
        self.discarded: Final = discarded_keywords(settings.smtpd_discard_ehlo_keywords)
        self.cleanup_flags: Final = input_flags(settings.receive_override_options, milters=True)
        self.notify_classes: Final = frozenset(() if stand_alone else settings.notify_classes)
        """Classes of problems of which the postmaster is told."""
        self.ehlo_replies: Final[dict[tuple[object, ...], str]] = {}
        self._open_lists(snapshot)
        limits = (
            settings.smtpd_client_connection_count_limit,
            settings.smtpd_client_connection_rate_limit,
            settings.smtpd_client_message_rate_limit,
            settings.smtpd_client_recipient_rate_limit,
            settings.smtpd_client_auth_rate_limit,
            settings.smtpd_client_new_tls_session_rate_limit,
        )
        self.counts_clients: Final = any(limit > 0 for limit in limits) and not stand_alone

    def _authentication(self, snapshot: Snapshot) -> Authentication | None:
        if not self.settings.smtpd_sasl_auth_enable or self.stand_alone:
            return None
        from pyfix.sasl.server import Authentication

        return Authentication(snapshot, self.settings)

    def open_rewritten_senders(self) -> None:
        """Read the keys of rewritten senders, if we make any, which may be root's.  Raises ConfigError."""
        if self.settings.pyfix_srs_domain:
            from pyfix.tables.srs import open_rewritten_senders

            self.policy.rewritten_senders = open_rewritten_senders(self.settings)

    def _open_lists(self, snapshot: Snapshot) -> None:
        settings = self.settings

        def match(name: str, value: tuple[str, ...], parents: bool | None = None) -> MatchList:
            return MatchList(name, value, snapshot, match_parents=parents)

        self.noop_commands = match("smtpd_noop_commands", settings.smtpd_noop_commands)
        self.forbidden_commands = match("smtpd_forbidden_commands", settings.smtpd_forbidden_commands)
        # parent_domain_matches_subdomains has no say in these three.
        self.verp_clients = match("smtpd_authorized_verp_clients", settings.smtpd_authorized_verp_clients, False)
        self.xclient_hosts = match("smtpd_authorized_xclient_hosts", settings.smtpd_authorized_xclient_hosts, False)
        self.xforward_hosts = match("smtpd_authorized_xforward_hosts", settings.smtpd_authorized_xforward_hosts, False)
        self.limit_exceptions = match(
            "smtpd_client_event_limit_exceptions", settings.smtpd_client_event_limit_exceptions
        )
        self.bare_newline_exclusions = match(
            "smtpd_forbid_bare_newline_exclusions",
            settings.smtpd_forbid_bare_newline_exclusions,
            parent_matches("mynetworks", snapshot),  # nearly always it is that list
        )
        self.debug_peers = match("debug_peer_list", settings.debug_peer_list)
        self.flush_domains = match("fast_flush_domains", settings.fast_flush_domains)
        self.discard_maps = Maps(
            "smtpd_discard_ehlo_keyword_address_maps", settings.smtpd_discard_ehlo_keyword_address_maps, snapshot
        )
        self.command_filter = Maps("smtpd_command_filter", settings.smtpd_command_filter, snapshot, fold=False)
        self.milter_maps = Maps("smtpd_milter_maps", settings.smtpd_milter_maps, snapshot)
        self.footer_maps = Maps("smtpd_reject_footer_maps", settings.smtpd_reject_footer_maps, snapshot, fold=False)
        self.reject_filter = Maps("smtpd_reject_filter_maps", settings.smtpd_reject_filter_maps, snapshot, fold=False)

        # Asked of every command or refusal; nearly always there is nothing.
        self.has_noop_commands = bool(self.noop_commands)
        self.has_command_filter = bool(self.command_filter)
        self.has_footer_maps = bool(self.footer_maps)
        self.has_reject_filter = bool(self.reject_filter)
        self.refusals_wait = not (self.footer_maps.local and self.reject_filter.local)
        self.has_discard_maps = bool(self.discard_maps)
        self.milters = self._milter_setup()
        self.rights_differ = bool(
            self.discard_maps or self.xclient_hosts or self.xforward_hosts or self.milters is not None
        )
        """Some clients are offered or allowed more than others."""

    async def new_message(self, bits: int) -> NewMessage:
        """Begin a message at cleanup(8), or at postdrop(1) when we run by hand.  Raises ServiceError."""
        settings = self.settings
        if self.stand_alone:
            return DroppedMessage.run(f"{settings.command_directory}/postdrop")
        return await NewMessage.open(settings.cleanup_service_name, bits, settings.ipc_timeout, self.idle_cleanups)

    def _milter_setup(self) -> MilterSetup | None:
        settings = self.settings
        wanted = settings.smtpd_milters or self.milter_maps
        overridden = any(word.lower() == "no_milters" for word in settings.receive_override_options)
        if not wanted or overridden or self.stand_alone:
            return None
        # Most systems have none.
        from pyfix.daemons.smtpd.milters import MilterSetup

        return MilterSetup(settings)

    def has_room(self) -> bool:
        """Tell whether a new message may come in; the file system is asked once a second.

        Source: postconf(5) queue_minfree, message_size_limit.  Raises OSError.
        """
        now = current().now
        if now >= self._room_until:
            self._has_room = has_room(self.settings.queue_minfree, self.size_limit)
            self._room_until = now + _ROOM_SECONDS
        return self._has_room

    async def discarded_for(self, address: str) -> frozenset[str]:
        """Return the EHLO keywords that a client is not offered.  Raises TableError."""
        if not self.has_discard_maps:
            return self.discarded
        value = await self.discard_maps.find(address)
        if value is None:
            return self.discarded
        return discarded_keywords(value.replace(",", " ").split())
