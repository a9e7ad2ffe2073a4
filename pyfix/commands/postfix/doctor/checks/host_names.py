"""Names of this host that others do not know, and relay hosts that are this host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.config.errors import ConfigError
from pyfix.config.own_networks import own_addresses
from pyfix.config.parameters.mail import MailSettings

__all__ = ["check"]

_LOCAL_ONLY: Final = ("localhost", "localhost.localdomain", "localdomain")
_HOP: Final = re.compile(r"\[?(?P<host>[^]:]+|[0-9A-Fa-f:]+(?=\]))\]?(?::(?P<port>[\w-]+))?")
_PORTS: Final = {"smtp": "25", "submission": "587", "smtps": "465", "submissions": "465"}


def check(examination: Examination) -> Iterator[Finding]:
    """Look at myhostname, myorigin, mydomain and relayhost, where main.cf sets them."""
    try:
        settings = MailSettings(examination.snapshot)
        hostname, origin, domain = settings.myhostname, settings.myorigin, settings.mydomain
    except ConfigError:
        return  # bad_values tells
    if examination.is_set("myhostname"):
        yield from _check_hostname(examination, hostname, domain)
    if examination.is_set("myorigin") and "." not in origin:
        local = origin.lower() in _LOCAL_ONLY
        yield Finding(
            Severity.WARNING,
            examination.place("myorigin"),
            f"myorigin is {origin}, which is no full name",
            f"Mail of this host's programs has senders such as root@{origin}"
            + (": nobody else can answer it, and many refuse it." if local else ", to which no reply can get."),
            ("myorigin = $mydomain",) if "." in domain else ("myorigin = example.com",),
        )
    if examination.is_set("mydomain") and "." not in domain and domain.lower() not in _LOCAL_ONLY:
        yield Finding(
            Severity.NOTE,
            examination.place("mydomain"),
            f"mydomain is {domain}, a name without a dot",
            "It completes names that have no domain; mail from them can't be answered from elsewhere.",
        )
    yield from _check_relayhost(examination, hostname)


def _check_hostname(examination: Examination, hostname: str, domain: str) -> Iterator[Finding]:
    if hostname.lower() in _LOCAL_ONLY or "." not in hostname:
        full = f"{hostname}.{domain}" if "." in domain and hostname.lower() not in _LOCAL_ONLY else "mail.example.com"
        yield Finding(
            Severity.WARNING,
            examination.place("myhostname"),
            f"myhostname is {hostname}, which is no full name",
            "This host greets others with it, and many refuse a client whose HELO name is not fully qualified. It "
            "should be the name that the DNS has for this host's address.",
            (f"myhostname = {full}",),
        )


def _check_relayhost(examination: Examination, hostname: str) -> Iterator[Finding]:
    for hop in examination.snapshot.value("relayhost").replace(",", " ").split():
        match = _HOP.fullmatch(hop)
        if match is None:
            continue
        host, port = match["host"].lower(), match["port"] or "smtp"
        listens = any(
            service.entry.type == "inet" and _number(service.entry.name.rpartition(":")[2]) == _number(port)
            for service in examination.services
        )
        if listens and (host == hostname.lower() or host in _own(examination)):
            yield Finding(
                Severity.ERROR,
                examination.place("relayhost"),
                f"relayhost = {hop} is this host itself",
                "Mail for elsewhere comes back and is bounced: mail loops back to myself.",
                ("relayhost =",),
            )


def _number(port: str) -> str:
    return _PORTS.get(port, port)


def _own(examination: Examination) -> frozenset[str]:
    try:
        return frozenset(("localhost", "127.0.0.1", *(own.address for own in own_addresses(examination.snapshot))))
    except ConfigError:
        return frozenset(("localhost", "127.0.0.1"))
