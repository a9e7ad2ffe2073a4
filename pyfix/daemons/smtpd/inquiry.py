"""The commands that begin nothing: NOOP, RSET, HELP, VRFY, ETRN, QUIT, and STARTTLS where it is off.

Source: RFC 5321 section 4.1.1; RFC 1985 (ETRN); ETRN_README.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.access.judge import judge_etrn, judge_recipient
from pyfix.daemons.smtpd.envelope import address_of, lacks_smtputf8
from pyfix.formats.domain import is_hostname, literal_to_address
from pyfix.protocols.internal.flush import BAD, DENIED, FAILED, OK
from pyfix.protocols.smtp.command import Word
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["etrn", "help_", "noop", "quit_", "rset", "vrfy"]

_OK: Final = "250 2.0.0 Ok"


async def noop(session: Session, _words: list[Word], _line: str) -> bool:
    """NOOP: do nothing."""
    session.reply(_OK)
    return True


async def rset(session: Session, words: list[Word], _line: str) -> bool:
    """RSET: forget the transaction."""
    if len(words) != 1:
        session.reply("501 5.5.4 Syntax: RSET")
        return False
    session.reset()
    session.reply(_OK)
    return True


async def help_(session: Session, _words: list[Word], _line: str) -> bool:
    """HELP: list the commands."""
    from pyfix.daemons.smtpd.commands import COMMANDS

    session.reply(f"214 2.0.0 Commands: {' '.join(COMMANDS)}")
    return True


async def quit_(session: Session, _words: list[Word], _line: str) -> bool:
    """QUIT: say goodbye."""
    session.reply("221 2.0.0 Bye")
    session.stream.send_early()
    session.leaving = True
    return True


async def vrfy(session: Session, words: list[Word], _line: str) -> bool:
    """VRFY: say whether a RCPT of this address would be accepted."""
    settings = session.settings
    if settings.disable_vrfy_command:
        session.reply("502 5.5.1 VRFY command is disabled")
        return False
    if len(words) < 2:
        suffix = " [SMTPUTF8]" if session.server.utf8 else ""
        session.reply(f"501 5.5.4 Syntax: VRFY address{suffix}")
        return False
    arguments = words[1:]
    utf8 = session.takes_smtputf8 and len(arguments) > 1 and arguments[-1].text.upper() == "SMTPUTF8"
    if utf8:
        arguments = arguments[:-1]
    if session.milters is not None and (standing := session.milters.standing_refusal).startswith("5"):
        session.reply(standing)
        return False
    text = " ".join([word.text for word in arguments])
    transaction = session.transaction
    address = await address_of(session, text, "VRFY", empty=False, utf8=utf8)
    if address is None:
        session.reply("501 5.1.3 Bad recipient address syntax")
        return False
    if lacks_smtputf8(session, address, declared=utf8):
        session.reply("553 5.6.7 Must declare SMTPUTF8 to send unicode address")
        return False
    before = transaction.recipient
    declared = transaction.smtputf8
    transaction.recipient, transaction.smtputf8 = address, utf8
    refusal = None if session.server.stand_alone else await judge_recipient(transaction)
    transaction.recipient, transaction.smtputf8 = before, declared
    if refusal is not None:
        session.refuse(refusal)
        return False
    session.reply(f"252 2.0.0 {text}")
    return True


async def etrn(session: Session, words: list[Word], _line: str) -> bool:
    """ETRN: deliver now what waits for a domain."""
    transaction = session.transaction
    if session.settings.smtpd_helo_required and transaction.helo_name is None:
        session.reply("503 Error: send HELO/EHLO first")
        return False
    if transaction.sender is not None:
        session.reply("503 Error: MAIL transaction in progress")
        return False
    if len(words) != 2:
        session.reply("500 Syntax: ETRN domain")
        return False
    domain = words[1].text
    if domain[:1] in ("@", "#"):
        domain = domain[1:]
    if not (domain.isascii() and is_hostname(domain)) and literal_to_address(domain) is None:
        session.reply("501 Error: invalid parameter syntax")
        return False
    if session.server.stand_alone:
        log.warning('do not use ETRN in "sendmail -bs" mode')
        session.reply("458 Unable to queue messages")
        return False
    refusal = await judge_etrn(transaction, domain)
    if refusal is not None:
        session.refuse(refusal)
        return False
    status = DENIED
    try:
        if session.server.flush_domains and await session.server.flush_domains.ask_domain(domain):
            if session.server.policy.old.flush_domains:
                session.server.policy.old.tell_relay("flush mail for domain", domain)
            status = await session.server.flush.send_site(domain)
    except TableError:
        status = FAILED
    if status == OK:
        session.reply("250 Queuing started")
        return True
    session.note_problem("")
    if status == DENIED:
        log.warning(f"reject: ETRN {domain}... from {session.client.log_name}")
        session.reply(f"459 <{domain}>: service unavailable")
    elif status == BAD:
        log.warning(f"bad ETRN {domain}... from {session.client.log_name}")
        session.reply("458 Unable to queue messages")
    else:
        log.warning("unable to talk to fast flush service")
        session.reply("458 Unable to queue messages")
    return False
