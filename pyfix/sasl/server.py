"""Authentication of the SMTP server's clients: which service, and what of its mechanisms a site wants.

Source: SASL_README; postconf(5) smtpd_sasl_type and its neighbours.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.protocols.sasl.properties import Demands, UnknownOption
from pyfix.runtime.log import log
from pyfix.sasl.service import SaslService, ServiceFatal
from pyfix.tables.matchlist import MatchList
from pyfix.tables.table import TableError

__all__ = ["Authentication", "Offer"]

_NOT_INITIALIZED: Final = "SASL per-process initialization failed"


class Offer:
    """What the clients of one kind of session, encrypted or not, may use."""

    def __init__(self, demands: Demands, announced: str) -> None:
        self.demands: Final = demands
        """What mechanisms must be like, announced or not."""
        self.announced: Final = announced
        """What EHLO says, between blanks."""


class Authentication:
    """One reading of main.cf."""

    def __init__(self, snapshot: Snapshot, settings: SmtpdSettings) -> None:
        """Raises ConfigError."""
        self._settings = settings
        self._snapshot = snapshot
        self.service: Final = self._service(settings)
        self._filter = MatchList(
            "smtpd_sasl_mechanism_filter", settings.smtpd_sasl_mechanism_filter, snapshot, warns=False
        )
        self._exceptions = MatchList(
            "smtpd_sasl_exceptions_networks", settings.smtpd_sasl_exceptions_networks, snapshot
        )

    @staticmethod
    def _service(settings: SmtpdSettings) -> SaslService:
        # A site has one of them, if any.
        match settings.smtpd_sasl_type:
            case "dovecot":
                from pyfix.sasl.dovecot import DovecotService

                return DovecotService(settings.smtpd_sasl_path, settings.smtpd_sasl_service)
            case "cyrus":
                from pyfix.sasl.cyrus import CyrusService, NoCyrus, read_configuration

                try:
                    configuration = read_configuration(settings.cyrus_sasl_config_path, settings.smtpd_sasl_path)
                except NoCyrus as error:
                    log.warning(str(error))
                    raise ConfigError(_NOT_INITIALIZED) from None
                return CyrusService(
                    configuration,
                    service=settings.smtpd_sasl_service,
                    realm=settings.smtpd_sasl_local_domain,
                    hostname=settings.myhostname,
                )
        log.warning(f"unsupported SASL server implementation: {settings.smtpd_sasl_type}")
        raise ConfigError(_NOT_INITIALIZED)

    async def offer(self, *, encrypted: bool) -> Offer:
        """Return what a client may use.  Raises ServiceFatal when that is nothing."""
        settings = self._settings
        words = settings.smtpd_sasl_tls_security_options if encrypted else settings.smtpd_sasl_security_options
        name = f"smtpd_sasl_{'tls_' if encrypted else ''}security_options"
        try:
            demands = Demands.of(words)
        except UnknownOption as error:
            problem = f'value "{error}" in "{self._snapshot.value(name)}"'
            if settings.smtpd_sasl_type == "dovecot":
                raise ServiceFatal(f"unknown xsasl_dovecot_server_create {problem}") from None
            log.warning(f"unknown SASL security options {problem}")
            log.warning("bad per-session SASL security properties")
            raise ServiceFatal("SASL per-connection initialization failed") from None
        offered = await self.service.mechanisms()
        admitted = [mechanism for mechanism in offered if demands.admit(mechanism.properties)]
        if not admitted:
            problem = self.service.lack(offered)
            if problem:
                log.warning(problem)
            raise ServiceFatal("no SASL authentication mechanisms")
        try:
            announced = [one.name for one in admitted if await self._filter.ask_string(one.name)]
        except TableError:
            raise ServiceFatal(self._filter.problem) from None
        if not announced:
            names = " ".join([one.name for one in admitted])
            raise ServiceFatal(f"smtpd_sasl_mechanism_filter discards all mechanisms in '{names}'")
        return Offer(demands, " ".join(announced))

    async def excepts(self, name: str, address: str) -> bool:
        """Say whether a client is not told of AUTH.  Raises TableError."""
        return bool(self._exceptions) and await self._exceptions.ask_client(name, address)
