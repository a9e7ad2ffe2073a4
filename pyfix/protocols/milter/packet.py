"""Packets of the milter protocol: a length of four bytes, a command, its data.

Source: the milter protocol of Sendmail 8; MILTER_README.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

__all__ = ["BadPacket", "Packet", "PacketReader", "encode_packet", "encode_words"]

MOST: Final = (1 << 30) - 1
"""The longest packet that is believed, in bytes.  Postfix's own limit."""
HELD: Final = 1 << 24
"""The longest packet that is kept in memory."""

# Commands of the mail system.
ABORT: Final = b"A"
BODY: Final = b"B"
CONNECT: Final = b"C"
MACRO: Final = b"D"
END_OF_BODY: Final = b"E"
HELO: Final = b"H"
HEADER: Final = b"L"
MAIL: Final = b"M"
END_OF_HEADER: Final = b"N"
OPTIONS: Final = b"O"
QUIT: Final = b"Q"
RCPT: Final = b"R"
DATA: Final = b"T"
UNKNOWN: Final = b"U"

COMMAND_NAMES: Final = {
    ABORT: "SMFIC_ABORT", BODY: "SMFIC_BODY", CONNECT: "SMFIC_CONNECT", MACRO: "SMFIC_MACRO",
    END_OF_BODY: "SMFIC_BODYEOB", HELO: "SMFIC_HELO", HEADER: "SMFIC_HEADER", MAIL: "SMFIC_MAIL",
    END_OF_HEADER: "SMFIC_EOH", OPTIONS: "SMFIC_OPTNEG", QUIT: "SMFIC_QUIT", RCPT: "SMFIC_RCPT", DATA: "SMFIC_DATA",
    UNKNOWN: "SMFIC_UNKNOWN",
}  # fmt: skip
"""What warnings call the commands."""

REPLY_NAMES: Final = {
    ord("+"): "SMFIR_ADDRCPT", ord("-"): "SMFIR_DELRCPT", ord("2"): "SMFIR_ADDRCPT_PAR", ord("4"): "SMFIR_SHUTDOWN",
    ord("a"): "SMFIR_ACCEPT", ord("b"): "SMFIR_REPLBODY", ord("c"): "SMFIR_CONTINUE", ord("d"): "SMFIR_DISCARD",
    ord("e"): "SMFIR_CHGFROM", ord("f"): "SMFIR_CONN_FAIL", ord("h"): "SMFIR_ADDHEADER",
    ord("i"): "SMFIR_INSHEADER", ord("l"): "SMFIR_SETSYMLIST", ord("m"): "SMFIR_CHGHEADER",
    ord("p"): "SMFIR_PROGRESS", ord("q"): "SMFIR_QUARANTINE", ord("r"): "SMFIR_REJECT", ord("s"): "SMFIR_SKIP",
    ord("t"): "SMFIR_TEMPFAIL", ord("y"): "SMFIR_REPLYCODE",
}  # fmt: skip
"""What warnings call the answers of a milter."""


class BadPacket(Exception):
    """What was received is no packet; the text says what it is."""


class Packet:
    """One packet: the number of its command, and its data, which are taken from the front."""

    __slots__ = ("data", "kind")

    def __init__(self, kind: int, data: bytes) -> None:
        self.kind = kind
        self.data = data

    def number(self) -> int:
        """Take a number of four bytes.  Raises BadPacket."""
        if len(self.data) < 4:
            raise BadPacket("input packet too short for network long")
        found: int = struct.unpack_from(">I", self.data)[0]
        self.data = self.data[4:]
        return found

    def word(self) -> bytes:
        """Take a string that a null byte ends.  Raises BadPacket."""
        if not self.data:
            raise BadPacket("packet too short for string")
        word, end, self.data = self.data.partition(b"\0")
        if not end:
            raise NoTerminator
        return word

    def text(self) -> bytes:
        """Take all that is left; the null byte that should end it is no part of it."""
        text, self.data = self.data, b""
        return text.partition(b"\0")[0]


class NoTerminator(BadPacket):
    """A string has no end."""

    def __init__(self) -> None:
        super().__init__("missing string null termimator")


class PacketReader:
    """Puts packets together from pieces of input."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take more input."""
        self._buffer += data

    def next(self) -> Packet | None:
        """Return the next packet, None when it is not all there.  Raises BadPacket."""
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        size: int = struct.unpack_from(">I", buffer)[0]
        if size < 1:
            raise BadPacket(f"bad packet length: {size}")
        if size > MOST:
            raise BadPacket(f"unreasonable packet length: {size} > {MOST}")
        if size > HELD:
            raise BadPacket(f"unreasonable packet length: {size} > {HELD}")
        end = 4 + size
        if len(buffer) < end:
            return None
        packet = Packet(buffer[4], bytes(buffer[5:end]))
        del buffer[:end]
        return packet

    @property
    def has_begun(self) -> bool:
        """Whether the length of a packet is there, and not the rest."""
        return len(self._buffer) >= 4

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._buffer


def encode_packet(command: bytes, data: bytes = b"") -> bytes:
    """Return a packet."""
    return struct.pack(">I", len(data) + 1) + command + data


def encode_words(words: Iterable[bytes]) -> bytes:
    """Return strings, each with the null byte that ends it."""
    return b"".join([word.partition(b"\0")[0] + b"\0" for word in words])
