"""Internationalised domain names: their A-label (ASCII) and U-label forms, by UTS #46 without transitional processing.

The table of characters is the idna package's; which labels are good is decided as the ICU library does it for Postfix,
which is more lenient than IDNA2008: symbols may stand in names.  enable_idna2003_compatibility changes nothing: ICU has
given up transitional processing.

Source: UTS #46 section 4; RFC 3492; RFC 5890; SMTPUTF8_README.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from pyfix.formats.textforms import beginning

__all__ = ["ascii_form", "complaint", "unicode_form"]

MAX_LABEL = 63
MAX_DOMAIN = 254
"""Longest name that ICU makes, the dot at its end included."""
_BAD = "\ufffd"
"""Stands for what may not be in a name."""
_ACE = "xn--"
_HYPHENS_3_4 = b"-\0-\0"
"""ICU counts UTF-16 units."""
_ERRORS = (
    "UIDNA_ERROR_EMPTY_LABEL",
    "UIDNA_ERROR_LABEL_TOO_LONG",
    "UIDNA_ERROR_DOMAIN_NAME_TOO_LONG",
    "UIDNA_ERROR_LEADING_HYPHEN",
    "UIDNA_ERROR_TRAILING_HYPHEN",
    "UIDNA_ERROR_HYPHEN_3_4",
    "UIDNA_ERROR_LEADING_COMBINING_MARK",
    "UIDNA_ERROR_DISALLOWED",
    "UIDNA_ERROR_PUNYCODE",
    "UIDNA_ERROR_INVALID_ACE_LABEL",
)
"""The library's names of what can be wrong, in the order in which Postfix logs them."""
_EMPTY, _LABEL_TOO_LONG, _TOO_LONG, _LEADING, _TRAILING, _HYPHENS, _MARK, _DISALLOWED, _PUNYCODE, _ACE_LABEL = _ERRORS
_SEVERE = frozenset((_MARK, _DISALLOWED, _PUNYCODE, _ACE_LABEL))


def _mapped(text: str) -> str:
    """Map and normalise, with U+FFFD where a character is not allowed."""
    from idna import InvalidCodepoint, uts46_remap

    try:
        return uts46_remap(text, std3_rules=False)
    except InvalidCodepoint:
        pass
    kept = []
    for character in text:
        try:
            uts46_remap(character, std3_rules=False)
        except InvalidCodepoint:
            kept.append(_BAD)
        else:
            kept.append(character)
    return _BAD.join([uts46_remap(part, std3_rules=False) if part else "" for part in "".join(kept).split(_BAD)])


def _decoded(label: str, errors: set[str]) -> str | None:
    """Return what a label in ASCII form stands for; None, with the error, when that is not a good one."""
    if len(label) == len(_ACE) or (len(label) > len(_ACE) + 1 and label.endswith("-")):
        errors.add(_ACE_LABEL)
        return None
    try:
        coded = label[len(_ACE) :].encode("ascii")
        if coded.rfind(b"-") == 0:
            raise UnicodeError("nothing before the delimiter")
        text = coded.decode("punycode")
    except (UnicodeError, OverflowError):
        errors.add(_PUNYCODE)
        return None
    if any("\ud800" <= character <= "\udfff" for character in text):
        errors.add(_PUNYCODE)
        return None
    if _mapped(text) != text:
        errors.add(_ACE_LABEL)
        return None
    return text


def _convert(label: str, *, to_ascii: bool, errors: set[str]) -> str:
    """Return one form of a label that is mapped already, and add what is wrong with it to *errors*."""
    was_ace = label.startswith(_ACE)
    text = label
    if was_ace:
        decoded = _decoded(label, errors)
        if decoded is None:
            return label
        text = decoded
    if not text:
        errors.add(_EMPTY)
        return text
    found = set()
    if text[:4].encode("utf-16-le", "surrogatepass")[4:8] == _HYPHENS_3_4:
        found.add(_HYPHENS)
    if text.startswith("-"):
        found.add(_LEADING)
    if text.endswith("-"):
        found.add(_TRAILING)
    if _BAD in text:
        found.add(_DISALLOWED)
    if unicodedata.category(text[0]).startswith("M"):
        found.add(_MARK)
    if found & _SEVERE:
        errors |= found | ({_ACE_LABEL} if was_ace else set())
        return text
    errors |= found
    if not to_ascii:
        return text
    if not was_ace:
        label = text if text.isascii() else _ACE + text.encode("punycode").decode("ascii")
    if len(label) > MAX_LABEL:
        errors.add(_LABEL_TOO_LONG)
    return label


def _form(domain: str, *, to_ascii: bool) -> tuple[str, set[str]]:
    """Return the name in one of the two forms, and what is wrong with it."""
    errors: set[str] = set()
    labels = (domain.lower() if domain.isascii() else _mapped(domain)).split(".")
    root = len(labels) > 1 and not labels[-1]
    made = [_convert(label, to_ascii=to_ascii, errors=errors) for label in (labels[:-1] if root else labels)]
    name = ".".join([*made, ""] if root else made)
    if to_ascii and len(name) >= MAX_DOMAIN and not (len(name) == MAX_DOMAIN and root):
        errors.add(_TOO_LONG)
    return name, errors


@lru_cache(maxsize=4096)
def ascii_form(domain: str) -> tuple[str, str]:
    """Return the A-label form of a name, and what is wrong with it in the words of the log (empty: nothing)."""
    try:
        domain.encode()
    except UnicodeError:
        return "", "malformed UTF-8"
    name, errors = _form(domain, to_ascii=True)
    return name, ",".join([error for error in _ERRORS if error in errors])


@lru_cache(maxsize=4096)
def unicode_form(domain: str) -> tuple[str, str]:
    """Return the U-label form of an ASCII name, and what is wrong with it in the words of the log (empty: nothing)."""
    name, errors = _form(domain, to_ascii=False)
    return name, ",".join([error for error in _ERRORS if error in errors])


def complaint(domain: str, reason: str, form: str = "ASCII") -> str:
    """Return the warning about a name without an ``ASCII`` or ``UTF8`` form, as Postfix words it."""
    shown = beginning(domain)
    return f'midna_domain_to_{form.lower()}_create: Problem translating domain "{shown}" to {form} form: {reason}'
