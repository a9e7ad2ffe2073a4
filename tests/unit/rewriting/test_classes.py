from __future__ import annotations

import pytest

from pyfix.config.errors import ConfigError
from pyfix.rewriting.classes import ADDRESS_CLASSES, address_classes


def test_words() -> None:
    assert address_classes("p", ["Envelope_Sender", "header_recipient"]) == {"envelope_sender", "header_recipient"}
    assert address_classes("p", ADDRESS_CLASSES) == set(ADDRESS_CLASSES)
    assert address_classes("p", []) == frozenset()


def test_unknown_word() -> None:
    with pytest.raises(ConfigError, match=r'^unknown p value "all" in "envelope_sender all"$'):
        address_classes("p", ["envelope_sender", "all"])
