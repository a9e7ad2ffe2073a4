"""The header of a message whose recipients sendmail -t takes from it.

Source: sendmail(1) -t; RFC 5322 sections 2.2, 3.6.3, 3.6.6.
"""

from __future__ import annotations

from pyfix.formats.header import header_name_end

_RECIPIENTS = (b"to", b"cc", b"bcc")
_RESENT = (b"resent-to", b"resent-cc", b"resent-bcc")


class Header:
    """Lines of a header as they come, until one that is none of it."""

    def __init__(self) -> None:
        self._fields: list[list[bytes]] = []

    def take(self, line: bytes) -> bool:
        """Add a line; False when the header has ended before it."""
        if line[:1] in (b" ", b"\t") and self._fields:
            self._fields[-1].append(line)
            return True
        end = header_name_end(line)
        if not end:
            return False
        name, rest = line[:end], line[line.index(b":", end) + 1 :]
        self._fields.append([name + b":" + rest])
        return True

    @property
    def lines(self) -> list[bytes]:
        """The lines, without blanks before colons; a field ends where a null byte is."""
        shown: list[bytes] = []
        for field in self._fields:
            for line in field:
                text, null, _rest = line.partition(b"\0")
                shown.append(text)
                if null:
                    break
        return shown

    def recipients(self) -> list[str]:
        """Return the texts of all fields with recipients: of Resent- fields if there are any, else of the others."""
        ordinary: list[str] = []
        resent: list[str] = []
        for field in self._fields:
            name, _colon, body = b"\n".join(field).partition(b"\0")[0].partition(b":")
            key = name.lower()
            if key in _RECIPIENTS or key in _RESENT:
                (resent if key in _RESENT else ordinary).append(body.decode("utf-8", "surrogateescape"))
        return resent or ordinary
