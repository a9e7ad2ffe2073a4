"""The words of restriction lists, all of Postfix 3.11, and lists taken apart.

Source: postconf(5) smtpd_client_restrictions and its neighbours; SMTPD_ACCESS_README.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot

__all__ = ["ARGUMENT", "KNOWN", "LISTS", "RENAMED", "WITHOUT_EFFECT", "Item", "items", "lists"]

LISTS: Final = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
    "smtpd_etrn_restrictions",
)
"""The parameters that are restriction lists."""

_SUBJECTS: Final = ("client", "reverse_client_hostname", "helo", "sender", "recipient")
_BY_DNS: Final = tuple(f"check_{subject}_{kind}_access" for subject in _SUBJECTS for kind in ("a", "mx", "ns"))

ARGUMENT: Final = frozenset(
    {
        *_BY_DNS,
        *(f"check_{subject}_access" for subject in (*_SUBJECTS, "etrn", "ccert", "sasl")),
        *("check_policy_service", "sleep", "reject_rbl_client", "reject_rbl", "permit_dnswl_client"),
        *("permit_rhswl_client", "reject_rhsbl_client", "reject_rhsbl_reverse_client", "reject_rhsbl_helo"),
        *("reject_rhsbl_sender", "reject_rhsbl_recipient"),
    }
)
"""The restrictions that take the next word."""

RENAMED: Final = {
    "reject_invalid_hostname": "reject_invalid_helo_hostname",
    "reject_non_fqdn_hostname": "reject_non_fqdn_helo_hostname",
    "reject_unknown_hostname": "reject_unknown_helo_hostname",
    "reject_unknown_client": "reject_unknown_client_hostname",
    "reject_unknown_address": "reject_unknown_sender_domain",
    "reject_rbl": "reject_rbl_client",
    "check_recipient_maps": "reject_unlisted_recipient",
}
"""Old names that still work, and today's."""

WITHOUT_EFFECT: Final = {
    "permit_naked_ip_address": "permit_mynetworks",
    "reject_maps_rbl": "reject_rbl_client",
    "check_relay_domains": "reject_unauth_destination",
}
"""Names that Postfix 3.9 and later no longer obey, and what to write instead."""

KNOWN: Final = frozenset(
    {
        *ARGUMENT,
        *RENAMED,
        *WITHOUT_EFFECT,
        *RENAMED.values(),
        *("permit", "reject", "defer", "defer_if_permit", "defer_if_reject", "warn_if_reject"),
        *("permit_mynetworks", "permit_inet_interfaces", "permit_sasl_authenticated", "permit_tls_clientcerts"),
        *("permit_tls_all_clientcerts", "permit_auth_destination", "permit_mx_backup"),
        *("reject_plaintext_session", "reject_unauth_pipelining", "reject_multi_recipient_bounce"),
        "reject_unknown_reverse_client_hostname",
        *("reject_non_fqdn_sender", "reject_unlisted_sender", "reject_unverified_sender"),
        *("reject_sender_login_mismatch", "reject_known_sender_login_mismatch"),
        *("reject_authenticated_sender_login_mismatch", "reject_unauthenticated_sender_login_mismatch"),
        *("reject_unauth_destination", "defer_unauth_destination", "reject_non_fqdn_recipient"),
        *("reject_unknown_recipient_domain", "reject_unlisted_recipient", "reject_unverified_recipient"),
    }
)
"""Every name, in lower case."""


@dataclass(frozen=True, slots=True)
class Item:
    """One restriction of a list."""

    name: str
    """As written."""
    argument: str = ""
    warns: bool = False
    """warn_if_reject stands before it."""

    @property
    def text(self) -> str:
        """The restriction with its argument."""
        return f"{self.name} {self.argument}".rstrip()

    @property
    def whole(self) -> str:
        """The same, as a list has it."""
        return f"warn_if_reject {self.text}" if self.warns else self.text


def items(value: str) -> list[Item]:
    """Take an expanded list apart."""
    found: list[Item] = []
    words = iter(split_words(value))
    warns = False
    for word in words:
        if word.lower() == "warn_if_reject":
            warns = True
            continue
        argument = next(words, "") if word.lower() in ARGUMENT else ""
        found.append(Item(word, argument, warns))
        warns = False
    return found


def lists(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield name and value of each list that is set, restriction classes last.  Raises ConfigError."""
    for name in (*LISTS, *split_words(snapshot.value("smtpd_restriction_classes"))):
        value = snapshot.value(name)
        if value:
            yield name, value
