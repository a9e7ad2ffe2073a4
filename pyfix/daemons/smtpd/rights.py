"""What this client, by its name and address, is allowed and offered.

Source: postconf(5) smtpd_authorized_xclient_hosts, smtpd_authorized_xforward_hosts, smtpd_authorized_verp_clients,
smtpd_discard_ehlo_keyword_address_maps, smtpd_forbid_bare_newline_exclusions, smtpd_milter_maps.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from pyfix.runtime.log import log
from pyfix.tables.matchlist import MatchList
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["SessionEnds", "is_listed", "learn", "leave_for_lack_of_data", "may_verp"]


class SessionEnds(Exception):
    """The session ends now, after the replies that are written."""


async def learn(session: Session, *, again: bool = False) -> None:
    """Ask the lists of clients; what can't be told is kept in ``unknown_rights``.

    *again*: after XCLIENT, which leaves XFORWARD to the client that was there first.
    """
    server = session.server
    if server.stand_alone:
        session.newline_mode = "no"
        return
    name, address = session.client.name, session.client.address
    session.newline_mode = server.bare_newline
    if not server.rights_differ:
        if server.bare_newline != "no" and await is_listed(server.bare_newline_exclusions.ask_client(name, address)):
            session.newline_mode = "no"
        return
    unknown: set[str] = {"XFORWARD"} if again and "XFORWARD" in session.unknown_rights else set()

    async def listed(right: str, clients: MatchList) -> bool:
        try:
            return bool(clients) and await clients.ask_client(name, address)
        except TableError:
            unknown.add(right)
            return False

    try:
        session.discarded = await server.discarded_for(address)
    except TableError:
        session.discarded = server.discarded
        unknown.add("")
    session.may_xclient = await listed("XCLIENT", server.xclient_hosts)
    if not again:
        session.may_xforward = await listed("XFORWARD", server.xforward_hosts)
    if server.bare_newline != "no" and await listed("LF", server.bare_newline_exclusions):
        session.newline_mode = "no"
    session.unknown_rights = unknown
    if server.milters is not None:
        value = None
        with suppress(TableError):  # it is told of in the log, and smtpd_milters stands
            value = await server.milter_maps.find(address) if server.milter_maps else None
        session.milters = server.milters.of(session, value)


async def may_verp(session: Session) -> bool:
    """Tell whether the client may use XVERP; asked when it matters, and kept in ``unknown_rights`` if nobody knows."""
    clients = session.server.verp_clients
    if not clients or session.server.stand_alone:
        return False
    try:
        return await clients.ask_client(session.client.name, session.client.address)
    except TableError:
        session.unknown_rights = session.unknown_rights | {"XVERP"}
        return False


async def is_listed(asked: Awaitable[bool]) -> bool:
    """Ask a match list; one that can't be asked has nothing in it, and has said so in the log."""
    try:
        return await asked
    except TableError:
        return False


def leave_for_lack_of_data(session: Session, problem: str = "") -> NoReturn:
    """End the session because a table that decides what the client may do can't be asked.  Raises SessionEnds."""
    client, transaction = session.client.log_name, session.transaction
    if problem:
        log.warning(f"{problem} {client}")
    reply = f"421 4.3.0 {session.server.hostname} Server local data error"
    log.info(f"{transaction.queue_id or 'NOQUEUE'}: reject: {transaction.where} from {client}: {reply}")
    session.blame("data")
    session.reply(reply)
    raise SessionEnds
