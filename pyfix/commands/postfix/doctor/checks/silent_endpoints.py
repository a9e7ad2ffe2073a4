"""Milters, policy services, SASL and LMTP servers, filters and table servers that do not answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyfix.commands.postfix.doctor.endpoints import Endpoint, parse, unanswered
from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity
from pyfix.commands.postfix.doctor.restriction_words import items, lists
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot

__all__ = ["check"]

_MILTERS: Final = {"smtpd_milters": ("smtpd",), "non_smtpd_milters": ("cleanup",)}
_TRANSPORTS: Final = (
    "local_transport", "virtual_transport", "relay_transport", "mailbox_transport", "fallback_transport",
    "content_filter",
)  # fmt: skip
_LOOPBACK_HOP: Final = re.compile(r"(?:inet:)?\[?(127\.[0-9.]+|localhost|::1)\]?(?::([\w-]+))?")
_SERVED_TABLE: Final = re.compile(
    r"(?<![\w/-])(?P<table>tcp:(?P<tcp>[^\s,:{}]+:\w+)|socketmap:(?P<map>(?:inet:[^\s,:{}]+:\w+|unix:[^\s,:{}]+)):[^\s,{}]*)"
)
_LOCAL_HOSTS: Final = ("", "127.0.0.1", "localhost", "::1")
_MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class _Wanted:
    endpoint: Endpoint
    place: Place
    what: str
    severity: Severity
    why: str
    instead: tuple[str, ...] = ()


def check(examination: Examination) -> Iterator[Finding]:
    """Connect to each endpoint once, side by side, and tell of those that do not answer.

    What master(8) itself listens on is left out: it does while the mail system runs.
    """
    wanted = [one for one in _all(examination) if not _is_ours(examination, one.endpoint)]
    silent = unanswered(one.endpoint for one in wanted)
    for one in wanted:
        reason = silent.get(one.endpoint)
        if reason is not None:
            yield Finding(one.severity, one.place, f"{one.what}: {one.endpoint}: {reason}", one.why, one.instead)


def _is_ours(examination: Examination, endpoint: Endpoint) -> bool:
    if endpoint.path:
        return any(
            endpoint.path == f"{examination.queue_directory}/{service.entry.socket_path}"
            for service in examination.services
            if service.entry.type != "inet"
        )
    return endpoint.host in _LOCAL_HOSTS and any(
        service.entry.type == "inet" and service.entry.name.rpartition(":")[2] == endpoint.port
        for service in examination.services
    )


def _all(examination: Examination) -> Iterator[_Wanted]:
    for name, programs in _MILTERS.items():
        for service, snapshot in examination.scopes(*programs):
            if service is None or name in service.overrides:
                yield from _milters(examination, name, service, snapshot)
    for service, snapshot in examination.scopes("smtpd"):
        yield from _policies(examination, service, snapshot)
        yield from _sasl(examination, service, snapshot)
        yield from _proxy_filter(examination, service, snapshot)
    for service, snapshot in [(None, examination.snapshot), *((one, one.snapshot) for one in examination.services)]:
        for name in _TRANSPORTS:
            if service is None or name in service.overrides:
                yield from _transport(examination, name, service, snapshot)
        yield from _tables(examination, service, snapshot)


def _value(snapshot: Snapshot, name: str) -> str:
    try:
        return snapshot.value(name)
    except ConfigError:
        return ""


def _jailed(service: Service | None, examination: Examination, program: str) -> bool:
    """Say whether the program sees absolute paths below the queue directory."""
    if service is not None:
        return service.entry.chroot
    return any(one.entry.chroot for one in examination.of_program(program))


def _milters(examination: Examination, name: str, service: Service | None, snapshot: Snapshot) -> Iterator[_Wanted]:
    default = _value(snapshot, "milter_default_action")
    for word in split_words(_value(snapshot, name)):
        inner = word.strip("{} ").replace(",", " ").split()
        if not inner:
            continue
        endpoint = parse(inner[0], examination.queue_directory, jailed=_jailed(service, examination, _MILTERS[name][0]))
        if endpoint is None:
            continue
        action = next((part.partition("=")[2] for part in inner if part.startswith("default_action=")), default)
        if action == "accept":
            severity, effect = Severity.WARNING, "passes without it: unsigned, unchecked, and nobody is told"
        else:
            severity, effect = Severity.ERROR, f"is refused or put off ({action})"
        yield _Wanted(
            endpoint,
            examination.place(name, service, inner[0]),
            f"{name}: the milter {inner[0]} does not answer",
            severity,
            f"While it is away, mail {effect}. Start the milter, or let both sides name the same socket.",
        )


def _policies(examination: Examination, service: Service | None, snapshot: Snapshot) -> Iterator[_Wanted]:
    try:
        found = list(lists(snapshot))
    except ConfigError:
        return
    for name, value in found:
        if service is not None and name not in service.overrides:
            continue
        for item in items(value):
            words = item.argument.strip("{} ").replace(",", " ").split()
            if item.name.lower() != "check_policy_service" or not words:
                continue
            endpoint = parse(words[0], examination.queue_directory, jailed=_jailed(service, examination, "smtpd"))
            if endpoint is not None:
                yield _Wanted(
                    endpoint,
                    examination.place(name, service, words[0]),
                    f"{name}: the policy service {words[0]} does not answer",
                    Severity.ERROR,
                    "smtpd(8) waits for it, tries again, and answers 451 4.3.5 Server configuration problem: no mail "
                    "comes in. Start it, or name what to do without it.",
                    (f"check_policy_service {{ {words[0]}, timeout=10s, default_action=DUNNO }}",),
                )


def _sasl(examination: Examination, service: Service | None, snapshot: Snapshot) -> Iterator[_Wanted]:
    if service is not None and not any(name.startswith("smtpd_sasl_") for name in service.overrides):
        return
    if _value(snapshot, "smtpd_sasl_auth_enable").lower() != "yes" or _value(snapshot, "smtpd_sasl_type") != "dovecot":
        return
    path = _value(snapshot, "smtpd_sasl_path")
    text = path if path.startswith(("inet:", "unix:")) else f"unix:{path}"
    endpoint = parse(text, examination.queue_directory, jailed=_jailed(service, examination, "smtpd"))
    if endpoint is not None:
        yield _Wanted(
            endpoint,
            examination.place("smtpd_sasl_path", service),
            f"smtpd_sasl_path: the Dovecot server {path} does not answer",
            Severity.ERROR,
            "smtpd(8) offers no AUTH or ends: users can't send mail. Dovecot makes the socket from what its "
            "configuration says (in dovecot.conf, section service auth).",
            ("unix_listener /var/spool/postfix/private/auth { mode = 0660 user = postfix group = postfix }",)
            if endpoint.path
            else (),
        )


def _proxy_filter(examination: Examination, service: Service | None, snapshot: Snapshot) -> Iterator[_Wanted]:
    if service is not None and "smtpd_proxy_filter" not in service.overrides:
        return
    hop = _LOOPBACK_HOP.fullmatch(_value(snapshot, "smtpd_proxy_filter"))
    if hop is not None:
        yield _Wanted(
            Endpoint(host=hop[1], port=hop[2] or "25"),
            examination.place("smtpd_proxy_filter", service),
            "smtpd_proxy_filter: the filter does not answer",
            Severity.ERROR,
            "Each message is answered with 451 4.3.0 while it is away.",
        )


def _transport(examination: Examination, name: str, service: Service | None, snapshot: Snapshot) -> Iterator[_Wanted]:
    value = _value(snapshot, name)
    transport, _, hop = value.partition(":")
    endpoint = None
    if hop.startswith("unix:"):
        program = next((one for one in examination.services if one.entry.name == transport), None)
        jailed = program is not None and program.entry.chroot
        endpoint = parse(hop, examination.queue_directory, jailed=jailed)
    elif (match := _LOOPBACK_HOP.fullmatch(hop)) is not None and match[2]:
        endpoint = Endpoint(host=match[1], port=match[2])
    if endpoint is not None:
        yield _Wanted(
            endpoint,
            examination.place(name, service),
            f"{name} = {value}: nobody listens there",
            Severity.ERROR,
            "Mail that goes there waits in the queue.",
        )


def _tables(examination: Examination, service: Service | None, snapshot: Snapshot) -> Iterator[_Wanted]:
    for name in examination.lines if service is None else service.overrides:
        for match in _SERVED_TABLE.finditer(_value(snapshot, name)):
            where = f"inet:{match['tcp']}" if match["tcp"] else match["map"]
            endpoint = parse(where, examination.queue_directory)
            if endpoint is not None:
                yield _Wanted(
                    endpoint,
                    examination.place(name, service, match["table"]),
                    f"{name}: the server of {match['table'][:_MOST_SHOWN]} does not answer",
                    Severity.ERROR,
                    "Each lookup fails, and mail is put off.",
                )
