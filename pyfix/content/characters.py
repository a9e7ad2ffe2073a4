"""Characters that are removed from message content, or that make it be refused.

Source: postconf(5) message_strip_characters, message_reject_characters.
"""

from __future__ import annotations

import re
from typing import Final

from pyfix.formats.textforms import unescape

REFUSAL: Final = "5.7.1 disallowed character"


class Characters:
    """What main.cf says about single characters."""

    def __init__(self, strip: str, reject: str) -> None:
        r"""*strip* and *reject* are the parameters' values, with escapes such as ``\0`` and ``\a``."""
        self._strip: Final = unescape(strip)
        self._reject: Final = re.compile(b"[" + re.escape(unescape(reject)) + b"]") if reject else None

    def __bool__(self) -> bool:
        """Tell whether there is anything to look for."""
        return bool(self._strip or self._reject)

    def refuses(self, text: bytes) -> bool:
        """Tell whether *text* has a character that makes it be refused."""
        return self._reject is not None and self._reject.search(text) is not None

    def stripped(self, text: bytes) -> bytes:
        """Return *text* without the characters that are to be removed."""
        return text.translate(None, self._strip) if self._strip else text
