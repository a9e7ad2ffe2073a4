"""Logging in at a server.

Source: RFC 4954; SASL_README; postconf(5) smtp_sasl_auth_enable, smtp_sasl_auth_soft_bounce.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.daemons.smtp.courier import Courier
from pyfix.daemons.smtp.failure import Failure, Misconfigured, refusal
from pyfix.daemons.smtp.greeting import local_data_error
from pyfix.daemons.smtp.session import ServerLost, Session
from pyfix.daemons.smtp.setup import Setup
from pyfix.runtime.log import log
from pyfix.sasl.client import ClientLogin, Login, LoginImpossible
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.protocols.sasl.mechanism import ClientMechanism
    from pyfix.protocols.smtp.client_reply import Reply

__all__ = ["log_in"]

_HIDDEN: Final = "<hidden>"
_LONGEST: Final = 510
"""Characters of a command; a longer initial response waits for the first challenge."""
_GARBLED: Final = "bad protocol / cancel"
_INCOMPLETE: Final = "another step is needed in authentication"


async def log_in(session: Session, courier: Courier, setup: Setup, known: ClientLogin) -> Failure | None:
    """Log in where there is a password for this server; return why that failed.  Raises Misconfigured."""
    session.personal = True
    if "AUTH" not in session.offer:
        return None
    server = session.server
    offered = session.offer.mechanisms.split()
    try:
        usable = await known.filtered(offered)
    except LoginImpossible as error:
        raise Misconfigured(str(error)) from None
    if not offered:
        log.warning(f"{server.full_name} offered null AUTH mechanism list")
    elif not usable:
        log.warning(f"{server.full_name} offered no supported AUTH mechanisms: '{session.offer.mechanisms}'")
    request = courier.delivery.request
    try:
        login = await known.find(request.sender, server.host, server.destination)
    except TableError:
        log.warning(f"{courier.queue_id}: {known.passwords.parameter_name} lookup error")
        return local_data_error(session)
    if login is None:
        return None
    if not usable:
        what = "offered no compatible authentication mechanisms for this type of connection security"
        return Failure("4.7.0", f"SASL authentication failed: server {server.name} {what}")
    cache = known.cache
    if cache is not None:
        refused = await cache.find(server.host, login.username, login.password)
        if refused is not None:
            text = f"SASL [CACHED] authentication failed; server {server.host} said: {refused.text}"
            return Failure(_softened(refused.status, setup), text, server.host, refused.text, setup.prefix)
    try:
        return await _attempt(session, setup, known, login, usable)
    except LoginImpossible as error:
        raise Misconfigured(str(error)) from None
    except ServerLost as lost:
        return lost.failure(server, f"performing the {'LHLO' if setup.lmtp else 'EHLO'} handshake")


def _softened(status: str, setup: Setup) -> str:
    """Return the status that counts for the recipients.  Source: postconf(5) smtp_sasl_auth_soft_bounce."""
    return f"4{status[1:]}" if setup.settings.smtp_sasl_auth_soft_bounce else status


def _impossible(session: Session, reason: str) -> Failure:
    text = f"SASL authentication failed; cannot authenticate to server {session.server.name}: {reason}"
    return Failure("4.7.0", text, sasl=reason)


async def _attempt(
    session: Session, setup: Setup, known: ClientLogin, login: Login, usable: list[str]
) -> Failure | None:
    """Hold the dialogue.  Raises ServerLost, LoginImpossible."""
    server = session.server
    facts = session.encrypted
    verified = facts is not None and facts.matched
    mechanism = known.mechanism(usable, login, server.host, server.port, encrypted=facts is not None, verified=verified)
    if mechanism is None:
        log.warning("SASL authentication failure: No worthy mechs found")
        return _impossible(session, "no mechanism available")
    if not login.username:
        log.warning("SASL authentication failure: All-whitespace username.")
        return _impossible(session, "generic failure")
    reply = await _dialogue(session, setup, mechanism)
    if isinstance(reply, Failure):
        return reply
    if reply.positive:
        session.authenticated = True
        return None
    if reply.code // 100 == 5 and known.cache is not None:
        from pyfix.sasl.failurecache import Refusal

        await known.cache.keep(server.host, login.username, login.password, Refusal(reply.status, reply.text))
    text = f"SASL authentication failed; server {server.name} said: {reply.text}"
    failure = refusal(server.host, reply, text, status=_softened(reply.status, setup))
    return failure._replace(reply=reply.text, kind=setup.prefix)


async def _dialogue(session: Session, setup: Setup, mechanism: ClientMechanism) -> Reply | Failure:
    """Answer challenges; return the reply that is none, or what is wrong with one of them.  Raises ServerLost."""
    from pyfix.protocols.sasl.base64text import BadBase64, decoded, encoded
    from pyfix.protocols.sasl.mechanism import BadChallenge

    initial = mechanism.initial()
    command = f"AUTH {mechanism.name}"
    waiting: bytes | None = None
    if initial is None:
        session.say(command)
    else:
        text = encoded(initial) or "="
        if len(command) + 1 + len(text) <= _LONGEST:
            session.say_secret(f"{command} {text}", f"{command} {_HIDDEN}")
        else:
            session.say(command)
            waiting = initial
    while True:
        reply = await session.reply(setup.settings.smtp_helo_timeout)
        if reply.code // 100 != 3:
            return reply
        challenge = reply.text[4:].strip()
        try:
            if waiting is not None:
                if challenge:
                    return _unexpected(session, mechanism.name, reply)
                response, waiting = waiting, None
            else:
                response = mechanism.respond(decoded(challenge))
        except BadBase64 as error:
            return _impossible(session, _INCOMPLETE if error.incomplete else _GARBLED)
        except BadChallenge as error:
            log.warning(f"SASL authentication {error}")
            return _impossible(session, error.reason)
        session.say_secret(encoded(response), _HIDDEN)


def _unexpected(session: Session, name: str, reply: Reply) -> Failure:
    what = f"non-empty initial {name} challenge from server {session.server.name}: {reply.text}"
    return Failure("4.7.0", f"SASL authentication failed; {what}")
