"""TLS settings of old, or with effects that nobody wants.

Source: TLS_README; DEPRECATION_README; postconf(5) of the parameters named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.certificate_files import server_uses_tls
from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.config import catalogue
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot

__all__ = ["check"]

_BROKEN_PROTOCOLS: Final = ("sslv2", "sslv3")
_WEAK_GRADES: Final = ("export", "low")
_LEVELS: Final = {"use_tls": "may", "enforce_tls": "encrypt"}
_WRAPPED_PORTS: Final = ("465", "smtps", "submissions")
_PLAIN_PORTS: Final = ("25", "smtp", "587", "submission")
_PUBLIC_PORTS: Final = ("25", "smtp")


def check(examination: Examination) -> Iterator[Finding]:
    """Look at what is set, in main.cf and in options."""
    parameters = catalogue.all_parameters()
    scopes = [(None, name, examination.snapshot) for name in examination.lines]
    scoped = [(one, name, one.snapshot) for one in examination.services for name in one.overrides]
    for service, name, snapshot in (*scopes, *scoped):
        parameter = parameters.get(name)
        if parameter is not None and parameter.deprecated:
            yield _deprecated(examination, name, service, parameter.deprecated)
        elif "_tls_" in name:
            yield from _check_strength(examination, name, service, snapshot)
    for server in examination.of_program("smtpd"):
        yield from _check_server(examination, server)


def _deprecated(examination: Examination, name: str, service: Service | None, advice: str) -> Finding:
    instead = advice.removeprefix("specify ").strip('"')
    lines: tuple[str, ...] = ()
    if " " not in instead:
        snapshot = examination.snapshot if service is None else service.snapshot
        value = snapshot.raw(name) or ""
        old = next((suffix for suffix in _LEVELS if name.endswith(suffix)), "")
        if old:
            value = _LEVELS[old] if value.lower() == "yes" else "none"
        if not examination.is_set(instead, service):
            lines = (f"{instead} = {value}" if service is None else f"  -o {instead}={value}",)
    return Finding(
        Severity.NOTE,
        examination.place(name, service),
        f"{name} is deprecated" + (f" in favour of {instead}" if " " not in instead else ""),
        "It still works, and will not for ever."
        + ("" if lines or " " in instead else f" {instead} is set already, and wins: take this line out."),
        lines,
    )


def _check_strength(
    examination: Examination, name: str, service: Service | None, snapshot: Snapshot
) -> Iterator[Finding]:
    try:
        value = snapshot.value(name)
    except ConfigError:
        return
    place = examination.place(name, service)
    if name.endswith("_protocols"):
        words = [word.lower() for word in re.split(r"[\s,:]+", value) if word]
        broken = [word for word in words if word.removeprefix(">=") in _BROKEN_PROTOCOLS]
        if broken:
            yield Finding(
                Severity.WARNING,
                place,
                f"{name} allows {', '.join(broken)}",
                "These versions are broken, and today's libraries have them no more.",
                (examination.assignment(name, ">=TLSv1.2" if "mandatory" in name else ">=TLSv1", service),),
            )
    elif name.endswith("_ciphers") and "exclude" not in name and value.lower() in _WEAK_GRADES:
        yield Finding(
            Severity.WARNING,
            place,
            f"{name} = {value} is treated as medium",
            "The grades export and low are gone.",
            (examination.assignment(name, "medium", service),),
        )
    elif name in ("smtpd_tls_exclude_ciphers", "smtp_tls_exclude_ciphers") and "aes" in split_words(value.lower()):
        yield Finding(
            Severity.WARNING,
            place,
            f"{name} excludes AES",
            "Hardly a cipher is left that others have: TLS fails, and mail goes unencrypted or not at all.",
        )


def _check_server(examination: Examination, service: Service) -> Iterator[Finding]:
    snapshot = service.snapshot
    if service.entry.type != "inet":
        return
    port = service.entry.name.rpartition(":")[2]
    wrapped = snapshot.value("smtpd_tls_wrappermode").lower() == "yes"
    level = snapshot.value("smtpd_tls_security_level").strip().lower()
    if wrapped and port in _PLAIN_PORTS:
        yield Finding(
            Severity.ERROR,
            examination.place("smtpd_tls_wrappermode", service),
            f"{service.title}: smtpd_tls_wrappermode = yes on port {port}",
            "Clients wait there for a greeting and get none: they begin with TLS on port 465 only.",
            ("  -o smtpd_tls_wrappermode=no",),
        )
    elif not wrapped and port in _WRAPPED_PORTS:
        yield Finding(
            Severity.ERROR,
            service.place,
            f"{service.title}: clients begin with TLS on this port, and smtpd_tls_wrappermode is not on",
            "They take the greeting for a broken TLS record and go away.",
            ("  -o smtpd_tls_wrappermode=yes",),
        )
    if level == "encrypt" and port in _PUBLIC_PORTS and not service.listens_on_loopback_only:
        yield Finding(
            Severity.NOTE,
            examination.place("smtpd_tls_security_level", service),
            f"{service.title} takes mail by TLS only",
            "Servers without TLS can't deliver to this host at all. RFC 3207 has public mail exchangers not do that.",
            (examination.assignment("smtpd_tls_security_level", "may", service),),
        )
    yield from _check_passwords(examination, service, level, wrapped=wrapped)


def _check_passwords(examination: Examination, service: Service, level: str, *, wrapped: bool) -> Iterator[Finding]:
    snapshot = service.snapshot
    if snapshot.value("smtpd_sasl_auth_enable").lower() != "yes" or service.listens_on_loopback_only:
        return
    protected = (
        wrapped
        or level == "encrypt"
        or snapshot.value("smtpd_enforce_tls").lower() == "yes"
        or snapshot.value("smtpd_tls_auth_only").lower() == "yes"
        or "noplaintext" in split_words(snapshot.value("smtpd_sasl_security_options"))
    )
    if protected:
        return
    on = server_uses_tls(snapshot)
    yield Finding(
        Severity.WARNING,
        examination.place("smtpd_sasl_auth_enable", service),
        f"{service.title}: users may send their passwords unencrypted",
        "AUTH is offered before STARTTLS; who listens on the way gets the passwords."
        if on
        else "AUTH is offered without TLS; who listens on the way gets the passwords.",
        ("smtpd_tls_auth_only = yes",) if on else ("smtpd_tls_security_level = may", "smtpd_tls_auth_only = yes"),
    )
