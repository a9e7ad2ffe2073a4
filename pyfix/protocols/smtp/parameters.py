"""The parameters of MAIL and RCPT.

Source: RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 (SMTPUTF8), RFC 3461 (RET, ENVID, NOTIFY, ORCPT),
RFC 4954 (AUTH), VERP_README (XVERP).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyfix.formats.queuefile import NOTIFY_DELAY, NOTIFY_FAILURE, NOTIFY_NEVER, NOTIFY_SUCCESS, RET_FULL, RET_HEADERS
from pyfix.formats.textforms import XtextError, xtext_decode
from pyfix.protocols.smtp.command import CommandError, Word

__all__ = ["MailParameters", "RcptParameters", "parse_mail_parameters", "parse_rcpt_parameters"]

_MOST_SIZE: Final = (1 << 63) - 1
_NOTIFY: Final = {"success": NOTIFY_SUCCESS, "failure": NOTIFY_FAILURE, "delay": NOTIFY_DELAY}
_ORCPT: Final = re.compile(r"[^;]+;")
"""The type of an address; what characters it has is not looked at."""
_UTF8_ESCAPE: Final = re.compile(r"\\x\{(?:([0-9A-Fa-f]*)\})?")
_LAST_CODE_POINT: Final = 0x10FFFF
_DSN_OFF: Final = "501 5.7.1 DSN support is disabled"
_BAD_NOTIFY: Final = "501 5.5.4 Error: Bad NOTIFY parameter syntax"
_BAD_ORCPT: Final = "501 5.5.4 Error: Bad ORCPT parameter syntax"


@dataclass(slots=True)
class MailParameters:
    """What follows the sender in MAIL."""

    size: int | None = None
    """Announced size in bytes."""
    encoding: str = ""
    """7bit or 8bit, as BODY says; empty without BODY."""
    smtputf8: bool = False
    ret: int = 0
    envid: str = ""
    """DSN envelope id, decoded."""
    auth: str | None = None
    """AUTH value as it came, in xtext; None for ``<>``, too, which names nobody."""
    verp: str | None = None
    """VERP delimiters; empty for the default ones, None without XVERP."""
    requiretls: bool = False
    """Whether the message must not be sent without TLS (RFC 8689)."""


@dataclass(slots=True)
class RcptParameters:
    """What follows the recipient in RCPT."""

    notify: int = 0
    orcpt: str = ""
    """``type;address``, decoded."""


def parse_mail_parameters(
    words: Sequence[Word],
    found: MailParameters | None = None,
    *,
    smtputf8: bool,
    dsn: bool = True,
    verp_filter: str | None = None,
) -> MailParameters:
    """Read the parameters of MAIL, into *found* if it is given: after an error it has those before the bad one.

    *smtputf8*, *dsn*: whether these extensions are on; *verp_filter* is the characters that XVERP takes
    (verp_delimiter_filter), None when the client may not use it.  Raises CommandError.
    """
    if found is None:
        found = MailParameters()
    for word in words:
        if not take_usual(found, word, smtputf8=smtputf8):
            take_less_usual(found, word, dsn=dsn, verp_filter=verp_filter)
    return found


def take_usual(found: MailParameters, word: Word, *, smtputf8: bool, requiretls: bool = False) -> bool:
    """Read one parameter of MAIL into *found* if it is a usual one, else return False.  Raises CommandError."""
    keyword, equals, value = word.text.partition("=")
    match keyword.upper():
        case "SIZE" if equals:
            size = _size(value)
            found.size = size if size <= _MOST_SIZE else 0
            if size > _MOST_SIZE:
                raise CommandError("552 5.3.4 Message size exceeds file system imposed limit")
        case "BODY" if value.lower() == "8bitmime":
            found.encoding = "8bit"
        case "BODY" if value.lower() == "7bit":
            found.encoding = "7bit"
        case "SMTPUTF8" if smtputf8 and not equals:
            found.smtputf8 = True
        case "REQUIRETLS" if requiretls and not equals:
            found.requiretls = True
        case "AUTH" if equals:
            if found.auth is not None:
                raise CommandError("503 5.5.4 Error: multiple AUTH= options")
            found.auth = value if value != "<>" else None
        case _:
            return False
    return True


def take_less_usual(found: MailParameters, word: Word, *, dsn: bool, verp_filter: str | None) -> None:
    """Read one parameter of MAIL that is no usual one into *found*; see parse_mail_parameters.  Raises CommandError."""
    keyword, equals, value = word.text.partition("=")
    match keyword.upper():
        case "XVERP" if verp_filter is not None:
            if equals and (len(value) != 2 or any(character not in verp_filter for character in value)):
                raise CommandError(f"501 5.5.4 Error: XVERP needs two characters from {verp_filter}")
            found.verp = value
        case "RET" if equals:
            if not dsn:
                raise CommandError(_DSN_OFF)
            if found.ret or value.lower() not in ("full", "hdrs"):
                raise CommandError("501 5.5.4 Bad RET parameter syntax")
            found.ret = RET_FULL if value.lower() == "full" else RET_HEADERS
        case "ENVID" if equals:
            if not dsn:
                raise CommandError(_DSN_OFF)
            if found.envid:
                raise CommandError("501 5.5.4 Bad ENVID parameter syntax")
            found.envid = _envid(value)
        case _:
            raise CommandError(f"555 5.5.4 Unsupported option: {word.text}")


def parse_rcpt_parameters(words: Sequence[Word], *, dsn: bool = True) -> RcptParameters:
    """Read the parameters of RCPT.  Raises CommandError."""
    found = RcptParameters()
    for word in words:
        keyword, equals, value = word.text.partition("=")
        match keyword.upper():
            case "NOTIFY" if equals:
                if not dsn:
                    raise CommandError(_DSN_OFF)
                if found.notify:
                    raise CommandError(_BAD_NOTIFY)
                found.notify = _notify(value)
            case "ORCPT" if equals:
                if not dsn:
                    raise CommandError(_DSN_OFF)
                if found.orcpt:
                    raise CommandError(_BAD_ORCPT)
                found.orcpt = _orcpt(value)
            case _:
                raise CommandError(f"555 5.5.4 Unsupported option: {word.text}")
    return found


def _size(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise CommandError("501 5.5.4 Bad message size syntax")
    digits = value.lstrip("0")
    return int(digits or "0") if len(digits) <= 20 else _MOST_SIZE + 1


def _envid(value: str) -> str:
    try:
        decoded = xtext_decode(value)
    except XtextError:
        decoded = ""
    if not decoded or not decoded.isascii() or not decoded.isprintable():
        raise CommandError("501 5.5.4 Bad ENVID parameter syntax")
    return decoded


def _notify(value: str) -> int:
    flags = 0
    for name in re.split(r"[, \t]+", value.lower()):
        if not name:
            continue
        if name == "never":
            flags |= NOTIFY_NEVER
        elif name in _NOTIFY:
            flags |= _NOTIFY[name]
        else:
            unknown = value[value.lower().index(name) :][: len(name)]
            raise CommandError(_BAD_NOTIFY, f'unknown DSN NOTIFY command value "{unknown}" in "{value}"')
    if not flags or (flags & NOTIFY_NEVER and flags != NOTIFY_NEVER):
        raise CommandError(_BAD_NOTIFY)
    return flags


def _code_point(escape: re.Match[str]) -> str:
    number = int(escape[1] or "0", 16) if escape[1] is not None else _LAST_CODE_POINT + 1
    if number > _LAST_CODE_POINT:
        raise CommandError(_BAD_ORCPT)
    return chr(number).encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


def _orcpt(value: str) -> str:
    kind = _ORCPT.match(value)
    if kind is None:
        raise CommandError(_BAD_ORCPT)
    address = value[kind.end() :]
    if kind[0].lower() == "utf-8;":
        return kind[0] + _UTF8_ESCAPE.sub(_code_point, address).partition("\0")[0]
    try:
        return kind[0] + xtext_decode(address)
    except XtextError:
        raise CommandError(_BAD_ORCPT) from None
