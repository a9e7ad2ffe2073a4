"""Queue ids, short and long, and the hashed folders that they lead to.

Short: five hex digits of microseconds and the inode number in hex.  Long: seconds and
microseconds in base 52, ``z``, and the inode number in base 51 (postconf(5)
enable_long_queue_ids).  The file's inode makes the id unique while the file exists.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

_ALPHABET: Final = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_VALUE: Final = {digit: value for value, digit in enumerate(_ALPHABET)}
_SEPARATOR: Final = "z"
_LONG_SECONDS_DIGITS: Final = 6
_LONG_MICROSECONDS_DIGITS: Final = 4
MAX_LENGTH: Final = 255

_VALID: Final = re.compile(r"[0-9A-Za-z_]+")


def is_valid(queue_id: str) -> bool:
    """Tell whether *queue_id* may be used in a file name."""
    return len(queue_id) <= MAX_LENGTH and _VALID.fullmatch(queue_id) is not None


def digits(value: int, base: int, width: int) -> str:
    """Return a number in digits without vowels, upper case first, which make no words; *width* is the least length."""
    text = ""
    while value or len(text) < width:
        value, digit = divmod(value, base)
        text = _ALPHABET[digit] + text
    return text


def number(text: str, base: int) -> int | None:
    """Return what ``digits`` made *text* of, or None where it has none, or others."""
    value = 0
    for character in text:
        digit = _VALUE.get(character, base)
        if digit >= base:
            return None
        value = value * base + digit
    return value if text else None


def short_id(microseconds: int, inode: int) -> str:
    """Return the short id for a file made at *microseconds* within its second."""
    return f"{microseconds:05X}{inode:X}"


def long_id(seconds: int, microseconds: int, inode: int) -> str:
    """Return the long id for a file made at *seconds* since the epoch and *microseconds*."""
    return (
        digits(seconds, 52, _LONG_SECONDS_DIGITS)
        + digits(microseconds, 52, _LONG_MICROSECONDS_DIGITS)
        + _SEPARATOR
        + digits(inode, 51, 1)
    )


def long_with_inode(queue_id: str, inode: int) -> str:
    """Return a long id with the time of another and the inode number of its own."""
    return f"{queue_id[: queue_id.rindex(_SEPARATOR)]}{_SEPARATOR}{digits(inode, 51, 1)}"


def inode_of(queue_id: str) -> int | None:
    """Return the inode number that an id was made from, or None if it is not an id of ours."""
    try:
        if is_long(queue_id):
            return number(queue_id[queue_id.rindex(_SEPARATOR) + 1 :], 51)
        return None if "_" in queue_id else int(queue_id[5:], 16)  # which int() would pass over
    except ValueError:
        return None


def is_long(queue_id: str) -> bool:
    """Tell whether *queue_id* has the long form."""
    at = queue_id.rfind(_SEPARATOR)
    return at >= _LONG_SECONDS_DIGITS + _LONG_MICROSECONDS_DIGITS


def long_microseconds(queue_id: str) -> int:
    """Return the microseconds in a long id.  Raises ValueError for a damaged one."""
    at = queue_id.rindex(_SEPARATOR)
    value = number(queue_id[at - _LONG_MICROSECONDS_DIGITS : at], 52)
    if value is None:
        raise ValueError(f"bad queue id {queue_id}")
    return value


def hash_folders(queue_id: str, depth: int) -> str:
    """Return the folders below a hashed queue, each followed by a slash.

    *depth* is postconf(5) hash_queue_depth.  A long id is hashed on its microseconds, so that
    the folders are as evenly used as those of short ids.
    """
    if is_long(queue_id):
        try:
            letters = f"{long_microseconds(queue_id):05X}"
        except ValueError:
            letters = queue_id
    else:
        letters = queue_id
    return "/".join(letters[:depth].ljust(depth, "_")) + "/" if depth else ""
