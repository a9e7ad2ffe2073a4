"""What all sessions of a process share for access control: lists, tables, networks.

Source: postconf(5) mynetworks, smtpd_restriction_classes, smtpd_log_access_permit_actions,
parent_domain_matches_subdomains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyfix.access.evaluate import CheckList, compile_list
from pyfix.access.old_defaults import OldDefaults
from pyfix.access.stage import CLIENT, DATA, END_OF_DATA, ETRN, HELO, RECIPIENT, SENDER, Stage
from pyfix.access.transaction import Transaction, external_form
from pyfix.clients.resolve import Resolver
from pyfix.config.errors import ConfigError
from pyfix.config.own_networks import own_addresses, proxy_addresses
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.formats.domain import literal_to_address
from pyfix.runtime.log import log
from pyfix.tables.maps import Maps
from pyfix.tables.matchlist import MatchList, parent_matches
from pyfix.tables.source import open_or_unavailable
from pyfix.tables.table import TableError

__all__ = ["AccessPolicy"]

_RELAY_GUARDS: Final = (
    "reject_unauth_destination",
    "defer_unauth_destination",
    "reject",
    "defer",
    "defer_if_permit",
    "check_relay_domains",
)


class AccessPolicy:
    """The compiled restrictions of one main.cf.

    Raises ConfigError when nothing in the relay and recipient lists could ever refuse to relay.
    """

    def __init__(self, snapshot: Snapshot, settings: SmtpdSettings, resolver: Resolver) -> None:
        self.snapshot: Final = snapshot
        self.settings: Final = settings
        self.resolver: Final = resolver
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
        self._open_early(snapshot, settings)
        self._classes: dict[Stage | None, dict[str, CheckList]] = {}
        self._named: dict[str, CheckList] = {}
        for name in settings.smtpd_restriction_classes:
            self.named_list(name)  # one that no list has must be right, too
        self._check_relay_guard()
        self.client = self._compile(CLIENT, settings.smtpd_client_restrictions)
        self.helo = self._compile(HELO, settings.smtpd_helo_restrictions)
        self.sender = self._compile(SENDER, settings.smtpd_sender_restrictions)
        self.relay = self._compile(RECIPIENT, settings.smtpd_relay_restrictions)
        self.recipient = self._compile(RECIPIENT, settings.smtpd_recipient_restrictions)
        self.data = self._compile(DATA, settings.smtpd_data_restrictions)
        self.end_of_data = self._compile(END_OF_DATA, settings.smtpd_end_of_data_restrictions)
        self.etrn = self._compile(ETRN, settings.smtpd_etrn_restrictions)
        self.delays = settings.smtpd_delay_reject and bool(
            self.client or self.helo or self.sender or settings.smtpd_reject_unlisted_sender
        )
        """smtpd_delay_reject puts something off until the recipient is known."""

    @staticmethod
    def _open_early(snapshot: Snapshot, settings: SmtpdSettings) -> None:
        """Open what only few sessions ask, or other programs for us: what can't be opened is told of at the start."""
        for name in ("relay_domains", "permit_mx_backup_networks", "smtpd_sasl_exceptions_networks"):
            MatchList(name, snapshot.value(name), snapshot)
        for name in ("relay_clientcerts", "rbl_reply_maps", "smtpd_sender_login_maps", "smtpd_dns_reply_filter"):
            Maps(name, snapshot.value(name), snapshot)
        for word in settings.local_header_rewrite_clients:
            if ":" in word:
                open_or_unavailable(word, snapshot)

    def _compile(self, stage: Stage, words: tuple[str, ...]) -> CheckList:
        return compile_list(self, stage, words, self._classes.setdefault(stage, {}))

    def named_list(self, text: str) -> CheckList:
        """Return the restrictions that the right-hand side of an access table names."""
        found = self._named.get(text)
        if found is None:
            found = self._named[text] = compile_list(
                self, None, text.replace(",", " ").split(), self._classes.setdefault(None, {})
            )
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

    def log_form(self, address: str) -> str:
        """Return an envelope address as the log shows it.  Source: postconf(5) info_log_address_format."""
        if self.settings.info_log_address_format == "internal":
            return address
        return external_form(address)

    def log_permit(
        self, transaction: Transaction, stage: Stage, name: str, subject: str | None = None, origin: str = ""
    ) -> None:
        """Log what was permitted and why, where smtpd_log_access_permit_actions asks for it."""
        try:
            wanted = self._permit_log.matches_string(name)
        except TableError:
            return  # the match list has said so in the log
        if wanted:
            what = stage.subject(transaction) if subject is None else subject
            transaction.log_action("permit", f"action={name} for {stage.label}={what} {origin}")
