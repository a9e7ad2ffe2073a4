"""The size record."""

from __future__ import annotations

import pytest

from pyfix.formats.queuefile import EMPTY_SIZES, SIZE_RECORD_BYTES, Sizes


def test_size_record_is_as_postfix_writes_it() -> None:
    sizes = Sizes(319, 779, 2, 28, 319, 1)
    assert sizes.encode() == b"C_            319             779               2              28             319               1"
    assert Sizes.decode(sizes.encode()[2:]) == sizes
    assert len(sizes.encode()) == len(EMPTY_SIZES) == SIZE_RECORD_BYTES


def test_old_size_record_has_fewer_numbers() -> None:
    assert Sizes.decode(b"            319             779               2") == Sizes(319, 779, 2, 0, 0, 0)


def test_damaged_size_record() -> None:
    with pytest.raises(ValueError, match="bad size record"):
        Sizes.decode(b"nonsense")
