"""Where mail for an address goes: address class, delivery transport, next-hop destination, recipient.

Source: trivial-rewrite(8) RESOLVE; ADDRESS_CLASS_README; postconf(5) of the parameters named here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.formats.address import is_standard, quote_address
from pyfix.formats.domain import ascii_complaint, hostaddr_complaint, is_hostaddr, is_hostname, valid_mailhost_literal
from pyfix.formats.tokens import LITERAL, QUOTED, Token, internal_text, scan
from pyfix.protocols.internal.rewrite import (
    CLASS_ALIAS,
    CLASS_DEFAULT,
    CLASS_LOCAL,
    CLASS_RELAY,
    CLASS_VIRTUAL,
    ERROR,
    FAIL,
    ROUTED,
    ResolveReply,
)
from pyfix.rewriting.resolving.address_class import AddressClasses, ClassError
from pyfix.rewriting.resolving.complaint import complaints
from pyfix.rewriting.resolving.local_domain import LocalDomains
from pyfix.rewriting.resolving.relocated import RelocatedTable
from pyfix.rewriting.resolving.rewrite import AT, BANG, DOT, LOCAL, PERCENT, Rewriter, last_at
from pyfix.rewriting.resolving.sender_dependent import SenderTable
from pyfix.rewriting.resolving.transport import Destination, TransportTable, split_destination
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

# What a reply says about a part that could not be found out.
NO_TRANSPORT: Final = "CHANNEL NOT UPDATED"
NO_NEXTHOP: Final = "NEXTHOP NOT UPDATED"
NO_RECIPIENT: Final = "NEXTRCPT NOT UPDATED"

_MOST_ROUNDS: Final = 100
"""An address with more routes inside each other than this is given up."""


_MOST_EXPLAINED: Final = 100
"""Domains that the log has been told about and that need not be told again."""


class Place(NamedTuple):
    """An address taken apart as far as its domain."""

    recipient: str
    domain: str
    local: bool
    routed: bool
    bad: bool
    """The domain is no name and no address."""


class Routes:
    """The transports and tables that ordinary mail goes by, or those of address verification probes."""

    def __init__(self, settings: RewriteSettings, clock: Callable[[], float], *, verify: bool) -> None:
        """*verify* takes the address_verify_... parameters."""
        prefix: Final = "address_verify_" if verify else ""

        def value(name: str) -> str:
            text: str = getattr(settings, prefix + name)
            return text

        def tables(name: str) -> tuple[str, ...]:
            words: tuple[str, ...] = getattr(settings, prefix + name)
            return words

        self.prefix: Final = prefix
        self.by_class: Final = {
            CLASS_LOCAL: ("local_transport", value("local_transport")),
            CLASS_VIRTUAL: ("virtual_transport", value("virtual_transport")),
            CLASS_RELAY: ("relay_transport", value("relay_transport")),
            CLASS_DEFAULT: ("default_transport", value("default_transport")),
        }
        self.relayhost: Final = value("relayhost")
        self.transport: Final = TransportTable(prefix + "transport_maps", tables("transport_maps"), settings, clock)
        self.sender_relayhost: Final = SenderTable(
            prefix + "sender_dependent_relayhost_maps",
            tables("sender_dependent_relayhost_maps"),
            settings.empty_address_relayhost_maps_lookup_key,
            settings,
        )
        self.sender_transport: Final = SenderTable(
            prefix + "sender_dependent_default_transport_maps",
            tables("sender_dependent_default_transport_maps"),
            settings.empty_address_default_transport_maps_lookup_key,
            settings,
        )


class Resolver:
    """The resolving rules of one configuration."""

    def __init__(
        self,
        settings: RewriteSettings,
        rewriter: Rewriter,
        local: LocalDomains,
        classes: AddressClasses,
        clock: Callable[[], float],
    ) -> None:
        """Open the tables.  *clock* gives seconds."""
        self._settings: Final = settings
        self._rewriter: Final = rewriter
        self._local: Final = local
        self._classes: Final = classes
        self._utf8: Final = settings.smtputf8_enable
        self._explained: Final[set[str]] = set()
        self._relocated: Final = RelocatedTable(settings, local)
        self.ordinary: Final = Routes(settings, clock, verify=False)
        self.verify: Final = Routes(settings, clock, verify=True)

    async def prepare(self) -> None:
        """Look up what holds for all addresses, so that the first request need not wait for it."""
        await self.ordinary.transport.refresh()
        await self.verify.transport.refresh()

    async def resolve(self, sender: str, address: str, *, verify: bool = False) -> ResolveReply:
        """Return where mail from *sender* for *address*, both in internal form, goes.  *verify*: a probe."""
        try:
            place = await self._place(address)
        except TableError:
            return ResolveReply(0, NO_TRANSPORT, NO_NEXTHOP, NO_RECIPIENT, FAIL)
        if place.bad:
            return ResolveReply(0, NO_TRANSPORT, NO_NEXTHOP, place.recipient, CLASS_DEFAULT | ERROR)
        routes = self.verify if verify else self.ordinary
        flags = ROUTED if place.routed else 0
        if place.local:
            flags |= CLASS_LOCAL
            await self._classes.warn_if_listed(place.domain)
        else:
            try:
                flags |= await self._classes.classify(place.domain)
            except ClassError:
                return ResolveReply(0, NO_TRANSPORT, NO_NEXTHOP, place.recipient, flags | FAIL)
        return await self._route(routes, sender, place, flags)

    # The address

    async def _place(self, address: str) -> Place:
        """Follow the routes that *address* has by way of our own domains.  Raises TableError."""
        if is_standard(address) and not address[-1].isdigit():
            name = address[address.rindex("@") + 1 :]
            local = await self._local.match(name)
            return Place(address, name, local, False, not local and not is_hostname(name))
        tokens = scan(quote_address(address)) if address else []
        domain: list[Token] | None = None  # the last domain that was taken off because it is ours
        for _ in range(_MOST_ROUNDS):
            at = last_at(tokens)
            if at >= 0:
                if tokens[-1] == DOT and tokens[-2] not in (AT, DOT):
                    tokens = tokens[:-1]
                if tokens[-1] == AT and self._settings.resolve_null_domain:
                    tokens = tokens[:-1]
                    at = last_at(tokens)
            if at >= 0:
                last = tokens[at + 1 :]
                if last and (last[-1] == DOT or not await self._local.match(internal_text(last))):
                    break
                domain = last
                tokens = tokens[:at]
            if not tokens or tokens == [(QUOTED, "")]:
                tokens = scan(self._settings.empty_address_recipient)
            route = self._inner_route(tokens)
            if route is None:
                break
            tokens = self._rewriter.rewrite_tokens(LOCAL, route)
        else:
            complaints.warn(f"resolve_addr: <{address}>: giving up after {_MOST_ROUNDS} iterations")
        at = last_at(tokens)
        if at >= 0:
            return await self._foreign(tokens, at)
        return await self._own(tokens, domain)

    def _inner_route(self, tokens: list[Token]) -> list[Token] | None:
        """Return the tokens of a localpart that is itself an address with a route, or None."""
        swap, percent = self._settings.swap_bangpath, self._settings.allow_percent_hack
        if len(tokens) == 1 and tokens[0][0] == QUOTED and self._settings.resolve_dequoted_address:
            text = tokens[0][1]
            if "@" in text:
                return scan(quote_address(text))
            if percent and "%" in text:
                user, _, site = text.rpartition("%")
                return scan(quote_address(f"{user}@{site}"))
            if swap and "!" in text:
                return scan(text)
            return None
        if AT in tokens or (swap and BANG in tokens) or (percent and PERCENT in tokens):
            return tokens
        return None

    async def _foreign(self, tokens: list[Token], at: int) -> Place:
        """Take apart an address whose domain is not a local name.  Raises TableError."""
        localpart, _, domain = internal_text(tokens).rpartition("@")
        routed = _has_route(localpart)
        local = False
        if self._settings.resolve_numeric_domain and is_hostaddr(domain):
            domain = f"[IPv6:{domain}]" if ":" in domain else f"[{domain}]"
            tokens = [*tokens[: at + 1], (LITERAL, domain)]
            local = await self._local.match(domain)
        if domain.startswith("["):
            bad = not valid_mailhost_literal(domain)
            complaint = hostaddr_complaint(domain) if bad else None
            if complaint:
                complaints.warn(complaint)
        else:
            bad = not is_hostname(domain) or not (self._utf8 or domain.isascii())
            if bad and self._utf8:
                self._explain(domain)
        return Place(internal_text(tokens), domain, local, routed, bad)

    def _explain(self, domain: str) -> None:
        """Tell, once, why an internationalised domain has no ASCII form."""
        complaint = ascii_complaint(domain)
        if complaint and complaint not in self._explained:
            if len(self._explained) >= _MOST_EXPLAINED:
                self._explained.clear()
            self._explained.add(complaint)
            log.warning(complaint)

    async def _own(self, tokens: list[Token], domain_tokens: list[Token] | None) -> Place:
        """Take apart an address whose domain is local, or that has none and so is one of myhostname.

        Raises TableError.
        """
        local = True
        if domain_tokens is None or (not domain_tokens and self._settings.resolve_null_domain):
            domain_tokens = scan(self._settings.myhostname)
            local = await self._local.match(self._settings.myhostname)
        domain = internal_text(domain_tokens)
        recipient = internal_text([*tokens, AT, *domain_tokens])
        return Place(recipient, domain, local, _has_route(internal_text(tokens)), not domain)

    # The way

    async def _route(self, routes: Routes, sender: str, place: Place, flags: int) -> ResolveReply:
        """Find transport and next hop; the tables of particular addresses come last."""
        recipient = place.recipient
        if flags & CLASS_ALIAS:
            where = " in virtual alias table" if self._settings.show_user_unknown_table_name else ""
            destination = Destination("error", f"5.1.1 User unknown{where}")
        else:
            try:
                name, transport = await self._by_class(routes, sender, flags)
            except TableError:
                return ResolveReply(0, NO_TRANSPORT, NO_NEXTHOP, recipient, (flags & ~CLASS_DEFAULT) | FAIL)
            try:
                nexthop = await self._next_hop(routes, sender, place, flags)
            except TableError:
                return ResolveReply(0, transport, NO_NEXTHOP, recipient, flags | FAIL)
            destination = split_destination(transport)
            if not destination.nexthop:
                destination = Destination(destination.transport, nexthop)
            if not destination.transport:
                complaints.warn(
                    f"file {self._settings.snapshot.config_directory}/main.cf: "
                    f"parameter {routes.prefix}{name}: null transport is not allowed"
                )
                return ResolveReply(0, *destination, recipient, flags | FAIL)
            try:
                found = await routes.transport.find(recipient, place.domain, destination)
            except TableError:
                complaints.warn(f"{routes.transport.maps.parameter_name} lookup failure")
                return ResolveReply(0, *destination, recipient, flags | FAIL)
            if found is not None:
                destination = found
        try:
            moved = await self._relocated.find(recipient)
        except TableError:
            complaints.warn("relocated_maps lookup failure")
            return ResolveReply(0, *destination, recipient, flags | FAIL)
        if moved is not None:
            destination = Destination("error", moved)
        if recipient.startswith("-") and not self._settings.allow_min_user:
            flags |= ERROR
        return ResolveReply(0, *destination, recipient, flags)

    async def _by_class(self, routes: Routes, sender: str, flags: int) -> tuple[str, str]:
        """Return the parameter for the class, and its transport, perhaps with a next hop.  Raises TableError."""
        if flags & CLASS_DEFAULT:
            found = await routes.sender_transport.find(sender)
            if found is not None:
                return "sender_dependent_default_transport_maps", found
        return next(choice for bit, choice in routes.by_class.items() if flags & bit)

    async def _next_hop(self, routes: Routes, sender: str, place: Place, flags: int) -> str:
        """Return the next hop, if the transport will name none.  Raises TableError."""
        if flags & (CLASS_RELAY | CLASS_DEFAULT):
            found = await routes.sender_relayhost.find(sender)
            if found is not None:
                return found
            if routes.relayhost:
                return routes.relayhost
        return place.domain


def _has_route(localpart: str) -> bool:
    return "@" in localpart or "%" in localpart or "!" in localpart
