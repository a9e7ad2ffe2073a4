"""Services that parameters name and master.cf does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity
from pyfix.commands.postfix.doctor.nearest import nearest
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError

__all__ = ["check"]

_TRANSPORTS: Final = (
    "local_transport", "virtual_transport", "relay_transport", "default_transport", "mailbox_transport",
    "fallback_transport", "content_filter",
)  # fmt: skip
"""Parameters that are ``transport:nexthop`` or empty."""
_SERVICES: Final = {
    "cleanup_service_name": "cleanup   unix  n       -       n       -       0       cleanup",
    "queue_service_name": "qmgr      unix  n       -       n       300     1       qmgr",
    "rewrite_service_name": "rewrite   unix  -       -       n       -       -       trivial-rewrite",
    "bounce_service_name": "bounce    unix  -       -       n       -       0       bounce",
    "defer_service_name": "defer     unix  -       -       n       -       0       bounce",
    "pickup_service_name": "pickup    unix  n       -       n       60      1       pickup",
}
"""Parameters that name what no mail gets on without, and their lines of the standard master.cf."""
_CLASSES: Final = {
    "local_transport": "mydestination",
    "virtual_transport": "virtual_mailbox_domains",
    "relay_transport": "relay_domains",
}
"""Transports whose default matters only where the address class has a domain."""
_MOST_ENTRIES: Final = 5000


def check(examination: Examination) -> Iterator[Finding]:
    """Look for each service under the name that a parameter gives it."""
    for name, line in _SERVICES.items():
        yield from _check_service(examination, name, line)
    for service, snapshot in _scopes(examination):
        for name in _TRANSPORTS:
            if service is None or name in service.overrides:
                yield from _check_transport(examination, name, service, snapshot)
    yield from _check_transport_maps(examination)
    yield from _check_companions(examination)


def _scopes(examination: Examination) -> Iterator[tuple[Service | None, Snapshot]]:
    yield None, examination.snapshot
    yield from ((service, service.snapshot) for service in examination.services if service.overrides)


def _names(examination: Examination) -> list[str]:
    return [one.entry.name for one in examination.services if one.entry.type in ("unix", "fifo")]


def _check_service(examination: Examination, name: str, line: str) -> Iterator[Finding]:
    value = examination.snapshot.value(name)
    if not examination.has_service(value):
        yield Finding(
            Severity.ERROR,
            examination.place(name) if examination.is_set(name) else Place(examination.master_path),
            f"master.cf has no service {value} ({name})",
            "No mail gets on without it.",
            (line.replace(line.split(maxsplit=1)[0], value, 1),),
        )
    for service in examination.services:
        own = service.overrides.get(name)
        if own is not None and "$" not in own and not examination.has_service(own):
            meant = nearest(own, _names(examination))
            yield Finding(
                Severity.ERROR,
                examination.place(name, service),
                f"{service.title}: {name} = {own}, which master.cf does not have" + (f"; {meant}?" if meant else ""),
                "Mail that comes by this service can't be taken.",
                (examination.assignment(name, meant, service),) if meant else (),
            )


def _check_transport(
    examination: Examination, name: str, service: Service | None, snapshot: Snapshot
) -> Iterator[Finding]:
    try:
        value = snapshot.value(name)
    except ConfigError:
        return
    transport = value.partition(":")[0].strip()
    if not transport or examination.has_service(transport, types=("unix",)):
        return
    if not examination.is_set(name, service) and name in _CLASSES and not snapshot.value(_CLASSES[name]):
        return
    meant = nearest(transport, _names(examination))
    yield Finding(
        Severity.ERROR,
        examination.place(name, service),
        f"{name} = {value}: master.cf has no service {transport}" + (f"; {meant}?" if meant else ""),
        f"Mail that goes there waits in the queue: qmgr(8) finds no private/{transport} to give it to.",
        (examination.assignment(name, value.replace(transport, meant, 1), service),) if meant else (),
    )


def _check_transport_maps(examination: Examination) -> Iterator[Finding]:
    """Look through the tables that can be read through for transports that do not exist."""
    try:
        words = split_words(examination.snapshot.value("transport_maps"))
    except ConfigError:
        return
    for word in words:
        if re.match(r"(hash|btree|cdb|lmdb|texthash|inline):", word) is None:
            continue
        missing: dict[str, str] = {}
        try:
            table = open_table(word, examination.snapshot, share=False)
            for count, (key, value) in enumerate(table.items()):  # type: ignore[attr-defined]  # these types have it
                transport = value.partition(":")[0].strip()
                if transport and not examination.has_service(transport, types=("unix",)):
                    missing.setdefault(transport, key)
                if count >= _MOST_ENTRIES:
                    break
        except TableError:
            continue  # the check of tables tells of it
        for transport, key in missing.items():
            meant = nearest(transport, _names(examination))
            yield Finding(
                Severity.ERROR,
                examination.place("transport_maps", None, word),
                f"{word}: the entry of {key} names the transport {transport}, which master.cf does not have"
                + (f"; {meant}?" if meant else ""),
                "Mail that goes there waits in the queue.",
            )


def _check_companions(examination: Examination) -> Iterator[Finding]:
    """Look for what postscreen(8), the tables behind proxymap(8) and the log need."""
    screens = [one for one in examination.of_program("postscreen") if one.entry.type in ("inet", "pass")]
    if screens:
        snapshot, place = screens[0].snapshot, screens[0].place
        wanted = [("smtpd", "pass", "smtpd     pass  -       -       n       -       -       smtpd")]
        if snapshot.value("postscreen_dnsbl_sites"):
            wanted.append(("dnsblog", "unix", "dnsblog   unix  -       -       n       -       0       dnsblog"))
        if snapshot.value("smtpd_tls_security_level") not in ("", "none"):
            wanted.append(("tlsproxy", "unix", "tlsproxy  unix  -       -       n       -       0       tlsproxy"))
        for name, type_, line in wanted:
            if not examination.has_service(name, types=(type_,)):
                yield Finding(
                    Severity.ERROR,
                    place,
                    f"postscreen needs the service {name} {type_}, which master.cf does not have",
                    "postscreen(8) can't hand on clients, ask DNS lists or speak TLS without it.",
                    (line,),
                )
    name = examination.snapshot.value("proxymap_service_name")
    if not examination.has_service(name):
        for parameter in examination.lines:
            if re.search(r"(?<![\w-])proxy:", examination.snapshot.raw(parameter) or ""):
                yield Finding(
                    Severity.ERROR,
                    examination.place(parameter),
                    f"{parameter} has a proxy: table, and master.cf has no service {name}",
                    "Each lookup fails, and mail is put off.",
                    (f"{name}  unix  -       -       n       -       -       proxymap",),
                )
                return
