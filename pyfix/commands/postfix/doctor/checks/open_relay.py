"""A stranger who may send mail to anywhere through us."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity
from pyfix.commands.postfix.doctor.rehearsal import Attempt, Rehearsal
from pyfix.commands.postfix.doctor.restriction_words import items
from pyfix.config.errors import ConfigError
from pyfix.config.own_networks import address_families
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot
from pyfix.formats.domain import is_hostname
from pyfix.protocols.internal.rewrite import CLASS_DEFAULT, CLASS_RELAY

__all__ = ["check"]

_STRANGERS: Final = ("198.51.100.77", "203.0.113.77", "8.8.4.4")
_STRANGERS6: Final = ("2001:db8::77", "2a00:1450:4001::77")
"""Addresses of nobody's clients, of documentation (RFC 5737, RFC 3849) and of the public network."""
_ELSEWHERE: Final = "elsewhere.example"
_HELO: Final = "mail.stranger.example"
_SENDER: Final = "somebody@stranger.example"
_RECIPIENT: Final = f"someone@{_ELSEWHERE}"
_OURS: Final = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
_USUAL: Final = "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"
_NOWHERE: Final = ("error", "retry", "discard")


def check(examination: Examination) -> Iterator[Finding]:
    """Try, on each smtpd service that others reach, to send mail from a stranger to somebody elsewhere."""
    for service in examination.of_program("smtpd"):
        if service.entry.type not in ("inet", "pass") or service.listens_on_loopback_only:
            continue
        try:
            rehearsal = Rehearsal(service.snapshot, examination.rewriting(service.snapshot))
        except ConfigError as error:
            yield Finding(
                Severity.ERROR,
                _place(examination, service, "smtpd_relay_restrictions"),
                f"the service {service.title} can't work: {error}",
                "smtpd(8) reads the same lists when it starts, and ends with this message; clients get no greeting.",
                (examination.assignment("smtpd_relay_restrictions", _USUAL, service),)
                if "smtpd_relay_restrictions" in str(error)
                else (),
            )
            continue
        yield from _try(examination, service, rehearsal)


def _try(examination: Examination, service: Service, rehearsal: Rehearsal) -> Iterator[Finding]:
    for attempt in _attempts(service.snapshot, rehearsal):
        refusal, permit = rehearsal.reply(attempt)
        if refusal is not None:
            continue
        goes = rehearsal.destination(attempt)
        if goes is None or goes.recipient.rpartition("@")[2] != _ELSEWHERE or goes.transport in _NOWHERE:
            continue
        if not goes.resolve_flags & (CLASS_DEFAULT | CLASS_RELAY):
            continue  # it stays here, so nobody else gets mail by us
        finding = _finding(examination, service, attempt, permit, relay_class=bool(goes.resolve_flags & CLASS_RELAY))
        if rehearsal.unasked:
            unasked = f" Not asked, as only others can answer: {_short(', '.join(rehearsal.unasked))}."
            finding = replace(finding, why=finding.why + unasked)
        yield finding
        return


def _attempts(snapshot: Snapshot, rehearsal: Rehearsal) -> Iterator[Attempt]:
    """Yield what to try: the plain case first, then forged senders and greetings, then routed recipients."""
    ipv4, ipv6 = address_families(snapshot)
    strangers = (_STRANGERS if ipv4 else ()) + (_STRANGERS6 if ipv6 else ())
    for stranger in strangers:
        yield Attempt(stranger, _HELO, _SENDER, _RECIPIENT)
    stranger = strangers[0]
    ours = _own_domains(snapshot)
    senders = ["", *(f"postmaster@{domain}" for domain in ours)]
    senders += (_as_sender(key) for key in rehearsal.permitted_keys("check_sender_access"))
    for sender in senders:
        yield Attempt(stranger, _HELO, sender, _RECIPIENT)
    helos = [snapshot.value("myhostname"), *rehearsal.permitted_keys("check_helo_access")]
    for helo in helos:
        yield Attempt(stranger, helo.lstrip("."), _SENDER, _RECIPIENT)
    for domain in ours[:2]:
        for localpart in (f"someone%{_ELSEWHERE}", f"someone@{_ELSEWHERE}", f"{_ELSEWHERE}!someone"):
            yield Attempt(stranger, _HELO, _SENDER, f"{localpart}@{domain}")


def _own_domains(snapshot: Snapshot) -> list[str]:
    words = [word for name in _OURS for word in split_words(snapshot.value(name))]
    names = [word for word in words if "." in word and is_hostname(word)]
    return list(dict.fromkeys([*names, snapshot.value("mydomain")]))[:20]


def _as_sender(key: str) -> str:
    if key == "<>":
        return ""
    if key.endswith("@"):
        return f"{key}stranger.example"
    return key if "@" in key else f"somebody@{key.lstrip('.')}"


def _finding(
    examination: Examination, service: Service, attempt: Attempt, permit: str, *, relay_class: bool
) -> Finding:
    how = f"from <{attempt.sender}> to <{attempt.recipient}>"
    if attempt.helo != _HELO:
        how += f" with HELO {attempt.helo}"
    what = f"open relay: {service.title} lets a stranger ({attempt.address}) send {how}"
    why = (
        "Anybody can send mail to anywhere through this host; it will be found and used for spam within hours, and "
        "the host blocked everywhere. "
    )
    if permit == "permit_mynetworks":
        networks = service.snapshot.value("mynetworks")
        return Finding(
            Severity.ERROR,
            examination.place("mynetworks", service),
            what,
            f"{why}The restrictions were evaluated as smtpd(8) does: permit_mynetworks permits it, because mynetworks "
            f"({_short(networks)}) has this address.",
            (examination.assignment("mynetworks", "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", service),),
        )
    if relay_class and permit in ("", "permit_auth_destination"):
        return Finding(
            Severity.ERROR,
            examination.place("relay_domains", service),
            what,
            f"{why}relay_domains ({_short(service.snapshot.value('relay_domains'))}) has a domain that is not yours.",
            (examination.assignment("relay_domains", "", service).rstrip(),),
        )
    place, name = _permitting(examination, service, permit)
    by = f"{permit} in {name} permits it" if permit else "no restriction refuses it"
    value = service.snapshot.value("smtpd_relay_restrictions")
    guarded = any(
        item.name.lower() in ("reject_unauth_destination", "defer_unauth_destination") for item in items(value)
    )
    advice = "" if guarded else " smtpd_relay_restrictions has nothing that refuses strangers."
    return Finding(
        Severity.ERROR,
        place,
        what,
        f"{why}The restrictions were evaluated as smtpd(8) does, and {by}.{advice}",
        (examination.assignment("smtpd_relay_restrictions", _USUAL, service),),
    )


def _permitting(examination: Examination, service: Service, permit: str) -> tuple[Place, str]:
    """Return where the restriction stands that permitted it: in the relay list, which has to protect."""
    for name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions"):
        value = service.snapshot.value(name)
        if permit and any(permit in (item.name, item.argument) for item in items(value)):
            return examination.place(name, service, permit), name
    name = "smtpd_relay_restrictions"
    if not examination.is_set(name, service) and examination.is_set("smtpd_recipient_restrictions", service):
        name = "smtpd_recipient_restrictions"
    return _place(examination, service, name), name


def _place(examination: Examination, service: Service, name: str) -> Place:
    return examination.place(name, service) if examination.is_set(name, service) else service.place


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
