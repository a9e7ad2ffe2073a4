"""Every parameter by name: what ``$name`` in a value may refer to, what postconf(1) lists."""

from __future__ import annotations

from pyfix.config.families import family_default
from pyfix.config.parameter import DECLARED

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Any, Final

    from pyfix.config.parameter import Parameter

__all__ = ["MODULES", "all_parameters", "find"]

MODULES = (
    "address_classes",
    "address_mappings",
    "address_probe",
    "anvil",
    "bounce",
    "cleanup",
    "command_delivery",
    "content",
    "databases",
    "dnsblog",
    "flush",
    "identity",
    "instances",
    "interchange",
    "lmtp_client",
    "lmtp_client_sasl",
    "lmtp_client_tls",
    "local",
    "logging",
    "mail",
    "mail_entry",
    "mailbox",
    "master",
    "milter",
    "nbdb_reindexd",
    "notification",
    "paths",
    "postlogd",
    "postscreen",
    "process",
    "proxymap",
    "qmgr",
    "qmqpd",
    "queue_files",
    "queue_times",
    "resolver",
    "rewrite",
    "scache",
    "sender_rewriting",
    "services",
    "smtp_client",
    "smtp_client_sasl",
    "smtp_client_tls",
    "smtp_server",
    "smtp_transport",
    "smtpd",
    "smtpd_access",
    "smtpd_limits",
    "smtpd_sasl",
    "smtpd_tls",
    "submission",
    "tls",
    "tls_sessions",
    "tlsproxy",
    "verify",
    "virtual",
)
"""The modules of pyfix.config.parameters that declare parameters."""

_WANTED_MOST: Final = ("logging", "identity", "paths", "process", "mail", "submission", "services")
"""What programs need that read few parameters: they find them without all the others."""

_complete = False


def find(name: str) -> Parameter[Any] | None:
    """Return the declaration of *name*, importing modules until one has it."""
    if not _complete:
        for module in _WANTED_MOST:
            __import__(f"pyfix.config.parameters.{module}")
            if name in DECLARED:
                return DECLARED[name]
        _load()
    return DECLARED.get(name) or family_default(name)


def all_parameters() -> dict[str, Parameter[Any]]:
    """Return every built-in parameter by name, also the legacy ones; service-dependent names are not among them."""
    _load()
    return DECLARED


def _load() -> None:
    global _complete
    for module in MODULES:
        __import__(f"pyfix.config.parameters.{module}")
    _complete = True
