"""Where a message comes from, as log lines about its content say."""

from __future__ import annotations

from typing import Final

from pyfix.daemons.cleanup.message import Message
from pyfix.formats.address import internal_to_external
from pyfix.runtime.log import log


def _attribute(message: Message, name: bytes) -> str:
    return message.attributes.get(name, b"").decode("utf-8", "surrogateescape")


def log_refusal(message: Message, what: str, text: bytes) -> None:
    """Log ``reject: what: text from origin; from=<..> to=<..> proto=.. helo=<..>``."""
    log.info(f"{message.queue_id}: reject: {what}: {describe(message, text)}")


_WORDS: Final = {"WARN": "warning"}


def log_action(message: Message, verb: str, context: str, text: bytes, argument: str) -> None:
    """Log what a header or body check asks for: ``reject: header Subject: x from ...: 5.7.1 no``."""
    line = f"{message.queue_id}: {_WORDS.get(verb, verb.lower())}: {context} {_shown(text)} from "
    line += origin(message, protocol=True)
    log.info(f"{line}: {argument}" if argument else line)


def describe(message: Message, text: bytes) -> str:
    """Return a piece of the content, and where the message comes from."""
    return f"{_shown(text)} from {origin(message)}"


def _shown(text: bytes) -> str:
    """Return what a log line shows of a line of content: 200 bytes at most, and nothing after a NUL."""
    return text.partition(b"\0")[0][:200].decode("utf-8", "surrogateescape")


def client_origin(message: Message, text: str = "") -> str:
    """Return the client by its name and address, a text, the sender and the recipient that came last."""
    name = _attribute(message, b"client_name") or "localhost"
    address = _attribute(message, b"client_address") or "127.0.0.1"
    said = f" {text};" if text else ""
    return f"{name}[{address}]{':' if text else ';'}{said}{_envelope(message, protocol=True)}"


def origin(message: Message, *, protocol: bool = False) -> str:
    """Return the client, the sender and the recipient that came last."""
    return f"{_attribute(message, b'log_message_origin') or 'local'};{_envelope(message, protocol=protocol)}"


def _envelope(message: Message, *, protocol: bool) -> str:
    parts = []
    if message.sender is not None:
        parts.append(f" from=<{internal_to_external(message.sender)}>")
        if message.last_recipient is not None:
            parts.append(f" to=<{internal_to_external(message.last_recipient)}>")
        elif not protocol:
            parts.append(" to=<unknown>")
    if protocol:
        for label, name in (("proto", b"log_protocol_name"), ("helo", b"log_helo_name")):
            value = _attribute(message, name)
            if value:
                parts.append(f" proto={value}" if label == "proto" else f" helo=<{value}>")
    return "".join(parts)
