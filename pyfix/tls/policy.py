"""What a destination's mail needs of TLS: the level, and how the server proves who it is.

Source: TLS_README "Client TLS limitations", "TLS policy table"; postconf(5) smtp_tls_policy_maps, smtp_tls_per_site.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyfix.tls.dane import TlsaProof

__all__ = ["LEVELS", "BadPolicy", "ClientPolicy", "parse_policy", "stronger_site"]

LEVELS: Final = ("none", "may", "encrypt", "fingerprint", "halfdane", "dane", "dane-only", "verify", "secure")
"""Weakest first."""
_MATCHING: Final = ("fingerprint", "verify", "secure")
_TLSRPT: Final = ("policy_ttl", "policy_domain", "policy_string", "policy_failure", "mx_host_pattern")
_SITES: Final = {"none": "none", "may": "may", "must": "verify", "must_nopeermatch": "encrypt"}


class BadPolicy(Exception):
    """The policy of a destination can't be followed: the line of the log, which says why."""


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """One destination's."""

    level: str
    protocols: tuple[str, ...] = ()
    """As smtp_tls_protocols has them."""
    grade: str = "medium"
    exclusions: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    """Names (hostname, nexthop, dot-nexthop, a domain, a parent domain with a dot) or fingerprints."""
    own_match: bool = False
    """Whether the policy itself says what has to match."""
    server_name: str = ""
    """What is asked for in SNI: hostname, nexthop, a name, or nothing."""
    trust_anchors: tuple[str, ...] = ()
    """Files in place of smtp_tls_CAfile."""
    proof: TlsaProof | None = None
    """What the server must agree with at the levels dane, dane-only and halfdane."""
    ignored: tuple[str, ...] = ()
    """What was said of TLS where there is to be none."""

    @property
    def required(self) -> bool:
        """Whether mail must not go without TLS."""
        return self.level not in ("none", "may")

    @property
    def matches(self) -> bool:
        """Whether the server must prove who it is."""
        return self.level in (*_MATCHING, "dane", "dane-only", "halfdane")


def stronger_site(values: tuple[str | None, ...], usual: str, warn: Callable[[int, str], BadPolicy]) -> str:
    """Return the level that smtp_tls_per_site says for a host and a destination, whose values *values* are.

    *usual*: the level where neither has one.  *warn* makes the exception for the value at a place that is no policy.
    Source: TLS_README "Obsolete per-site TLS policy support".
    """
    found = []
    for place, value in enumerate(values):
        if value is None:
            continue
        level = _SITES.get(value.lower())
        if level is None:
            raise warn(place, value)
        found.append(level)
    if not found:
        return usual
    strongest = max(found, key=LEVELS.index)
    if "none" in found and strongest == "may":
        return "none"
    return strongest


def parse_policy(text: str, usual: ClientPolicy, defaults: Callable[[str], ClientPolicy]) -> ClientPolicy:
    """Read the right-hand side of a policy table.  *defaults* gives the policy of a level that says nothing else.

    Raises BadPolicy.
    """
    words = text.replace(",", " ").split()
    if not words:
        raise BadPolicy("invalid empty policy")
    level = words[0].lower()
    if level not in LEVELS or level == "halfdane":
        raise BadPolicy(f'invalid security level "{words[0]}"')
    if level == "none":
        return replace(usual, level="none", ignored=tuple(words[1:]))
    found = defaults(level)
    given: dict[str, str] = {}
    match: list[str] = []
    anchors: list[str] = []
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadPolicy(f"malformed attribute/value pair \"{word}\": missing '=' after attribute name")
        name = name.lower()
        match name:
            case "match":
                if level not in _MATCHING:
                    raise BadPolicy(f'attribute "{name}" invalid at security level "{level}"')
                if not value:
                    raise BadPolicy(f'attribute "{name}" has empty value')
                match += value.split("|" if level == "fingerprint" else ":")
                continue
            case "tafile":
                if level not in ("verify", "secure"):
                    raise BadPolicy(f'attribute "{name}" invalid at security level "{level}"')
                anchors.append(value)
                continue
            case "protocols" | "ciphers" | "exclude" | "servername":
                pass
            case "connection_reuse" | "enable_rpk":
                if value.lower() not in ("yes", "no"):
                    raise BadPolicy(f'attribute "{name}" has bad value: "{value}"')
            case "policy_type":
                pass
            case _ if name in _TLSRPT:
                pass
            case _:
                raise BadPolicy(f'invalid attribute name: "{name}"')
        if name in given and name not in _TLSRPT:
            raise BadPolicy(f'attribute "{name}" is specified multiple times')
        given[name] = value
    if any(name in given for name in _TLSRPT) and "policy_type" not in given:
        raise BadPolicy(
            "built-in policy has unexpected attribute policy_ttl, policy_domain, policy_string, mx_host_pattern or "
            "policy_failure"
        )
    if "protocols" in given:
        found = replace(found, protocols=tuple(given["protocols"].split(":")))
    if "ciphers" in given:
        found = replace(found, grade=given["ciphers"])
    if "exclude" in given:
        found = replace(found, exclusions=(given["exclude"],))
    if "servername" in given:
        found = replace(found, server_name=given["servername"])
    if match:
        found = replace(found, match=tuple(match), own_match=True)
    return replace(found, trust_anchors=tuple(anchors)) if anchors else found
