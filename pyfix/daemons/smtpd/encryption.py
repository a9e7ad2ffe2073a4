"""STARTTLS, and sessions that begin with TLS.

Source: RFC 3207; TLS_README; postconf(5) smtpd_tls_security_level, smtpd_tls_wrappermode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd import authentication, limits
from pyfix.daemons.smtpd.rights import SessionEnds
from pyfix.protocols.smtp.command import Word
from pyfix.runtime.libssl import NoLibrary
from pyfix.runtime.log import log
from pyfix.runtime.stream import StreamClosed

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session
    from pyfix.runtime.filewatch import FileWatch
    from pyfix.tls.server import ServerTls

__all__ = ["NOT_STARTED", "Encryption", "begin_wrapped", "starttls"]

_LEVELS: Final = ("none", "may", "encrypt", "fingerprint", "half-dane", "dane", "dane-only", "verify", "secure")
NOT_STARTED: Final = "530 5.7.0 Must issue a STARTTLS command first"


class Encryption:
    """What an smtpd process does about TLS; OpenSSL comes in only where it does something."""

    def __init__(self, settings: SmtpdSettings, *, stand_alone: bool) -> None:
        """*stand_alone*: there is no client but standard input.  Raises ConfigError."""
        level = "none" if stand_alone else _level(settings)
        self.wrapped: Final = settings.smtpd_tls_wrappermode and not stand_alone
        """Sessions begin with it."""
        self.offered: Final = level != "none" or self.wrapped
        """Clients may use TLS."""
        self.enforced: Final = level == "encrypt"
        """Clients must use it."""
        self._describes = settings.smtpd_tls_received_header
        self.tls: ServerTls | None = None
        """None where it could not be set up."""
        self.watch: FileWatch | None = None
        """Notices that keys and certificates change on the disk, which a new process has to read."""

    @property
    def asks(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.tls is not None and self.tls.asks

    def open(self, snapshot: Snapshot, service: str) -> None:
        """Read keys, with the rights for that.  *service*: its name in master.cf."""
        from pyfix.runtime.filewatch import FileWatch

        try:
            from pyfix.tls.server import open_server, watched_files
        except NoLibrary as error:
            log.warning(f"{error}: disabling TLS support")
            return

        self.tls = open_server(snapshot, enforced=self.enforced, describes=self._describes, service=service)
        try:
            self.watch = FileWatch(watched_files(snapshot))
        except OSError as error:
            log.debug(f"certificates are not watched: {error.strerror}")


def _level(settings: SmtpdSettings) -> str:
    """Return none, may or encrypt; the newer parameter wins."""
    text = settings.smtpd_tls_security_level
    if not text:
        return "encrypt" if settings.smtpd_enforce_tls else "may" if settings.smtpd_use_tls else "none"
    level = text.lower()
    if level not in _LEVELS:
        raise ConfigError(f'Invalid TLS level "{text}"')
    if level in ("none", "may", "encrypt"):
        return level
    log.warning(f'smtpd_tls_security_level: unsupported TLS level "{text}", using "encrypt"')
    return "encrypt"


async def starttls(session: Session, words: list[Word], _line: str) -> bool:
    """STARTTLS: go on with TLS, and forget what the client has said before."""
    encryption = session.server.encryption
    if len(words) != 1:
        session.reply("501 5.5.4 Syntax: STARTTLS")
        return False
    if session.transaction.tls is not None:
        session.reply("554 5.5.1 Error: TLS already active")
        return False
    if not encryption.offered or "starttls" in session.discarded:
        session.reply("502 5.5.1 Error: command not implemented")
        return False
    if encryption.tls is None:
        session.reply("454 4.7.0 TLS not available due to local problem")
        return False
    if not await limits.may_start_tls(session):
        return False
    if session.milters is not None and (refusal := session.milters.refusal_of_command):
        session.reply(refusal)
        return False
    session.reply("220 2.0.0 Ready to start TLS")
    await session.stream.drain()
    may_stay = await _secure(session, encryption.tls)
    session.forget_helo()
    session.reset()
    session.transaction.helo_name = None
    session.transaction.sasl_method = session.transaction.sasl_username = ""
    session.transaction.hangup = not may_stay
    return True


async def begin_wrapped(session: Session) -> None:
    """Begin a session with TLS.  Raises SessionEnds, StreamClosed, StreamTimeout."""
    tls = session.server.encryption.tls
    if tls is None:
        log.warning(
            f"Wrapper-mode request dropped from {session.client.log_name} for service {session.server.service}. "
            "TLS context initialization failed. For details see earlier warnings in your logs."
        )
        raise SessionEnds
    if not await _secure(session, tls):
        raise SessionEnds


async def _secure(session: Session, tls: ServerTls) -> bool:
    """Bring up TLS, and tell whether the client may stay; one with which it fails is as good as gone.

    Raises StreamClosed.
    """
    session.buffer = b""  # what came before TLS does not survive it
    facts = await tls.accept(session.stream, session.client.log_name, session.settings.smtpd_starttls_timeout)
    if facts is None:
        await limits.tls_began(session, failed=True)
        session.hears_no_more()
        raise StreamClosed("no TLS")
    session.transaction.tls = facts
    session.must_encrypt = False
    if not facts.resumed and not await limits.tls_began(session, failed=False):
        return False
    if tls.requires and not facts.trusted:
        problem = "No client certificate presented" if facts.certificate is None else "Client certificate not trusted"
        session.reply(f"421 4.7.1 {session.server.hostname} Error: {problem}")
        log.info(f"NOQUEUE: abort: TLS from {session.client.log_name}: {problem}")
        return False
    if session.server.authentication is not None and not await authentication.activate(session):
        raise SessionEnds
    return True
