"""Forms of text: cleaned for a log or a reply, escaped, quoted, xtext."""

from __future__ import annotations

import re

__all__ = ["XtextError", "beginning", "escape", "neuter", "printable", "unescape", "xtext_decode", "xtext_encode"]

_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff]")
_NOT_PRINTABLE_ASCII = re.compile(r"[^ -~]")
_NOT_XTEXT = re.compile(rb"[^!-*,-<>-~]")
_XTEXT_HEX = re.compile(rb"\+(?:([0-9A-Fa-f]{2}))?")
_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\"}
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(.)|\Z)", re.DOTALL)
_NAMED = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"\\": b"\\",
}  # fmt: skip
_ESCAPED = [_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in range(256)]


class XtextError(ValueError):
    """The text is not xtext: a ``+`` without two hexadecimal digits."""


def printable(text: str, replacement: str = "?", *, utf8: bool = True) -> str:
    """Return *text* with each byte that a log must not show replaced by *replacement*.

    With *utf8* (smtputf8_enable) well-formed UTF-8 stays; a byte that is not part of it (a surrogate escape), a control
    character and DEL are replaced.  Without it each byte outside of ASCII is replaced.
    """
    if text.isascii():
        return text if text.isprintable() else _NOT_PRINTABLE.sub(replacement, text)
    if utf8:
        return _NOT_PRINTABLE.sub(replacement, text)
    raw = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return _NOT_PRINTABLE_ASCII.sub(replacement, raw)


def neuter(text: str, unwanted: str, replacement: str = "?") -> str:
    """Return *text* with each character of *unwanted* replaced."""
    for character in unwanted:
        if character in text:
            text = text.replace(character, replacement)
    return text


def escape(data: bytes) -> str:
    r"""Return *data* as text with C escapes: ``\r``, ``\n``, ``\\``, ``\ooo`` for what is not printable ASCII.

    For what a client sent, in warnings such as "improper command pipelining".
    """
    text = data.decode("latin-1")
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join([_ESCAPED[byte] for byte in data])


def _escaped_byte(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return bytes([int(match[1], 8) & 0xFF])
    return _NAMED.get(match[2] or b"", match[2] or b"")


def unescape(text: str) -> bytes:
    """Return the bytes that *text*, with C escapes as parameters may have them, stands for."""
    return _ESCAPE.sub(_escaped_byte, text.encode("utf-8", "surrogateescape"))


def xtext_encode(text: str, also: str = "") -> str:
    """Return *text* as xtext: printable ASCII except ``+`` and ``=`` stays, other bytes become ``+XX``.

    *also* names more characters to encode.  Source: RFC 3461 section 4.
    """
    data = text.encode("utf-8", "surrogateescape")
    encoded = _NOT_XTEXT.sub(lambda match: b"+%02X" % match[0][0], data).decode("ascii")
    for character in also:
        encoded = encoded.replace(character, f"+{ord(character):02X}")
    return encoded


def _xtext_byte(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        raise XtextError(match.string.decode("utf-8", "surrogateescape"))
    return bytes((int(match[1], 16),))


def xtext_decode(text: str) -> str:
    """Return the text that *text*, xtext, stands for.  Raises XtextError.  Source: RFC 3461 section 4."""
    if "+" not in text:
        return text
    data = text.encode("utf-8", "surrogateescape")
    return _XTEXT_HEX.sub(_xtext_byte, data).decode("utf-8", "surrogateescape")


def beginning(text: str, most: int = 100) -> str:
    """Return the first *most* bytes of *text*, as logs show what may be long."""
    return text.encode("utf-8", "surrogateescape")[:most].decode("utf-8", "surrogateescape")
