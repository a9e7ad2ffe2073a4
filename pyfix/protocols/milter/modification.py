"""What a milter wants to have changed when it has seen the whole message.

Source: the milter protocol of Sendmail 8; MILTER_README.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyfix.protocols.milter.packet import Packet

__all__ = [
    "AddHeader",
    "AddRecipient",
    "BodyPiece",
    "ChangeHeader",
    "ChangeSender",
    "DeleteRecipient",
    "InsertHeader",
    "Modification",
    "parse_modification",
]


@dataclass(frozen=True, slots=True)
class AddHeader:
    """Add a header at the end."""

    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class InsertHeader:
    """Insert a header so that it becomes the one of this number, counted from 1 and with all others."""

    index: int
    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class ChangeHeader:
    """Change the header of this name and number, counted from 1 among those of the name; without a value it goes."""

    index: int
    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class ChangeSender:
    """Replace the sender of the envelope."""

    address: bytes
    arguments: bytes
    """Parameters of MAIL, or nothing."""


@dataclass(frozen=True, slots=True)
class AddRecipient:
    """Add a recipient."""

    address: bytes
    arguments: bytes
    """Parameters of RCPT, or nothing."""


@dataclass(frozen=True, slots=True)
class DeleteRecipient:
    """Remove a recipient."""

    address: bytes


@dataclass(frozen=True, slots=True)
class BodyPiece:
    """The next piece of a new body; lines end with CR LF."""

    data: bytes


Modification = AddHeader | InsertHeader | ChangeHeader | ChangeSender | AddRecipient | DeleteRecipient | BodyPiece

_MOST: Final = (1 << 31) - 1


def _add_header(packet: Packet) -> Modification:
    return AddHeader(packet.word(), packet.word())


def _insert_header(packet: Packet) -> Modification:
    return InsertHeader(min(packet.number(), _MOST) + 1, packet.word(), packet.word())


def _change_header(packet: Packet) -> Modification:
    return ChangeHeader(max(min(packet.number(), _MOST), 1), packet.word(), packet.word())


def _change_sender(packet: Packet) -> Modification:
    address = packet.word()
    return ChangeSender(address, packet.word() if packet.data else b"")


def _add_recipient(packet: Packet) -> Modification:
    return AddRecipient(packet.word(), b"")


def _add_recipient_with(packet: Packet) -> Modification:
    return AddRecipient(packet.word(), packet.word())


def _delete_recipient(packet: Packet) -> Modification:
    return DeleteRecipient(packet.word())


def _body_piece(packet: Packet) -> Modification:
    data, packet.data = packet.data, b""
    return BodyPiece(data)


_READERS: Final[dict[int, Callable[[Packet], Modification]]] = {
    ord("+"): _add_recipient,
    ord("-"): _delete_recipient,
    ord("2"): _add_recipient_with,
    ord("b"): _body_piece,
    ord("e"): _change_sender,
    ord("h"): _add_header,
    ord("i"): _insert_header,
    ord("m"): _change_header,
}


def parse_modification(packet: Packet) -> Modification | None:
    """Return what a packet asks for; None when it is no request of this kind.  Raises BadPacket."""
    reader = _READERS.get(packet.kind)
    return None if reader is None else reader(packet)
