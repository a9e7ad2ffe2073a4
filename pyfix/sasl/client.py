"""How the SMTP client logs in: which name and password for which server, and with which mechanisms.

Source: SASL_README, "Configuring SASL authentication in the Postfix SMTP/LMTP client"; postconf(5)
smtp_sasl_auth_enable and its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.protocols.sasl.choice import choose
from pyfix.protocols.sasl.mechanism import ClientMechanism, Credentials
from pyfix.protocols.sasl.properties import Demands, UnknownOption
from pyfix.runtime.log import log
from pyfix.sasl.failurecache import FailureCache
from pyfix.sasl.token import fetch_token
from pyfix.tables.maps import Maps
from pyfix.tables.matchlist import MatchList
from pyfix.tables.table import TableError

__all__ = ["ClientLogin", "Login", "LoginImpossible"]


class LoginImpossible(Exception):
    """The configuration is of no use; Postfix's process would end with this text."""


@dataclass(frozen=True, slots=True)
class Login:
    """A name with its password, or with the token that stands for it."""

    username: str
    password: str = field(repr=False)
    is_token: bool = False


class ClientLogin:
    """The settings of smtp(8) or lmtp(8)."""

    def __init__(self, settings: SmtpClientSettings, prefix: str) -> None:
        """*prefix*: how the names of the program's parameters begin.  Raises ConfigError."""
        self._settings = settings
        self._prefix: Final = prefix
        if not settings.smtp_sasl_password_maps:
            raise ConfigError(f"specify a password table via the `{prefix}_sasl_password_maps' configuration parameter")
        if settings.smtp_sasl_type != "cyrus":
            log.warning(f"unsupported SASL client implementation: {settings.smtp_sasl_type}")
            raise ConfigError("SASL library initialization")

    def open_tables(self) -> None:
        """Open the tables, which only root may be able to read.  Raises ConfigError."""
        settings, snapshot = self._settings, self._settings.snapshot
        self.passwords = Maps(
            f"{self._prefix}_sasl_password_maps", settings.smtp_sasl_password_maps, snapshot, fold=False
        )
        self.tokens = Maps("pyfix_smtp_sasl_token_maps", settings.pyfix_smtp_sasl_token_maps, snapshot)
        name = f"{self._prefix}_sasl_mechanism_filter"
        self._filter = MatchList(name, settings.smtp_sasl_mechanism_filter, snapshot, warns=False)
        self.cache = FailureCache.open(settings.smtp_sasl_auth_cache_name, settings.smtp_sasl_auth_cache_time, snapshot)

    async def find(self, sender: str, host: str, destination: str) -> Login | None:
        """Return how to log in at a server, None when that is for nobody.  Raises TableError.

        *destination*: the next hop as it was named.  The sender counts for smtp(8) alone, as in Postfix.
        """
        value = None
        if sender and self._settings.smtp_sender_dependent_authentication and self._prefix == "smtp":
            found = await self.passwords.find_address(sender)
            value = None if found is None else found.value
        for key in (host, destination):
            if value is None:
                value = await self.passwords.find(key)
        if value is None:
            return None
        name, _, password = value.partition(self._settings.smtp_sasl_password_result_delimiter)
        source = await self.tokens.find(name) if self.tokens else None
        if source is not None:
            return Login(name, await fetch_token(source), is_token=True)
        return Login(name, password)

    async def filtered(self, offered: Sequence[str]) -> list[str]:
        """Return those of a server's mechanisms that the site uses.  Raises LoginImpossible."""
        if not self._filter:
            return list(offered)
        try:
            return [name for name in offered if await self._filter.ask_string(name)]
        except TableError:
            raise LoginImpossible(self._filter.problem) from None

    def mechanism(
        self, offered: Sequence[str], login: Login, host: str, port: int, *, encrypted: bool, verified: bool
    ) -> ClientMechanism | None:
        """Return the mechanism to use, None when there is none.  Raises LoginImpossible."""
        wanted = login.username if self._settings.send_cyrus_sasl_authzid else ""
        credentials = Credentials(
            login.username, login.password, wanted=wanted, host=host, service=self._prefix, port=port
        )
        return choose(offered, self._demands(encrypted, verified), credentials, is_token=login.is_token)

    def _demands(self, encrypted: bool, verified: bool) -> Demands:
        settings = self._settings
        if not encrypted:
            name, words = "", settings.smtp_sasl_security_options
        elif verified:
            name, words = "tls_verified_", settings.smtp_sasl_tls_verified_security_options
        else:
            name, words = "tls_", settings.smtp_sasl_tls_security_options
        try:
            return Demands.of(words)
        except UnknownOption as error:
            value = settings.snapshot.value(f"{self._prefix}_sasl_{name}security_options")
            log.warning(f'unknown SASL security options value "{error}" in "{value}"')
            log.warning("bad per-session SASL security properties")
            raise LoginImpossible("SASL per-connection initialization failed") from None

    @property
    def maps(self) -> tuple[Maps, ...]:
        """The tables."""
        return (self.passwords, self.tokens)
