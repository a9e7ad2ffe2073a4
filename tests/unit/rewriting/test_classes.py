from __future__ import annotations

from pyfix.rewriting.classes import ADDRESS_CLASSES, address_classes


def test_words() -> None:
    assert address_classes(["envelope_sender", "header_recipient"]) == {"envelope_sender", "header_recipient"}
    assert address_classes(ADDRESS_CLASSES) == set(ADDRESS_CLASSES)
    assert address_classes([]) == frozenset()
