"""Classes of addresses to which a rewriting applies: of the envelope or a header, of senders or recipients.

Source: postconf(5) canonical_classes, masquerade_classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

AddressClass = Literal["envelope_sender", "envelope_recipient", "header_sender", "header_recipient"]
ADDRESS_CLASSES: Final[tuple[AddressClass, ...]] = (
    "envelope_sender", "envelope_recipient", "header_sender", "header_recipient",
)  # fmt: skip


def address_classes(words: Iterable[str]) -> frozenset[AddressClass]:
    """Return the classes that a parameter names."""
    return frozenset(kind for kind in ADDRESS_CLASSES if kind in set(words))
