"""Networks that are trusted and should not be: the whole Internet, or a gateway behind which everybody stands."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot
from pyfix.tables.matchlist import MatchList
from pyfix.tables.table import TableError

__all__ = ["check"]

_PARAMETERS: Final = {
    "mynetworks": "may send mail to anywhere",
    "smtpd_authorized_xclient_hosts": "may pretend to be any client, also one that is trusted",
    "smtpd_authorized_xforward_hosts": "may put any client's name and address into the log",
    "qmqpd_authorized_clients": "may send mail to anywhere by QMQP",
}
"""Parameters that list clients, and what those clients may do."""
_LOOPBACK: Final = "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128"
_WIDEST: Final = {4: 8, 6: 20}
"""Shorter prefixes than these are parts of the Internet that nobody owns."""
_WIDEST_PUBLIC: Final = {4: 12, 6: 29}
"""Shorter prefixes of public addresses than these are a provider's, customers and all."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check(examination: Examination) -> Iterator[Finding]:
    """Look through the lists of trusted clients, those of each service with its own."""
    for service, snapshot in examination.scopes("smtpd", "qmqpd", "postscreen"):
        for name, may in _PARAMETERS.items():
            if service is not None and name not in service.overrides:
                continue
            if name != "mynetworks" and not examination.is_set(name, service):
                continue
            yield from _check_list(examination, service, snapshot, name, may)


def _check_list(
    examination: Examination, service: Service | None, snapshot: Snapshot, name: str, may: str
) -> Iterator[Finding]:
    try:
        words = split_words(snapshot.value(name))
    except ConfigError:
        return  # bad_values tells
    wide = False
    for word in words:
        network = _network(word)
        if isinstance(network, str):
            yield Finding(
                Severity.ERROR,
                examination.place(name, service, word),
                f"{name}: {word} is no network: {network}",
                "Each lookup in the list that comes as far as this word fails, and clients get a temporary error.",
                _replaced(examination, name, words, word, _corrected(word), service) if _corrected(word) else (),
            )
        elif network is not None and network.prefixlen < _WIDEST[network.version] and not network.is_private:
            wide = True
            yield Finding(
                Severity.ERROR,
                examination.place(name, service, word),
                f"{name} has {word}",
                f"These are {_count(network)} addresses of the whole Internet, and everybody there {may}.",
                _replaced(examination, name, words, word, "", service),
            )
        elif (
            network is not None
            and not (network.is_private or network.is_loopback or network.is_link_local)
            and network.prefixlen < _WIDEST_PUBLIC[network.version]
        ):
            yield Finding(
                Severity.WARNING,
                examination.place(name, service, word),
                f"{name} has the public network {word}",
                f"These are {network.num_addresses} addresses; each client there {may}. List your own hosts only.",
            )
    if not wide:
        yield from _check_gateways(examination, service, snapshot, name, words, may)


def _check_gateways(
    examination: Examination,
    service: Service | None,
    snapshot: Snapshot,
    name: str,
    words: tuple[str, ...],
    may: str,
) -> Iterator[Finding]:
    gateways = [gateway for gateway in examination.host.gateways if _has(name, words, snapshot, gateway)]
    for gateway in gateways:
        by_name = any(word.strip("[]").partition("/")[0].rstrip("]") == gateway for word in words)
        contained = examination.host.in_container
        word = next((word for word in words if _contains(word, gateway)), "")
        unset = not examination.is_set(name, service)
        origin = f" (by mynetworks_style = {snapshot.value('mynetworks_style')})" if unset else ""
        yield Finding(
            Severity.WARNING if contained or by_name else Severity.NOTE,
            examination.place("mynetworks_style" if unset else name, service, "" if unset else word),
            f"{name}{f' has {word}, which' if word and not unset else origin} includes the default gateway {gateway}",
            (
                "In a container every client seems to have the gateway's address where the runtime translates "
                "addresses or has a proxy of its own (Docker's userland proxy, IPv6 without NAT): then the whole "
                f"Internet {may}."
                if contained
                else "Where the router translates the addresses of incoming connections, strangers come from its "
                f"address, and each of them {may}."
            ),
            (_without(examination, name, words, gateway, service),),
        )


def _replaced(
    examination: Examination, name: str, words: tuple[str, ...], word: str, other: str, service: Service | None
) -> tuple[str]:
    """Return the same list with *other* in the place of *word*; this host alone where nothing is left."""
    rest = " ".join(filter(None, (other if one == word else one for one in words)))
    return (examination.assignment(name, rest or (_LOOPBACK if name == "mynetworks" else "127.0.0.1"), service),)


def _has(name: str, words: tuple[str, ...], snapshot: Snapshot, address: str) -> bool:
    try:
        return MatchList(name, words, snapshot).matches_address(address)
    except (TableError, ConfigError):
        return False


def _without(examination: Examination, name: str, words: tuple[str, ...], gateway: str, service: Service | None) -> str:
    """Return the same list with the gateway excluded; the first pattern that matches decides."""
    rest = [word for word in words if _network(word) is None or not _is_just(word, gateway)]
    excluded = f"![{gateway}]" if ":" in gateway else f"!{gateway}"
    return examination.assignment(name, " ".join((excluded, *rest)), service)


def _is_just(word: str, address: str) -> bool:
    network = _network(word)
    return (
        not isinstance(network, str) and network is not None and network.num_addresses == 1 and _contains(word, address)
    )


def _contains(word: str, address: str) -> bool:
    network = _network(word)
    return not isinstance(network, str) and network is not None and ipaddress.ip_address(address) in network


def _network(word: str) -> Network | str | None:
    """Return the network that a word names, a text that says why it names none, or None for what is no network."""
    bare = word.replace("[", "").replace("]", "")
    if not bare.strip("0123456789./") or (":" in bare and word.startswith("[")):
        try:
            return ipaddress.ip_network(bare)
        except ValueError as error:
            return str(error) if "/" in bare else None
    return None


def _corrected(word: str) -> str:
    try:
        network = ipaddress.ip_network(word.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return ""
    return str(network) if network.version == 4 else f"[{network.network_address}]/{network.prefixlen}"


def _count(network: Network) -> str:
    return "all" if network.prefixlen == 0 else f"one in {2**network.prefixlen} of all"
