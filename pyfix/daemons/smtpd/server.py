"""What all sessions of one smtpd process share: settings, tables, clients of other services.

Source: smtpd(8); postconf(5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from pyfix.access.policy import AccessPolicy
from pyfix.clients.anvil import AnvilClient
from pyfix.clients.cleanup import UnknownOverride, input_flags
from pyfix.clients.flush import FlushClient
from pyfix.clients.resolve import Resolver, rewrite_service
from pyfix.config.errors import ConfigError
from pyfix.config.own_networks import address_families
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.formats.textforms import unescape
from pyfix.protocols.smtp.extensions import discarded_keywords
from pyfix.queue.freespace import has_room
from pyfix.runtime.daemon import background
from pyfix.runtime.ipc import IdleStreams
from pyfix.runtime.loop import current
from pyfix.tables.maps import Maps
from pyfix.tables.matchlist import MatchList, parent_matches

__all__ = ["Server"]

_ROOM_SECONDS: Final = 1.0
_BARE_NEWLINE: Final = {"no": "no", "yes": "normalize", "normalize": "normalize", "note": "note", "reject": "reject"}


def _all_but(wanted: str) -> re.Pattern[bytes]:
    """Return an expression for bytes that are not in *wanted*, which has C escapes.

    Source: postconf(5) smtpd_expansion_filter.
    """
    kept = unescape(wanted)
    return re.compile(b"[^" + re.escape(kept) + b"]") if kept else re.compile(b"(?s:.)")


class Server:
    """One reading of main.cf, with everything worked out that sessions need."""

    def __init__(
        self,
        snapshot: Snapshot,
        service: str,
        *,
        stand_alone: bool = False,
        see_through: Callable[[Coroutine[Any, Any, Any]], None] = background,
    ) -> None:
        """*see_through* runs what a session leaves to be done after its end.  Raises ConfigError."""
        self.see_through: Final = see_through
        settings = self.settings = SmtpdSettings(snapshot)
        settings.check()
        self.snapshot: Final = snapshot
        self.service: Final = service
        """First field of our master.cf entry."""
        self.stand_alone: Final = stand_alone
        self.hostname: Final = settings.myhostname
        self.banner: Final = f"220 {settings.smtpd_banner}"
        timeout, idle, ttl = settings.ipc_timeout, settings.ipc_idle, settings.ipc_ttl
        self.resolver: Final = Resolver(
            rewrite_service(settings.rewrite_service_name, timeout=timeout, idle=idle, ttl=ttl)
        )
        self.idle_cleanups: Final = IdleStreams(idle, ttl, server_speaks=True)
        """Connections to cleanup(8), each with a queue id for its next message."""
        self.policy: Final = AccessPolicy(snapshot, settings, self.resolver)
        self.anvil: Final = AnvilClient("anvil", timeout)
        self.flush: Final = FlushClient(settings.flush_service_name, timeout)
        self.ipv6: Final = address_families(snapshot)[1]
        self.utf8: Final = settings.smtputf8_enable
        self.line_limit: Final = settings.line_length_limit
        self.soft_limit: Final = settings.smtpd_soft_error_limit
        self.hard_limit: Final = settings.smtpd_hard_error_limit
        self.junk_limit: Final = settings.smtpd_junk_command_limit
        self.size_limit: Final = settings.message_size_limit
        self.probe_prefix: Final = settings.address_verify_sender.rpartition("@")[0].lower() or (
            settings.address_verify_sender.lower()
        )
        """What the sender of our address probes begins with."""
        self._has_room = True
        self._room_until = 0.0
        self.bare_newline: Final = self._bare_newline_mode()
        self.discarded: Final = discarded_keywords(settings.smtpd_discard_ehlo_keywords)
        try:
            flags = input_flags(settings.receive_override_options, milters=bool(settings.smtpd_milters))
            self.cleanup_flags: Final = flags
        except UnknownOverride as error:
            raise ConfigError(f'unknown receive_override_options value "{error}"') from None
        self.notify_classes: Final = frozenset(
            () if stand_alone else (word.lower() for word in settings.notify_classes)
        )
        """Classes of problems of which the postmaster is told."""
        self.unwanted_in_replies: Final = _all_but(settings.smtpd_expansion_filter)
        """What values of the session must not bring into replies."""
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

    def _bare_newline_mode(self) -> str:
        value = self.settings.smtpd_forbid_bare_newline
        mode = _BARE_NEWLINE.get(value.strip().lower())
        if mode is None:
            raise ConfigError(f"bad value: smtpd_forbid_bare_newline = {value}")
        return mode

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
        """What they say of a client is not heard: there are no milters yet."""
        self.footer_maps = Maps("smtpd_reject_footer_maps", settings.smtpd_reject_footer_maps, snapshot, fold=False)
        self.reject_filter = Maps("smtpd_reject_filter_maps", settings.smtpd_reject_filter_maps, snapshot, fold=False)

        # Asked of every command or refusal; nearly always there is nothing.
        self.has_noop_commands = bool(self.noop_commands)
        self.has_command_filter = bool(self.command_filter)
        self.has_footer_maps = bool(self.footer_maps)
        self.has_reject_filter = bool(self.reject_filter)
        self.has_discard_maps = bool(self.discard_maps)
        self.rights_differ = bool(
            self.discard_maps or self.xclient_hosts or self.xforward_hosts or self.milter_maps
        )
        """Some clients are offered or allowed more than others."""

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
