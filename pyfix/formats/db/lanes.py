"""Hash values of many keys at once.

The values of all keys stand side by side in one large integer, each in a lane that is wide
enough for one step of the hash function; so that a step of all keys is one multiplication,
one "and" and one "exclusive or".  In Python this is about five times as quick as key by key.
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Final

_LONGEST: Final = 96
"""Longer keys are hashed one by one: the work is that of the longest of a chunk for all of them."""
_CHUNK: Final = 4096
"""Keys that are hashed together: so many that the integers stay in the processor's cache."""


def fnv_low_bits(keys: Sequence[bytes], mask: int, one: Callable[[bytes], int]) -> list[int]:
    """Return the low bits, as *mask* has them, of the FNV hash of each key; *one* hashes a single key.

    The low bits of the product depend on the low bits of its factors only; with up to
    23 bits, a multiplication by the low bits of FNV's prime fits a lane of four bytes.
    """
    if mask >= 1 << 23:
        return [one(key) & mask for key in keys]

    def starts(padding: Iterable[int], count: int) -> int:
        return 0  # bytes of value 0 before the key leave a value of 0 as it is

    return _hashed(keys, 4, 0x193, mask, starts, one)


def cdb_hashes(keys: Sequence[bytes], one: Callable[[bytes], int]) -> list[int]:
    """Return the hash by which cdb files place keys, of each key; *one* hashes a single key."""
    back = pow(33, -1, 1 << 32)
    before = [5381]
    for _ in range(_LONGEST):
        before.append(before[-1] * back & 0xFFFFFFFF)
    lanes = [value.to_bytes(5, "little") for value in before]

    def starts(padding: Iterable[int], count: int) -> int:
        # What becomes the starting value by as many steps as there are bytes of value 0 before the key.
        return int.from_bytes(b"".join([lanes[size] for size in padding]), "little")

    return _hashed(keys, 5, 33, 0xFFFFFFFF, starts, one)


def _hashed(
    keys: Sequence[bytes],
    width: int,
    factor: int,
    mask: int,
    starts: Callable[[Iterable[int], int], int],
    one: Callable[[bytes], int],
) -> list[int]:
    """Hash by steps of ``value = (value * factor & mask) ^ byte`` in lanes of *width* bytes."""
    found: list[int] = []
    for begin in range(0, len(keys), _CHUNK):
        chunk = keys[begin : begin + _CHUNK]
        longest = max(map(len, chunk))
        if longest > _LONGEST:
            found += _sorted_out(chunk, width, factor, mask, starts, one)
            continue
        count = len(chunk)
        lanes = int.from_bytes(mask.to_bytes(width, "little") * count, "little")
        padded = b"".join([key.rjust(longest, b"\0") for key in chunk])
        values = starts([longest - len(key) for key in chunk], count)
        for place in range(longest):
            column = bytearray(width * count)
            column[::width] = padded[place::longest]
            values = (values * factor & lanes) ^ int.from_bytes(column, "little")
        data = (values & lanes).to_bytes(width * count, "little")
        if width > 4:
            narrow = bytearray(4 * count)
            for place in range(4):
                narrow[place::4] = data[place::width]
            data = bytes(narrow)
        found += Struct(f"<{count}I").unpack(data)
    return found


def _sorted_out(
    chunk: Sequence[bytes],
    width: int,
    factor: int,
    mask: int,
    starts: Callable[[Iterable[int], int], int],
    one: Callable[[bytes], int],
) -> list[int]:
    """Hash the long keys of a chunk one by one, the others together."""
    quick = iter(_hashed([key for key in chunk if len(key) <= _LONGEST], width, factor, mask, starts, one))
    return [one(key) & mask if len(key) > _LONGEST else next(quick) for key in chunk]
