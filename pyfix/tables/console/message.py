"""Keys from a message on standard input: header and body lines, for ``postmap -h -b -m -q -``.

A header is one key with all its lines; each body line is a key.  Source: postmap(1).
"""

from __future__ import annotations

import re
import sys

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

_BOUNDARY: Final = re.compile(r'(?i)boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;()<>@,:\\"/\[\]?=]+))')
_HEADER: Final = re.compile(r"[!-9;-~]+[ \t]*:")


def message_keys(*, headers: bool, body: bool, mime: bool) -> Iterator[str]:
    """Yield what tables are to be asked about a message.

    *headers*: the message's headers, and with *mime* those of its parts and of attached messages.
    *body*: the lines after the headers; with *mime* not those that are headers of parts.
    """
    boundaries: list[str] = []
    in_headers, nested, of_part = True, False, False
    header: list[str] = []

    def flush() -> Iterator[str]:
        nonlocal nested
        if not header:
            return
        text = "\n".join(header)
        header.clear()
        name, _, value = text.partition(":")
        if mime and name.strip().lower() == "content-type":
            kind = value.strip().lower()
            if kind.startswith("multipart/") and (match := _BOUNDARY.search(value)):
                boundaries.append(match[1] if match[1] is not None else match[2])
            nested = kind.startswith(("message/rfc822", "message/global"))
        if headers:
            yield text

    for raw in sys.stdin.buffer:
        line = raw.rstrip(b"\n").partition(b"\0")[0].decode(errors="surrogateescape")
        if mime and boundaries and line.startswith("--"):
            depth = next((n for n in range(len(boundaries) - 1, -1, -1) if line.startswith("--" + boundaries[n])), -1)
            if depth >= 0:
                yield from flush()
                closing = line.startswith("--" + boundaries[depth] + "--")
                del boundaries[depth + (not closing) :]
                in_headers, nested = not closing, False
                of_part = True
                if body:
                    yield line
                continue
        if in_headers:
            if header and line[:1] in (" ", "\t"):
                header.append(line)
                continue
            yield from flush()
            if _HEADER.match(line):
                header.append(line)
                continue
            in_headers = bool(nested and mime)
            of_part = of_part and not in_headers
            nested = False
            if not line and b"\0" not in raw:
                if body and not in_headers:
                    yield line
                continue
            if body and not in_headers and not of_part:
                yield ""  # the line that is not there before such a body
        if body:
            yield line
    yield from flush()
