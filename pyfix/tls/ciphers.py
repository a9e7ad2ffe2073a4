"""Cipher grades, and what is excluded from them.

Source: postconf(5) smtpd_tls_ciphers, smtpd_tls_exclude_ciphers, tls_high_cipherlist and their relatives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["GRADES", "BadCiphers", "cipher_list", "grade_of"]

GRADES: Final = ("export", "low", "medium", "high", "null")
_SEPARATORS: Final = re.compile(r"[,:\s]+")


class BadCiphers(ValueError):
    """The text is what the log says of it."""


def grade_of(name: str) -> str:
    """Return the grade that a parameter names; export and low are medium now.  Raises BadCiphers."""
    grade = name.lower()
    if grade not in GRADES:
        raise BadCiphers(f'invalid cipher grade: "{name}"')
    return "medium" if grade in ("export", "low") else grade


def cipher_list(grade: str, lists: Mapping[str, str], exclusions: Iterable[str]) -> str:
    """Return OpenSSL's cipher list of a grade less what is excluded.

    *lists*: the parameters tls_*_cipherlist by grade.  *exclusions*: texts with names of ciphers; ``A+B``
    is what both have.  Raises BadCiphers.
    """
    found = lists[grade_of(grade)]
    for word in (word for text in exclusions for word in _SEPARATORS.split(text) if word):
        if word[0] in "!+-@":
            raise BadCiphers(f"invalid unary '!+-@' in cipher exclusion: {word}")
        found += f":!{word}"
    return found
