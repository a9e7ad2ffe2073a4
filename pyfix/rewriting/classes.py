"""Classes of addresses to which a rewriting applies: of the envelope or a header, of senders or recipients.

Source: postconf(5) canonical_classes, masquerade_classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from pyfix.config.errors import ConfigError

AddressClass = Literal["envelope_sender", "envelope_recipient", "header_sender", "header_recipient"]
ADDRESS_CLASSES: Final[tuple[AddressClass, ...]] = (
    "envelope_sender", "envelope_recipient", "header_sender", "header_recipient",
)  # fmt: skip


def address_classes(parameter: str, words: Iterable[str]) -> frozenset[AddressClass]:
    """Return the classes that a parameter names.  Raises ConfigError for a word that is none."""
    found: set[AddressClass] = set()
    for word in words:
        kind = next((kind for kind in ADDRESS_CLASSES if kind == word.lower()), None)
        if kind is None:
            raise ConfigError(f'unknown {parameter} value "{word}" in "{" ".join(words)}"')
        found.add(kind)
    return frozenset(found)
