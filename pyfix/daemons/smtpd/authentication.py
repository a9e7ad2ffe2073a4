"""AUTH.

Source: RFC 4954; SASL_README; postconf(5) smtpd_sasl_auth_enable and its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.access.transaction import UNKNOWN
from pyfix.daemons.smtpd import limits
from pyfix.daemons.smtpd.rights import leave_for_lack_of_data
from pyfix.formats.textforms import beginning, printable
from pyfix.protocols.sasl.dovecot import NO_REASON
from pyfix.protocols.smtp.command import Word
from pyfix.runtime.log import log
from pyfix.runtime.task import sleep
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session
    from pyfix.protocols.sasl.step import Failure, Success
    from pyfix.sasl.server import Offer

__all__ = ["HIDDEN", "Login", "activate", "announced", "auth", "without_secret"]

_PAUSE: Final = 1.0
"""Seconds before a client is hung up on that can't be served as main.cf wants it."""
HIDDEN: Final = "<hidden>"
"""What stands for a secret in logs and notices."""
_CANCEL: Final = b"*"


class Login:
    """Where a client stands with AUTH."""

    __slots__ = ("offer", "said", "seen")

    def __init__(self, offer: Offer) -> None:
        self.offer: Final = offer
        self.seen: str | None = None
        """Whom the service named last."""
        self.said = ""
        """What it said last: a challenge, or a reason; stands for the reason where nobody gives one."""

    def anew(self) -> Login:
        """Return what another client begins with."""
        return Login(self.offer)


def without_secret(line: str) -> str:
    """Return a command as a log may have it."""
    if line[:4].upper() != "AUTH":
        return line
    words = line.split(None, 2)
    return line if len(words) < 3 else f"{words[0]} {words[1]} {HIDDEN}"


async def activate(session: Session) -> bool:
    """Find out what the client may use; tell whether it can be served at all.

    Where main.cf promises AUTH and nobody is there to check passwords, no session begins: as in Postfix, whose process
    would end here; ours serves others, too.
    """
    server = session.server
    assert server.authentication is not None
    encrypted = session.transaction.tls is not None
    needs_tls = server.settings.smtpd_tls_auth_only or server.encryption.enforced or server.encryption.wrapped
    if needs_tls and not encrypted:
        return True  # TLS brings it
    from pyfix.sasl.service import ServiceFatal

    try:
        session.login = Login(await server.authentication.offer(encrypted=encrypted))
    except ServiceFatal as error:
        log.fatal(str(error))
        await sleep(_PAUSE)
        return False
    return True


async def announced(session: Session) -> str:
    """Return what EHLO tells the client of AUTH, empty: nothing.  Raises SessionEnds when nobody knows if it may."""
    server, login, client = session.server, session.login, session.client
    assert login is not None
    assert server.authentication is not None
    if "auth" in session.discarded:
        return ""
    try:
        excepted = await server.authentication.excepts(client.name, client.address)
    except TableError:
        leave_for_lack_of_data(session, "don't know if EHLO feature AUTH should be announced to")
    return "" if excepted else login.offer.announced


async def auth(session: Session, words: list[Word], _line: str) -> bool:
    """AUTH: find out who the client is."""
    if not await limits.may_authenticate(session):
        return False
    refusal = _refusal(session, words)
    if refusal:
        session.reply(refusal)
        return False
    mechanism = words[1].text
    step = await _dialogue(session, mechanism, words[2].text if len(words) > 2 else None)
    if step is None:
        return False
    from pyfix.protocols.sasl.step import Success

    if not isinstance(step, Success):
        return _failed(session, mechanism, step)
    transaction = session.transaction
    transaction.sasl_method = mechanism
    transaction.sasl_username = printable(step.username, utf8=session.server.utf8)
    session.reply("235 2.7.0 Authentication successful")
    return True


def _refusal(session: Session, words: list[Word]) -> str:
    """Return why AUTH is not for now, empty when it is."""
    if session.settings.smtpd_helo_required and session.transaction.helo_name is None:
        return "503 5.5.1 Error: send HELO/EHLO first"
    if session.login is None or "auth" in session.discarded:
        return "503 5.5.1 Error: authentication not enabled"
    if session.transaction.sender is not None:
        return "503 5.5.1 Error: MAIL transaction in progress"
    if session.transaction.sasl_username:
        return "503 5.5.1 Error: already authenticated"
    if session.milters is not None and (refusal := session.milters.refusal_of_command):
        return refusal
    if not 2 <= len(words) <= 3:
        return "501 5.5.4 Syntax: AUTH mechanism"
    return ""


async def _dialogue(session: Session, mechanism: str, initial: str | None) -> Success | Failure | None:
    """Let client and service talk; return what it comes to, None when the client gave up and has its reply."""
    from pyfix.protocols.sasl.step import Challenge
    from pyfix.sasl.service import Peer

    server, login, client = session.server, session.login, session.client
    assert login is not None
    assert server.authentication is not None
    service = server.authentication.service
    peer = Peer(_known(client.address), _known(client.server_address), secured=session.transaction.tls is not None)
    dialogue = service.dialogue(mechanism, peer, login.offer.demands)
    step = await dialogue.start(initial)
    limit = session.settings.smtpd_sasl_response_limit
    while isinstance(step, Challenge):
        login.said = step.text
        response = await session.answer_to(step.text, limit)
        session.note_secret()
        if len(response) >= limit:
            session.reply("500 5.5.6 SASL response limit exceeded")
            return None
        if response == _CANCEL:
            log.warning(f"{client.log_name}: SASL {mechanism} authentication aborted")
            session.reply("501 5.7.0 Authentication aborted")
            return None
        step = await dialogue.respond(response.partition(b"\0")[0].decode("utf-8", "surrogateescape"))
    return step


def _known(address: str) -> str:
    return "" if address == UNKNOWN else address


def _failed(session: Session, mechanism: str, failure: Failure) -> bool:
    login = session.login
    assert login is not None
    if failure.problem:
        log.warning(failure.problem)
    if not failure.unheard:
        login.seen = failure.username
    name = login.seen
    shown = "(unavailable)" if name is None else beginning(printable(name, utf8=session.server.utf8))
    login.said = failure.reason or login.said or NO_REASON
    reason = printable(login.said, utf8=session.server.utf8)
    log.warning(
        f"{session.client.log_name}: SASL {beginning(mechanism)} authentication failed: {reason}, sasl_username={shown}"
    )
    if failure.temporary:
        session.reply(f"454 4.7.0 Temporary authentication failure: {reason}")
    else:
        session.reply(f"535 5.7.8 Error: authentication failed: {reason}")
    return False
