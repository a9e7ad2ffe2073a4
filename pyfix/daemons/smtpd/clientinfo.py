"""XCLIENT and XFORWARD.

Source: XCLIENT_README; XFORWARD_README; postconf(5) smtpd_authorized_xclient_hosts,
smtpd_authorized_xforward_hosts.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pyfix.access.transaction import NAME_OK, NAME_PERMANENT, NAME_TEMPORARY, UNKNOWN, Client, Transaction
from pyfix.daemons.smtpd.rights import learn, leave_for_lack_of_data
from pyfix.formats.textforms import printable
from pyfix.protocols.smtp.clientinfo import TEMPORARY, UNAVAILABLE, parse_xclient, parse_xforward
from pyfix.protocols.smtp.command import CommandError, Word
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["xclient", "xforward"]

_NOT_IN_NAME: Final = re.compile(r"[\x00-\x20\x7f\"(),;<>@\\]")
_IN_PROGRESS: Final = "503 5.5.1 Error: MAIL transaction in progress"


async def xclient(session: Session, words: list[Word], _line: str) -> bool | None:
    """XCLIENT: be another client, as far as anybody here can tell; the session begins again.

    Where it does, it counts neither as a command that was in order nor as an error.
    """
    transaction = session.transaction
    if transaction.sender is not None:
        session.reply(_IN_PROGRESS)
        return False
    if "XCLIENT" in session.unknown_rights:
        leave_for_lack_of_data(session, "don't know if command XCLIENT should be allowed from")
    if len(words) > 1 and not session.may_xclient:
        session.note_problem("policy")
        session.reply("550 5.7.0 Error: insufficient authorization")
        return False
    found: dict[str, str] = {}
    try:
        parse_xclient(words[1:], found, ipv6=session.server.ipv6)
    except CommandError as error:
        # What stands before the bad attribute counts, although the session does not begin again.
        _become(session.client, found)
        _take_over(transaction, found)
        session.reply(printable(error.reply, utf8=session.server.utf8))
        return False
    old = session.client
    client = Client(
        old.name,
        old.address,
        old.port,
        reverse_name=old.reverse_name,
        family=old.family,
        server_address=old.server_address,
        server_port=old.server_port,
        name_status=old.name_status,
        reverse_status=old.reverse_status,
    )
    client.connected_from = old.connected_from
    _become(client, found)
    client.describe(session.settings.smtpd_client_port_logging)
    await _begin_again(session, client)
    _take_over(session.transaction, found)
    session.esmtp = session.transaction.protocol == "ESMTP"
    log.debug(f"{old.log_name}: XCLIENT: now {client.log_name}")
    await session.greet()
    return None


def _known(value: str) -> str:
    return "" if value in (UNAVAILABLE, TEMPORARY) else value


def _become(client: Client, found: Mapping[str, str]) -> None:
    """Give *client* the names and addresses that XCLIENT said; the log calls it what it did until it is described."""
    if "NAME" in found:
        client.name = _known(found["NAME"]) or UNKNOWN
        client.name_status = _status(found["NAME"])
        if client.name_status == NAME_OK:
            client.reverse_name = client.name
            client.reverse_status = client.name_status
    if "REVERSE_NAME" in found:
        client.reverse_name = _known(found["REVERSE_NAME"]) or UNKNOWN
        client.reverse_status = _status(found["REVERSE_NAME"])
    if "ADDR" in found:
        client.address = _known(found["ADDR"]) or UNKNOWN
        client.family = socket.AF_INET6 if ":" in client.address else socket.AF_INET
    if "PORT" in found:
        client.port = _known(found["PORT"]) or UNKNOWN
    if "DESTADDR" in found:
        client.server_address = _known(found["DESTADDR"]) or UNKNOWN
    if "DESTPORT" in found:
        client.server_port = _known(found["DESTPORT"]) or UNKNOWN


def _take_over(transaction: Transaction, found: Mapping[str, str]) -> None:
    """Continue with what the other client has said already."""
    if "HELO" in found:
        name = found["HELO"]
        transaction.helo_name = None if name == UNAVAILABLE else _NOT_IN_NAME.sub("?", name)
    if "PROTO" in found:
        transaction.protocol = found["PROTO"]
    if "LOGIN" in found:
        transaction.sasl_username = "" if found["LOGIN"] == UNAVAILABLE else found["LOGIN"]
        transaction.sasl_method = "XCLIENT" if transaction.sasl_username else ""


def _status(value: str) -> int:
    return {UNAVAILABLE: NAME_PERMANENT, TEMPORARY: NAME_TEMPORARY}.get(value, NAME_OK)


async def _begin_again(session: Session, client: Client) -> None:
    """Forget what the session knew, but not what it counted."""
    old = session.transaction
    if session.transcript is not None:
        session.transcript.may_end(session.server, session.client.log_name, always=True)
    session.reset()
    session.leave_milters()
    session.client = client
    session.access_denied = False
    session.transaction = Transaction(session.server.policy, client)
    session.transaction.where = old.where
    session.transaction.tls = old.tls
    session.transaction.ill_pipelining = old.ill_pipelining
    session.esmtp = False
    if session.login is not None:
        session.login = session.login.anew()
    await learn(session, again=True)


async def xforward(session: Session, words: list[Word], _line: str) -> bool:
    """XFORWARD: name the client that the log shall show for the next message."""
    if session.transaction.sender is not None:
        session.reply(_IN_PROGRESS)
        return False
    if "XFORWARD" in session.unknown_rights:
        leave_for_lack_of_data(session, "don't know if command XFORWARD should be allowed from")
    if len(words) > 1 and not session.may_xforward:
        session.note_problem("policy")
        session.reply("550 5.7.0 Error: insufficient authorization")
        return False
    found = dict(session.forwarded)
    try:
        parse_xforward(words[1:], found, ipv6=session.server.ipv6)
    except CommandError as error:
        session.reply(printable(error.reply, utf8=session.server.utf8))
        return False
    finally:
        session.forwarded = found
    session.reply("250 2.0.0 Ok")
    return True
