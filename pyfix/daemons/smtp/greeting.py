"""The beginning of a session: greeting, EHLO or LHLO, and what the server offers.

Source: RFC 5321 section 3.1, RFC 2033; postconf(5) smtp_always_send_ehlo, smtp_never_send_ehlo, smtp_skip_5xx_greeting,
smtp_pix_workarounds, smtp_discard_ehlo_keywords.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from pyfix.daemons.smtp.complaint import concerns_protocol
from pyfix.daemons.smtp.courier import Courier
from pyfix.daemons.smtp.failure import Failure, refusal
from pyfix.daemons.smtp.session import ServerLost, Session
from pyfix.daemons.smtp.setup import Setup
from pyfix.protocols.smtp.client_reply import Reply
from pyfix.protocols.smtp.offer import DISCARDABLE, Offer
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

_CONNECTING: Final = "receiving the initial server greeting"
_STARS: Final = frozenset("20 *\t\n")


async def greet(session: Session, courier: Courier, setup: Setup) -> Failure | None:
    """Read the greeting, introduce ourselves and learn what the server offers; return why that failed.

    A server that refused hears QUIT from whoever closes the session.
    """
    try:
        greeting = await session.reply(setup.settings.smtp_helo_timeout)
    except ServerLost as lost:
        return lost.failure(session.server, _CONNECTING)
    if not greeting.positive:
        return _refused(session, greeting, skip_5xx=setup.settings.smtp_skip_5xx_greeting)
    if _STARS.issuperset(greeting.text):
        await _work_around(session, courier, setup)
    verbs: tuple[str, ...] = ("LHLO",) if setup.lmtp else ("HELO",)
    if not setup.lmtp and _speaks_esmtp(session, greeting, setup):
        verbs = ("EHLO", "HELO")
    return await introduce(session, courier, setup, verbs)


async def introduce(session: Session, courier: Courier, setup: Setup, verbs: Sequence[str]) -> Failure | None:
    """Introduce ourselves with the first of *verbs* that the server takes, and learn what it offers.

    After STARTTLS this is done once more, for what was offered before does not count.  Returns why it failed.
    """
    timeout = setup.settings.smtp_helo_timeout
    for verb in verbs:
        session.say(f"{verb} {setup.settings.smtp_helo_name}")
        try:
            reply = await session.reply(timeout)
        except ServerLost as lost:
            return lost.failure(session.server, f"performing the {verb} handshake")
        if reply.positive:
            return None if verb == "HELO" else await _learn(session, reply, courier.queue_id, setup)
        if verb == verbs[-1] or reply.code == 421:
            break
    return _refused(session, reply)


def _refused(session: Session, reply: Reply, *, skip_5xx: bool = False) -> Failure:
    status = f"4{reply.status[1:]}" if skip_5xx and reply.code // 100 == 5 else ""
    if concerns_protocol(reply.code):
        session.misunderstood = True
    text = f"host {session.server.name} refused to talk to me: {reply.line}"
    return refusal(session.server.host, reply, text, status=status)


def _speaks_esmtp(session: Session, greeting: Reply, setup: Setup) -> bool:
    """Decide by the greeting whether EHLO is sent."""
    settings = setup.settings
    if "disable_esmtp" in session.workarounds:
        return False
    if settings.smtp_never_send_ehlo:
        return False
    words = greeting.text[4:].split()
    if words and words[0].lower() == settings.myhostname.lower() and session.server.best:
        log.warning(f"host {session.server.full_name} greeted me with my own hostname {settings.myhostname}")
    return setup.sends_ehlo or any(word.upper() == "ESMTP" for word in words)


async def _work_around(session: Session, courier: Courier, setup: Setup) -> None:
    """Enable the workarounds for a server behind a Cisco PIX that hides its greeting."""
    settings = setup.settings
    words: tuple[str, ...] = settings.smtp_pix_workarounds
    try:
        found = await setup.pix_maps.find(session.server.address) if setup.pix_maps else None
    except TableError:
        found = None
    if found is not None:
        words = tuple(found.replace(",", " ").split())
    enabled = [word.lower() for word in words]
    waits = time.time() - courier.delivery.arrival_time > settings.smtp_pix_workaround_threshold_time
    if not waits and "delay_dotcrlf" in enabled:
        enabled.remove("delay_dotcrlf")
    session.workarounds = frozenset(enabled)
    if enabled:
        log.info(f"{courier.queue_id}: enabling PIX workarounds: {', '.join(enabled)} for {session.server.full_name}")


async def _learn(session: Session, reply: Reply, queue_id: str, setup: Setup) -> Failure | None:
    """Take what the server offers."""
    server = session.server
    own = setup.settings.myhostname.lower()
    first = reply.text.split("\n", 1)[0][4:].split()
    if first and first[0].lower() == own and server.best and not setup.lmtp:
        log.warning(f"host {server.full_name} replied to HELO/EHLO with my own hostname {setup.settings.myhostname}")
        return Failure("5.4.6", f"mail for {server.destination} loops back to myself")
    try:
        discard = await _discarded(session, setup)
    except TableError:
        log.warning(f"{queue_id}: {setup.discard_maps.parameter_name} map lookup error for {server.address}")
        return local_data_error(session)
    session.esmtp = True
    offer = session.offer = Offer()
    offer.read(reply.text, discard, lambda text: log.warning(f'bad EHLO SIZE limit "{text}" from {server.full_name}'))
    if "SMTPUTF8" in offer and "8BITMIME" not in offer:
        log.info(f"host {server.name} offers SMTPUTF8 support, but not 8BITMIME")
        offer.keywords.add("8BITMIME")
    if "PIPELINING" in offer:
        allow_groups(session, queue_id, setup)
    return None


def allow_groups(session: Session, queue_id: str, setup: Setup) -> None:
    """Let several commands be under way, as the server offers PIPELINING."""
    session.window = _send_buffer(session)
    session.reader.garbage = partial(_warn_of_garbage, session, queue_id, setup)


def local_data_error(session: Session) -> Failure:
    """Return the failure of a lookup of our own amid a session."""
    return Failure("4.3.0", f"local data error while talking to {session.server.name}")


def _warn_of_garbage(session: Session, queue_id: str, setup: Setup, line: str) -> None:
    """Say that a server says what is no reply: with several commands under way, it may be the wrong one's."""
    kind = "LMTP" if setup.lmtp else "ESMTP"
    log.warning(f"{queue_id}: non-{kind} response from {session.server.full_name}: {line}")
    parameter = setup.discard_maps.parameter_name
    what = f"turn off command pipelining for {session.server.address} with the {parameter} parameter"
    log.warning(f"to prevent loss of mail, {what}")


async def _discarded(session: Session, setup: Setup) -> tuple[str, ...]:
    """Return the keywords that this server is not believed.  Raises TableError.

    Source: smtp_discard_ehlo_keyword_address_maps.
    """
    words = setup.discard_keywords
    if setup.discard_maps:
        found = await setup.discard_maps.find(session.server.address)
        if found is not None:
            words = tuple(found.lower().replace(",", " ").split())
    known = [keyword.upper() for keyword in DISCARDABLE if keyword in words]
    if known and "silent-discard" not in words:
        log.info(f"discarding EHLO keywords: {', '.join(known)}")
    return words


def _send_buffer(session: Session) -> int:
    """Return how many bytes the kernel takes while the server reads nothing, by which groups are limited."""
    return session.stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
