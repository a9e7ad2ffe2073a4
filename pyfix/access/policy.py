"""What all sessions of a process share for access control: lists, tables, networks.

Source: postconf(5) mynetworks, smtpd_restriction_classes, smtpd_log_access_permit_actions,
parent_domain_matches_subdomains.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pyfix.access.decisions import Decisions
from pyfix.access.dnslists import DnsLists
from pyfix.access.evaluate import CheckList, compile_list
from pyfix.access.old_defaults import OldDefaults
from pyfix.access.session_values import unwanted_bytes
from pyfix.access.stage import CLIENT, DATA, END_OF_DATA, ETRN, HELO, RECIPIENT, SENDER, Stage
from pyfix.access.tempfail import TempfailActions
from pyfix.access.transaction import Transaction, external_form
from pyfix.clients.resolve import Resolver
from pyfix.clients.verify import VerifyClient
from pyfix.config.errors import ConfigError
from pyfix.config.own_networks import address_families, own_addresses, proxy_addresses
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.formats.domain import literal_to_address
from pyfix.runtime.dns import Dns
from pyfix.runtime.log import log
from pyfix.tables.maps import Maps
from pyfix.tables.matchlist import MatchList, parent_matches
from pyfix.tables.replyfilter import reply_filter
from pyfix.tables.source import open_or_unavailable
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.tables.srs import RewrittenSenders

__all__ = ["AccessPolicy"]

_RELAY_GUARDS: Final = (
    "reject_unauth_destination",
    "defer_unauth_destination",
    "reject",
    "defer",
    "defer_if_permit",
    "check_relay_domains",
)

_MOST_NAMED: Final = 1000


class AccessPolicy:
    """The compiled restrictions of one main.cf.

    Raises ConfigError when nothing in the relay and recipient lists could ever refuse to relay.
    """

    def __init__(
        self, snapshot: Snapshot, settings: SmtpdSettings, resolver: Resolver, decisions: Decisions | None = None
    ) -> None:
        """*decisions* hears of what each restriction says."""
        self.decisions: Final = decisions
        self.snapshot: Final = snapshot
        self.settings: Final = settings
        self.resolver: Final = resolver
        self.has_filter_before_queue = bool(settings.smtpd_proxy_filter)
        """There is no queue file for access tables to have their way with."""
        self.old: Final = OldDefaults(snapshot)
        self.recipient_delimiter: Final = settings.recipient_delimiter
        self.parent_style: Final = parent_matches("smtpd_access_maps", snapshot)
        self._mynetworks = MatchList("mynetworks", settings.mynetworks, snapshot)
        self.own_addresses: Final = frozenset(
            [own.address for own in own_addresses(snapshot)] + list(proxy_addresses(snapshot))
        )
        self._mydestination = MatchList("mydestination", settings.mydestination, snapshot)
        self._permit_log = MatchList(
            "smtpd_log_access_permit_actions", settings.smtpd_log_access_permit_actions, snapshot
        )
        self.logs_permits: Final = bool(self._permit_log)
        self.unwanted_in_replies: Final = unwanted_bytes(settings.smtpd_expansion_filter)
        """What values of the session must not bring into replies."""
        self.tempfail: Final = TempfailActions(settings)
        self._open_network_questions(snapshot, settings)
        self.local_recipients: Final[Maps] = Maps("local_recipient_maps", settings.local_recipient_maps, snapshot)
        self.relay_recipients: Final[Maps] = Maps("relay_recipient_maps", settings.relay_recipient_maps, snapshot)
        self.virtual_mailboxes: Final[Maps] = Maps("virtual_mailbox_maps", settings.virtual_mailbox_maps, snapshot)
        self.mappings: Final[tuple[Maps, ...]] = tuple(
            maps
            for maps in (
                Maps("recipient_canonical_maps", settings.recipient_canonical_maps, snapshot),
                Maps("canonical_maps", settings.canonical_maps, snapshot),
                Maps("virtual_alias_maps", settings.virtual_alias_maps, snapshot),
            )
            if maps
        )
        """Maps that give an unknown address another one, before any mailbox is looked for."""
        canonical_senders = Maps("sender_canonical_maps", settings.sender_canonical_maps, snapshot)
        self.sender_mappings: Final[tuple[Maps, ...]] = (
            (*self.mappings[:1], canonical_senders, *self.mappings[1:]) if canonical_senders else self.mappings
        )
        """The same for senders."""
        self.takes_unlisted: Final = "no_unknown_recipient_checks" in settings.receive_override_options
        """Whether addresses of ours exist is left to a later service."""
        self.rewritten_senders: RewrittenSenders | None = None
        """Mail to a rewritten sender (SRS) of ours is for somebody; set where there are any."""
        self.sender_logins: Final = Maps("smtpd_sender_login_maps", settings.smtpd_sender_login_maps, snapshot)
        """Who may send as whom."""
        self._open_early(snapshot, settings)
        self._told: set[str] = set()
        self._classes: dict[Stage | None, dict[str, CheckList]] = {}
        self._named: dict[tuple[str, Stage | None], CheckList] = {}
        self.services: Final[dict[str, object]] = {}
        """The policy services, by the argument that names them."""
        self.stress: Final = settings.stress
        for name in settings.smtpd_restriction_classes:
            self.named_list(name)  # one that no list has must be right, too
        self._check_relay_guard()
        self.client = self._compile(CLIENT, "smtpd_client_restrictions")
        self.helo = self._compile(HELO, "smtpd_helo_restrictions")
        self.sender = self._compile(SENDER, "smtpd_sender_restrictions")
        self.relay = self._compile(RECIPIENT, "smtpd_relay_restrictions")
        self.recipient = self._compile(RECIPIENT, "smtpd_recipient_restrictions")
        self.data = self._compile(DATA, "smtpd_data_restrictions")
        self.end_of_data = self._compile(END_OF_DATA, "smtpd_end_of_data_restrictions")
        self.etrn = self._compile(ETRN, "smtpd_etrn_restrictions")
        self.delays = settings.smtpd_delay_reject and bool(
            self.client or self.helo or self.sender or settings.smtpd_reject_unlisted_sender
        )
        """smtpd_delay_reject puts something off until the recipient is known."""

    def _open_network_questions(self, snapshot: Snapshot, settings: SmtpdSettings) -> None:
        """Make ready what asks others: name servers and verify(8)."""
        ipv4, ipv6 = address_families(snapshot)
        self.family = socket.AF_UNSPEC if ipv4 and ipv6 else socket.AF_INET if ipv4 else socket.AF_INET6
        filtered = reply_filter("smtpd_dns_reply_filter", settings.smtpd_dns_reply_filter, snapshot)
        self.dns = Dns(reply_filter=filtered)
        self.dns_lists = DnsLists(self.dns)
        self.rbl_replies = Maps("rbl_reply_maps", settings.rbl_reply_maps, snapshot)
        self.verifier = VerifyClient(
            settings.address_verify_service_name,
            timeout=settings.ipc_timeout,
            idle=settings.ipc_idle,
            ttl=settings.ipc_ttl,
        )

    def _open_early(self, snapshot: Snapshot, settings: SmtpdSettings) -> None:
        """Open what only few sessions ask, or other programs for us: what can't be opened is told of at the start."""
        for name in ("relay_domains", "permit_mx_backup_networks", "smtpd_sasl_exceptions_networks"):
            MatchList(name, snapshot.value(name), snapshot)
        self.relay_clientcerts = Maps("relay_clientcerts", settings.relay_clientcerts, snapshot)
        """Fingerprints of certificates and public keys that may relay."""
        for word in settings.local_header_rewrite_clients:
            if ":" in word:
                open_or_unavailable(word, snapshot)

    def _compile(self, stage: Stage, parameter: str) -> CheckList:
        words: tuple[str, ...] = getattr(self.settings, parameter)
        return self.followed(parameter, compile_list(self, stage, words, self._classes.setdefault(stage, {})))

    def followed(self, place: str, checks: CheckList) -> CheckList:
        """Return the list *checks* so that it tells who decides, where anybody wants to know; *place* names it."""
        return checks if self.decisions is None else self.decisions.follow(place, checks)

    def named_list(self, text: str, home: Stage | None = None) -> CheckList:
        """Return the restrictions that the right-hand side of an access table names.

        A class among them may have tables of the kind that is usual in the list of the stage *home*.
        """
        found = self._named.get((text, home))
        if found is None:
            if len(self._named) >= _MOST_NAMED:
                self._named.clear()  # a policy service may say something else each time
            words = text.replace(",", " ").split()
            checks = compile_list(self, home, words, self._classes.setdefault(home, {}))
            found = self._named[text, home] = self.followed(f'"{text}"', checks)
        return found

    def _check_relay_guard(self) -> None:
        settings = self.settings
        if self._is_guarded(settings.smtpd_recipient_restrictions, ()):
            return
        if self._is_guarded(settings.smtpd_relay_restrictions, ()):
            return
        guards = f"{', '.join(_RELAY_GUARDS[:-1])} or {_RELAY_GUARDS[-1]}"
        raise ConfigError(
            "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, "
            f"specify at least one working instance of: {guards}"
        )

    def _is_guarded(self, words: Sequence[str], inside: tuple[str, ...]) -> bool:
        """Say whether a list of restrictions has one that keeps strangers from relaying, before it permits all.

        *inside*: the classes in which the list stands.
        """
        position = 0
        while position < len(words):
            word = words[position]
            name = word.lower()
            position += 1
            if name in _RELAY_GUARDS:
                return True
            if name == "warn_if_reject":
                position += 1
            elif name == "permit":
                if position < len(words):
                    log.warning(f"restriction `{words[position]}' after `{word}' is ignored")
                return False
            elif word in self.settings.smtpd_restriction_classes and word not in inside:
                guarded = self._is_guarded(self.snapshot.value(word).replace(",", " ").split(), (*inside, word))
                if guarded:
                    return True
        return False

    def may_log_in(self, restriction: str) -> bool:
        """Say whether smtpd_sasl_auth_enable is on; where not, warn that a restriction about logins means nothing."""
        if not self.settings.smtpd_sasl_auth_enable:
            log.warning(f"restriction `{restriction}' ignored: no SASL support")
        return self.settings.smtpd_sasl_auth_enable

    def in_mynetworks(self, address: str) -> bool:
        """Say whether a client's address is in mynetworks.  Raises TableError."""
        return self._mynetworks.matches_address(address)

    async def ask_mynetworks(self, address: str) -> bool:
        """Answer as in_mynetworks(), with tables that may wait."""
        return await self._mynetworks.ask_address(address)

    async def ask_local_domain(self, domain: str) -> bool:
        """Answer as is_local_domain(), with tables that may wait."""
        if literal_to_address(domain) is not None:
            return self.is_local_domain(domain)
        return await self._mydestination.ask_domain(domain)

    @property
    def domains_wait(self) -> bool:
        """Whether mydestination has tables that may wait."""
        return not self._mydestination.local

    @property
    def networks_wait(self) -> bool:
        """Whether mynetworks has tables that may wait."""
        return not self._mynetworks.local

    def is_local_domain(self, domain: str) -> bool:
        """Say whether the domain is in mydestination, or is an address literal of ours."""
        address = literal_to_address(domain)
        if address is not None:
            return address in self.own_addresses
        return self._mydestination.matches_domain(domain)

    def tell_once(self, warning: str) -> None:
        """Log a warning, the first time only."""
        if warning not in self._told:
            self._told.add(warning)
            log.warning(warning)

    def log_form(self, address: str) -> str:
        """Return an envelope address as the log shows it.  Source: postconf(5) info_log_address_format."""
        if self.settings.info_log_address_format == "internal":
            return address
        return external_form(address)

    async def log_permit(
        self, transaction: Transaction, stage: Stage, name: str, subject: str | None = None, origin: str = ""
    ) -> None:
        """Log what was permitted and why, where smtpd_log_access_permit_actions asks for it."""
        if transaction.defer_if_permit is not None:
            return  # it will not be permitted after all
        try:
            wanted = await self._permit_log.ask_string(name)
        except TableError:
            return  # the match list has said so in the log
        if wanted:
            what = stage.subject(transaction) if subject is None else subject
            transaction.log_action("permit", f"action={name} for {stage.label}={what} {origin}")
