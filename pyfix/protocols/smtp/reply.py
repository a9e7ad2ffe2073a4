"""SMTP replies: one text, or several lines that all carry the code.

Source: RFC 5321 section 4.2.1; postconf(5) smtpd_reject_footer.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["encode_reply", "with_footer"]

_CODES: Final = re.compile(r"([2-5][0-9][0-9])(?:[ -]([245]\.[0-9]{1,3}\.[0-9]{1,3}))?(?: |\Z)")


def encode_reply(text: str) -> bytes:
    """Return a reply as bytes; lines of *text* are separated by newlines and have their codes already."""
    return (text.replace("\n", "\r\n") + "\r\n").encode("utf-8", "surrogateescape")


def with_footer(reply: str, footer: str) -> str:
    r"""Return *reply* with the lines of *footer* after it, separated in the footer by ``\n``.

    A footer that begins with ``\c`` goes on the reply's own last line.  Each line gets the reply's code
    and enhanced status code.
    """
    if footer.startswith("\\c"):
        reply += footer[2:].split("\\n", 1)[0]
        footer = footer.partition("\\n")[2]
        if not footer:
            return reply
    codes = _CODES.match(reply)
    prefix = "" if codes is None else f"{codes[1]} {codes[2]} " if codes[2] else f"{codes[1]} "
    lines = reply.split("\n") + [prefix + line for line in footer.split("\\n") if line]
    return "\n".join([f"{line[:3]}-{line[4:]}" for line in lines[:-1]] + lines[-1:])
