"""The beginning of a session with a server: the connection, greetings, TLS, authentication.

Source: postconf(5) smtp_connect_timeout, smtp_bind_address, smtp_bind_address6, smtp_bind_address_enforce.
"""

from __future__ import annotations

from _socket import socket as Socket
from typing import Final

from pyfix.daemons.smtp.complaint import end_of_message
from pyfix.daemons.smtp.courier import Courier
from pyfix.daemons.smtp.encryption import HANDSHAKE_FAILED, Unusable
from pyfix.daemons.smtp.envelope import needs_utf8
from pyfix.daemons.smtp.failure import Failure
from pyfix.daemons.smtp.greeting import greet, introduce
from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.session import Session
from pyfix.daemons.smtp.setup import Setup
from pyfix.formats.domain import is_hostaddr
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.outgoing import connect, new_socket, set_window
from pyfix.runtime.stream import Stream
from pyfix.tls.policy import ClientPolicy


class Opening:
    """Makes sessions that are ready for messages."""

    def __init__(self, courier: Courier, setup: Setup) -> None:
        """*courier* hears why a server can't be used."""
        self._courier: Final = courier
        self._setup: Final = setup
        self._settings: Final = setup.settings

    async def session(self, server: Server, *, in_the_clear: bool = False) -> Session | None:
        """Return a session with *server*; None when there can be none, of which the recipients were told.

        *in_the_clear*: TLS, which is no must, has failed before.
        """
        courier = self._courier
        policy = await self._setup.encryption.policy(server)
        if isinstance(policy, Unusable):
            courier.problem, courier.tls = policy
            return None
        courier.tls = f"{policy.level}?"
        stream = await self._connect(server)
        if stream is None:
            return None
        courier.meet(server)
        session = self._setup.new_session(server, stream)
        session.queue_id = courier.queue_id
        session.expires = current().now + self._settings.smtp_connection_reuse_time_limit
        try:
            session.in_the_clear = in_the_clear
            failure = await self._prepare(session, policy)
            courier.tls = session.tls
            if failure is None:
                return session
            again = failure is HANDSHAKE_FAILED and self._may_do_without_tls(policy)
            if again:
                log.info(f"{courier.queue_id}: {failure.reason}")
            else:
                await courier.fail_all(failure, throttle=True)
            if not session.lost:
                session.say("QUIT")
        except BaseException:
            session.close()
            raise
        session.close()
        courier.leave()
        end_of_message(session, self._setup)
        return await self.session(server, in_the_clear=True) if again else None

    def _may_do_without_tls(self, policy: ClientPolicy) -> bool:
        """Tell whether the message goes in the clear: it has waited once already for TLS that nobody insists on."""
        waited = self._courier.delivery.active_time - self._courier.delivery.arrival_time
        patience: int = self._settings.minimal_backoff_time
        return not policy.required and waited >= patience and not self._settings.smtp_sasl_auth_enable

    async def _prepare(self, session: Session, policy: ClientPolicy) -> Failure | None:
        """Do all that comes before the first message of a session; return why the server can't be used."""
        session.level = policy.level
        session.tls = f"{policy.level}?"
        if self._setup.encryption.wrapped and (failure := await self._setup.encryption.secure(session, policy)):
            return failure
        return (
            await greet(session, self._courier, self._setup)
            or (self._lacks(session) if policy.level == "none" else None)  # before the log has that there is no TLS
            or await self._secure(session, policy)
            or await self._authenticate(session)
            or self._lacks(session)
        )

    def _lacks(self, session: Session) -> Failure | None:
        """Return why the server can't take this message, which another may."""
        if needs_utf8(self._courier.delivery.request) and "SMTPUTF8" not in session.offer:
            what = "message requires SMTPUTF8, but no server was found that supports SMTPUTF8"
            return Failure("5.6.7", f"{what}. The last attempted server was {session.server.name}")
        return None

    async def _secure(self, session: Session, policy: ClientPolicy) -> Failure | None:
        """Begin TLS where it is wanted and offered, and introduce ourselves again; return why we must not go on."""
        if session.encrypted is not None:
            return None
        if session.in_the_clear:
            session.tls = f"{policy.level}:none"
            return None
        failure = await self._setup.encryption.start(session, policy)
        if failure is None and session.encrypted is not None:
            verb = "LHLO" if self._setup.lmtp else "EHLO"
            failure = await introduce(session, self._courier, self._setup, (verb,))
        return failure

    async def _authenticate(self, session: Session) -> Failure | None:
        """Log in where that is configured; return why it failed.  Raises Misconfigured."""
        if self._setup.login is None:
            return None
        from pyfix.daemons.smtp.authentication import log_in

        return await log_in(session, self._courier, self._setup, self._setup.login)

    # The connection

    async def _connect(self, server: Server) -> Stream | None:
        """Connect to a server; log, and remember, why that is not possible."""
        try:
            connection = new_socket(server.endpoint)
        except OSError as error:
            log.info(f"smtp_connect_addr: socket: {error.strerror}")
            return None
        if server.port and not self._bind(connection, server):
            connection.close()
            return None
        if server.port:
            set_window(connection, self._settings.tcp_windowsize)
        try:
            await connect(connection, server.endpoint, self._settings.smtp_connect_timeout)
        except OSError as error:
            connection.close()
            place = f"{server.name}:{server.port}" if server.port else server.name
            text = f"connect to {place}: {error.strerror}"
            if server.port:
                log.info(text)
            self._courier.problem = Failure("4.4.1", text)
            return None
        return Stream(connection)

    def _bind(self, connection: Socket, server: Server) -> bool:
        """Give the connection its own address, if there is one for it; say whether it may be used."""
        settings = self._settings
        name = "bind_address6" if server.is_ipv6 else "bind_address"
        address: str = settings.smtp_bind_address6 if server.is_ipv6 else settings.smtp_bind_address
        if not address:
            return True
        where = f"{self._setup.prefix}_{name}"
        if not is_hostaddr(address) or (":" in address) != server.is_ipv6:
            log.fatal(f"smtp_connect_addr: bad {where} parameter: {address}")
            return False
        try:
            connection.bind((address, 0))
        except OSError as error:
            log.warning(f"smtp_connect_addr: bind {address}: {error.strerror}")
            if settings.smtp_bind_address_enforce:
                text = "server configuration error"
                log.info(text)
                self._courier.problem = Failure("4.4.0", text)
                return False
        return True
