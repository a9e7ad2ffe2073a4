"""The course of one delivery: destinations, their servers, sessions, until no recipient is left.

Source: postconf(5) smtp_fallback_relay, smtp_mx_address_limit, smtp_mx_session_limit, relayhost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyfix.daemons.smtp.complaint import end_of_message
from pyfix.daemons.smtp.courier import Courier
from pyfix.daemons.smtp.destination import Destination, parse_destination
from pyfix.daemons.smtp.envelope import needs_utf8
from pyfix.daemons.smtp.failure import Failure
from pyfix.daemons.smtp.kept import KeptSessions
from pyfix.daemons.smtp.lookup import Lookup
from pyfix.daemons.smtp.opening import Opening
from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.session import Session
from pyfix.daemons.smtp.setup import Setup
from pyfix.daemons.smtp.shared import SharedSessions
from pyfix.daemons.smtp.transaction import Transaction
from pyfix.protocols.internal.delivery import CONN_LOAD, CONN_STORE, STATUS_FINAL
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.tables.matchlist import MatchList

_UNIX: Final = "unix:"
_INET: Final = "inet:"


class Agent:
    """What all deliveries of one process share."""

    def __init__(self, setup: Setup, lookup: Lookup) -> None:
        """Raises ConfigError."""
        settings = setup.settings
        self.setup: Final = setup
        self.lookup: Final = lookup
        self.shared: Final = SharedSessions(setup)
        self.kept: Final = KeptSessions(
            settings.smtp_connection_cache_time_limit, settings.smtp_connection_reuse_count_limit, self.shared
        )
        self.cached: Final = MatchList(
            f"{setup.prefix}_connection_cache_destinations",
            settings.smtp_connection_cache_destinations,
            settings.snapshot,
            match_parents=False,
        )
        """Destinations whose sessions are always kept."""


class Attempts:
    """Tries servers for the recipients of one courier."""

    def __init__(self, courier: Courier, agent: Agent) -> None:
        self._courier: Final = courier
        self._agent: Final = agent
        self._setup: Final = agent.setup
        self._settings: Final = agent.setup.settings
        self._opening: Final = Opening(courier, agent.setup)
        self._first = ""
        """The first destination."""
        self._in_fallback = False
        self._load = self._store = False
        """Sessions that are kept are to be used; used ones are to be kept."""
        self._shares: Final = agent.setup.login is None
        """Sessions of other destinations may be used: nobody logs in."""
        self._by_sender: Final = not self._shares and self._settings.smtp_sender_dependent_authentication
        """Sessions of other senders may not be used."""
        self._label = ""
        """The destination for which sessions are kept, beside their servers."""

    async def deliver(self) -> None:
        """Deliver to all recipients, or report why not.  Raises BadDestination."""
        courier = self._courier
        nexthop = courier.delivery.request.nexthop
        if self._setup.lmtp and nexthop.startswith(_UNIX):
            await self._try_path(nexthop[len(_UNIX) :])
        else:
            if self._setup.lmtp and nexthop.startswith(_INET):
                nexthop = nexthop[len(_INET) :]
            await self._try_hosts(nexthop.replace(",", " ").split())
        if not courier.done:
            await self._give_up()

    async def _try_path(self, path: str) -> None:
        """Deliver over a socket in the file system."""
        self._courier.final_server = True
        await self._choose_caching(path)
        server = Server(_UNIX + path, self._settings.myhostname, path)
        kept = self._agent.kept.take_for_server(server) if self._load and self._shares else None
        if not await self._use_kept(kept, by_server=True):
            await self._use_new(server)

    async def _try_hosts(self, names: Sequence[str]) -> None:
        sites = list(names)
        self._first = sites[0] if sites else ""
        sites += self._settings.smtp_fallback_relay
        for number, name in enumerate(sites):
            self._in_fallback = number >= len(names)
            destination = parse_destination(name, self._settings.smtp_tcp_port)
            found = await self._agent.lookup.servers(destination)
            if isinstance(found, Failure):
                self._courier.problem = found
                if found.loops:
                    if self._settings.best_mx_transport:
                        await self._pass_all()
                    break
            else:
                if not number:
                    await self._choose_caching(destination.host)
                await self._try_servers(destination, found, last=number == len(sites) - 1, first=not number)
            if self._courier.done:
                break

    async def _pass_all(self) -> None:
        """Let the agent of best_mx_transport deliver what would come back to us."""
        from pyfix.delivery.passing import pass_on, protocol_of  # few sites use it

        courier, settings = self._courier, self._settings
        protocol = protocol_of(settings.snapshot)
        for index, recipient in courier.undecided():
            try:
                reply = await pass_on(
                    settings.best_mx_transport, courier.delivery, recipient, settings.ipc_timeout, protocol
                )
            except ServiceError as error:
                log.warning(f"{courier.queue_id}: {error}")
                await courier.fail_all(Failure("4.3.0", "mail transport unavailable"), throttle=False)
                return
            courier.passed_on(index, finished=reply.status == STATUS_FINAL)
        courier.leave()

    async def _choose_caching(self, name: str) -> None:
        """Decide whether sessions are to be taken from those that are kept, and kept."""
        if self._agent.cached and await self._agent.cached.ask_domain(name):
            self._load = self._store = True
        elif self._settings.smtp_connection_cache_on_demand:
            flags = self._courier.delivery.request.flags
            self._load, self._store = bool(flags & CONN_LOAD), bool(flags & CONN_STORE)

    async def _try_servers(
        self, destination: Destination, servers: Sequence[Server], *, last: bool, first: bool
    ) -> None:
        """Try the servers of one destination; *last*: there is no other destination, *first*: there was none before."""
        courier, settings = self._courier, self._settings
        left = list(servers)
        best = left[0].preference
        sessions = tried = 0
        self._label = self._label_of(destination) if first and self._store else ""
        if self._load:
            sessions = tried = await self._use_all_kept(destination, left, best, last=last)
        while left and not courier.done:
            server = left.pop(0)
            tried += 1
            is_last = not left or tried == settings.smtp_mx_address_limit
            courier.final_server = last and is_last
            kept = None
            if self._load and self._shares and server.preference != best:
                kept = await self._take_for_server(server)
            if not await self._use_kept(kept, by_server=True):
                session = await self._open(server)
                if session is None:
                    if is_last:
                        break
                    continue
                sessions += 1
                is_last = is_last or sessions == settings.smtp_mx_session_limit
                courier.final_server = last and is_last
                await self._use(session)
            if is_last:
                break

    async def _use_all_kept(self, destination: Destination, left: list[Server], best: int, *, last: bool) -> int:
        """Deliver over sessions that are kept, and take their servers out of the list; return their number."""
        courier, kept = self._courier, self._agent.kept
        used = 0
        label = self._label_of(destination)
        session = kept.take_for_destination(label)
        if session is None and self._shares:
            session = await self._agent.shared.take_for_destination(label)
        candidates = [server for server in left if self._shares and server.preference == best]
        by_server = False
        while not courier.done:
            while session is None and candidates:
                session, by_server = await self._take_for_server(candidates.pop(0)), True
            if session is None:
                break
            address = session.server.address
            rest = [server for server in left if server.address != address]
            used += 1
            courier.final_server = last and (not rest or used == self._settings.smtp_mx_session_limit)
            if await self._use_kept(session, by_server=by_server):
                left[:] = rest
            else:
                used -= 1
            candidates = [server for server in candidates if server.address != address]
            session = None
        return used

    async def _take_for_server(self, server: Server) -> Session | None:
        """Take a session with a server, our own or else one that another process has left."""
        session = self._agent.kept.take_for_server(server)
        return session if session is not None else await self._agent.shared.take_for_server(server)

    def _label_of(self, destination: Destination) -> str:
        """Return what sessions are kept for; a line of it is the sender where that decides who logs in."""
        label = destination.text.lower()
        return f"{label}\n{self._courier.delivery.request.sender}" if self._by_sender else label

    async def _use_kept(self, session: Session | None, *, by_server: bool) -> bool:
        """Deliver over a session that was kept; tell whether it was still good.

        *by_server*: it was found by the server, of whose TLS policy we then know.
        """
        if session is None:
            return False
        request = self._courier.delivery.request
        lacks = needs_utf8(request) and "SMTPUTF8" not in session.offer
        if lacks or not await self._setup.encryption.fits(session):
            # What another destination was content with may be too little for this one.
            session.say("QUIT")
            session.close()
            return False
        courier = self._courier
        courier.meet(session.server)
        session.queue_id = courier.queue_id
        courier.tls = f"{session.level}?" if by_server else ""
        courier.reuse_count = session.reuse_count
        return await self._use(session)

    async def _open(self, server: Server) -> Session | None:
        self._courier.problem = None
        return await self._opening.session(server)

    async def _use_new(self, server: Server) -> None:
        session = await self._open(server)
        if session is not None:
            await self._use(session)

    async def _use(self, session: Session) -> bool:
        """Offer the message to the server, and keep or close the session; tell whether it was good for that."""
        kept = self._agent.kept
        keep = self._store and session.encrypted is None and kept.may_keep(session)
        try:
            good = await Transaction(session, self._courier, self._setup, keep=keep).run()
        except BaseException:
            session.close()
            raise
        if keep and good and not session.lost and not session.worn and session.idle_and_alive:
            kept.save(session, self._label)
        else:
            session.close()
        self._courier.leave()
        end_of_message(session, self._setup)
        return good

    async def _give_up(self) -> None:
        """Report of those who are left; what could be a fault of the configuration bounces nothing."""
        courier = self._courier
        problem = courier.problem
        if problem is not None and not problem.soft:
            culprit = ""
            if self._in_fallback:
                culprit = f"{self._setup.prefix}_fallback_relay"
            elif not self._setup.lmtp and self._first == self._settings.relayhost:
                culprit = "relayhost"
            if culprit:
                log.warning(f"{culprit} configuration problem")
                courier.problem = problem._replace(status="4.3.5")
        await courier.give_up()
