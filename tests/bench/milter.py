"""A milter that adds a header to each message, the same for both sides, in a process of its own.

It wants to hear of nothing but the end of a message, so that what is measured is the mail system and not this.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench import answering

_OPTIONS = struct.pack(">IcIII", 13, b"O", 6, 0x1, 0x37F)
_HEADER = b"X-Bench\0yes\0"
_ANSWER = struct.pack(">Ic", len(_HEADER) + 1, b"h") + _HEADER + struct.pack(">Ic", 1, b"c")


@contextmanager
def header_milter() -> Iterator[dict[str, str]]:
    """Run the milter; yields the main.cf parameters that let smtpd ask it."""
    with answering.running("tests.bench.milter") as port:
        yield {"smtpd_milters": f"inet:127.0.0.1:{port}"}


def answers(data: bytearray) -> bytes:
    """Take the whole packets of *data* and return what they bring."""
    found = b""
    while len(data) >= 5:
        end = 4 + struct.unpack_from(">I", data)[0]
        if len(data) < end:
            break
        command = data[4:5]
        del data[:end]
        if command == b"O":
            found += _OPTIONS
        elif command == b"E":
            found += _ANSWER
    return found


if __name__ == "__main__":
    answering.answer(answers)
