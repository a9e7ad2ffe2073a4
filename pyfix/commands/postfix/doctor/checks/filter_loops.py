"""Content filters whose filtered mail goes to the filter again.

Source: FILTER_README; postconf(5) content_filter, smtpd_proxy_filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Severity

__all__ = ["check"]

_HOP: Final = re.compile(r"\[?(?P<host>[^]]*?)\]?:(?P<port>[\w-]+)")
_SENDMAIL: Final = re.compile(r"(?:^|/)(?:sendmail|mail|spamc)$")


def check(examination: Examination) -> Iterator[Finding]:
    """Follow each content filter to where its mail comes back."""
    for service in (None, *examination.of_program("smtpd", "pickup", "qmqpd")):
        snapshot = examination.snapshot if service is None else service.snapshot
        if service is not None and "content_filter" not in service.overrides:
            continue
        value = snapshot.value("content_filter")
        if value:
            yield from _check_filter(examination, value, service)
    yield from _check_proxies(examination)


def _check_filter(examination: Examination, value: str, origin: Service | None) -> Iterator[Finding]:
    transport, _, hop = value.partition(":")
    program = next(
        (one for one in examination.services if one.entry.name == transport and one.entry.type == "unix"), None
    )
    match = _HOP.fullmatch(hop)
    if match is not None and match["host"] in ("127.0.0.1", "localhost", "::1"):
        listener = _listener(examination, match["port"])
        if listener is not None:
            yield Finding(
                Severity.ERROR,
                examination.place("content_filter", origin),
                f"content_filter = {value} leads back to {listener.title}",
                "There is no filter in between: each message goes round until it has too many Received: headers.",
            )
            return
    if origin is not None:
        return  # other services have no filter, so what comes back by one of them is filtered once
    if program is not None and program.entry.command == "pipe":
        pickup = next(iter(examination.of_program("pickup")), None)
        if pickup is not None and pickup.snapshot.value("content_filter") == value and _submits(program):
            yield Finding(
                Severity.ERROR,
                examination.place("content_filter"),
                f"content_filter = {value} filters its own mail again",
                f"The program of {transport} gives filtered mail to sendmail(1), and main.cf has mail from there "
                "filtered too. Filter what comes by SMTP only: take the line out of main.cf, and give the service "
                "smtp inet of master.cf the option.",
                (f"  -o content_filter={value}",),
            )
        return
    returning = [
        one for one in examination.of_program("smtpd") if one.listens_on_loopback_only and ":" in one.entry.name
    ]
    if any(not one.snapshot.value("content_filter") for one in returning):
        return
    for service in returning:
        yield Finding(
            Severity.ERROR,
            service.place,
            f"{service.title} gives filtered mail to the filter again ({value})",
            "The filter sends its mail back to this service, and main.cf's content_filter holds for it too: each "
            "message goes round until it has too many Received: headers.",
            ("  -o content_filter=",),
        )


def _listener(examination: Examination, port: str) -> Service | None:
    return next(
        (
            one
            for one in examination.of_program("smtpd", "postscreen")
            if one.entry.type == "inet" and one.entry.name.rpartition(":")[2] == port
        ),
        None,
    )


def _submits(program: Service) -> bool:
    """Say whether the program of a pipe(8) service gives mail to sendmail(1), as far as its arguments tell."""
    return any(_SENDMAIL.search(argument.removeprefix("argv=")) for argument in program.entry.arguments)


def _check_proxies(examination: Examination) -> Iterator[Finding]:
    for service in examination.of_program("smtpd"):
        value = service.snapshot.value("smtpd_proxy_filter")
        match = _HOP.fullmatch(value.removeprefix("inet:"))
        port = match["port"] if match is not None else ""
        if not value or not port:
            continue
        listener = _listener(examination, port)
        if listener is service:
            yield Finding(
                Severity.ERROR,
                examination.place("smtpd_proxy_filter", service),
                f"smtpd_proxy_filter = {value} leads back to {service.title} itself",
                "Each message goes round and round, and every process waits for the next one.",
                (examination.assignment("smtpd_proxy_filter", "", service).rstrip(),),
            )
        elif service.listens_on_loopback_only and not examination.is_set("smtpd_proxy_filter", service):
            continue
        elif ":" in service.entry.name and service.listens_on_loopback_only and _inherits(service):
            yield Finding(
                Severity.ERROR,
                service.place,
                f"{service.title} gives filtered mail to the filter again ({value})",
                "The filter sends its mail back to this service, and main.cf's smtpd_proxy_filter holds for it too.",
                ("  -o smtpd_proxy_filter=",),
            )


def _inherits(service: Service) -> bool:
    return "smtpd_proxy_filter" not in service.overrides
