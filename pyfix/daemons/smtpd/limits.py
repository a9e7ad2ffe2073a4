"""Limits by client, which anvil(8) counts for all smtpd processes together.

Source: TUNING_README; postconf(5) smtpd_client_connection_count_limit and its neighbours,
smtpd_client_event_limit_exceptions.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from pyfix.clients.anvil import AUTH, MESSAGE, NEW_TLS, NEW_TLS_STATUS, RECIPIENT
from pyfix.runtime.daemon import background
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = [
    "admitted", "gone", "leaves", "may_authenticate", "may_name_recipient", "may_send_message", "may_start_tls",
    "tls_began",
]  # fmt: skip


def _ident(session: Session) -> str:
    """Return what anvil counts: the service and the client's address or network."""
    address = session.client.address
    settings = session.settings
    length, full = (
        (settings.smtpd_client_ipv6_prefix_length, 128)
        if ":" in address
        else (settings.smtpd_client_ipv4_prefix_length, 32)
    )
    if length < full:
        address = str(ip_network(f"{address}/{length}", strict=False))
    return f"{session.server.service}:{address}"


async def admitted(session: Session) -> bool:
    """Count the client in; refuse it when there are too many connections from its address."""
    client = session.client
    server = session.server
    if session.counted:
        gone(session)
        session.counted = ""
    if client.family == 0 or await _is_excepted(session):
        return True
    session.counted = _ident(session)
    counts = await server.anvil.connected(session.counted)
    if counts is None:
        return True
    settings = session.settings
    count, rate = counts
    session.connections = count
    if 0 < settings.smtpd_client_connection_count_limit < count:
        what, number = "concurrency", count
    elif 0 < settings.smtpd_client_connection_rate_limit < rate:
        what, number = "rate", rate
    else:
        return True
    session.reply(f"421 4.7.0 {server.hostname} Error: too many connections from {client.address}")
    log.warning(f"Connection {what} limit exceeded: {number} from {client.log_name} for service {server.service}")
    return False


async def _is_excepted(session: Session) -> bool:
    """Ask smtpd_client_event_limit_exceptions; where it can't be asked the limits hold."""
    try:
        return await session.server.limit_exceptions.ask_client(session.client.name, session.client.address)
    except TableError:
        return False


async def leaves(session: Session) -> None:
    """Ask for the exceptions once more, as Postfix does: a table that can't be asked says so when the client leaves."""
    if session.server.counts_clients and not session.may_xclient and session.client.family:
        await _is_excepted(session)


def gone(session: Session) -> None:
    """Count the client out."""
    background(session.server.anvil.disconnected(session.counted))


async def may_send_message(session: Session) -> bool:
    """Count MAIL; say whether the client is within smtpd_client_message_rate_limit."""
    limit = session.settings.smtpd_client_message_rate_limit
    return await _is_within(session, MESSAGE, limit, "too much mail", "Message delivery request")


async def may_name_recipient(session: Session) -> bool:
    """Count RCPT; say whether the client is within smtpd_client_recipient_rate_limit."""
    limit = session.settings.smtpd_client_recipient_rate_limit
    return await _is_within(session, RECIPIENT, limit, "too many recipients", "Recipient address")


async def may_authenticate(session: Session) -> bool:
    """Count AUTH; say whether the client is within smtpd_client_auth_rate_limit."""
    limit = session.settings.smtpd_client_auth_rate_limit
    return await _is_within(session, AUTH, limit, "too many AUTH commands", "AUTH command")


async def _is_within(session: Session, event: str, limit: int, problem: str, what: str) -> bool:
    """Count *event*; above *limit* (0: none) refuse it with *problem*, and log *what* there was too much of."""
    if not session.counted:
        return True
    rate = await session.server.anvil.event(event, session.counted)
    if rate is None or limit <= 0 or rate <= limit:
        return True
    session.reply(f"450 4.7.1 Error: {problem} from {session.client.address}")
    client, service = session.client.log_name, session.server.service
    log.warning(f"{what} rate limit exceeded: {rate} from {client} for service {service}")
    return False


async def may_start_tls(session: Session) -> bool:
    """Say, before a handshake, whether the client is within smtpd_client_new_tls_session_rate_limit."""
    rate = await _new_tls_sessions(session, NEW_TLS_STATUS)
    if rate is None:
        return True
    session.reply(f"454 4.7.0 Error: too many new TLS sessions from {session.client.log_name}")
    _tell_of_tls(session, rate, "STARTTLS")
    return False


async def tls_began(session: Session, *, failed: bool) -> bool:
    """Count a new TLS session, or the attempt of one; say whether it may go on."""
    rate = await _new_tls_sessions(session, NEW_TLS)
    if rate is None or failed:
        return True
    session.reply(
        f"421 4.7.0 {session.server.hostname} Error: too many new TLS sessions from {session.client.log_name}"
    )
    _tell_of_tls(session, rate, "TLS service")
    return False


async def _new_tls_sessions(session: Session, event: str) -> int | None:
    """Return how many there were, if there were too many."""
    limit = session.settings.smtpd_client_new_tls_session_rate_limit
    if limit <= 0:
        return None
    ident = session.counted or await _ident_to_be(session)
    if not ident:
        return None
    rate = await session.server.anvil.event(event, ident)
    return rate if rate is not None and rate > limit else None


async def _ident_to_be(session: Session) -> str:
    """Return what anvil will know a client as that is not counted in yet; empty when it will not be."""
    if session.may_xclient or session.client.family == 0 or await _is_excepted(session):
        return ""
    return _ident(session)


def _tell_of_tls(session: Session, rate: int, what: str) -> None:
    client, service = session.client.log_name, session.server.service
    log.warning(f"New TLS session rate limit exceeded: {rate} from {client} for service {service}")
    log.warning(f"Refusing {what} request from {client} for service {service}")
