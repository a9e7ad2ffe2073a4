from __future__ import annotations

import random

import pytest

from pyfix.formats.db.cdb import _hash
from pyfix.formats.db.hash import hash_key
from pyfix.formats.db.lanes import cdb_hashes, fnv_low_bits

_CHANCE = random.Random(3)
KEYS = [_CHANCE.randbytes(_CHANCE.choice([0, 1, 5, 20, 30, 90, 96, 97, 300])) for _ in range(5000)]


@pytest.mark.parametrize("bits", [1, 2, 8, 11, 16, 22, 23, 24, 32])
def test_low_bits_of_fnv(bits: int) -> None:
    mask = (1 << bits) - 1
    assert fnv_low_bits(KEYS, mask, hash_key) == [hash_key(key) & mask for key in KEYS]


def test_hashes_of_cdb() -> None:
    assert cdb_hashes(KEYS, _hash) == [_hash(key) for key in KEYS]


def test_no_keys_and_zeros() -> None:
    assert fnv_low_bits([], 1, hash_key) == cdb_hashes([], _hash) == []
    zeros = [b"\0" * size for size in range(100)]
    assert cdb_hashes(zeros, _hash) == [_hash(key) for key in zeros]
    assert fnv_low_bits(zeros, 255, hash_key) == [0] * 100
