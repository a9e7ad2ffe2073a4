"""What smtpd(8) tells cleanup(8) of the milters of its session, among the records of a message.

A record with their number comes first.  If there are any, the names of macros and their defaults follow, and then each
milter: its attributes, an empty list of cleanup's, its connection, and another empty list.  A status of cleanup's ends
it.  Not all of it are lists that end, so that it is read and written here by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pyfix.formats.attributes import encode_pairs

__all__ = ["GOT_IT", "PassedMilter", "Words", "encode_common", "encode_milter", "read_common", "read_milter"]

GOT_IT: Final = encode_pairs([("dummy", "")])
"""What cleanup says before and after it takes a connection."""

_LISTS: Final = (
    ("conn_macros", "connect"),
    ("helo_macros", "helo"),
    ("mail_macros", "mail"),
    ("rcpt_macros", "rcpt"),
    ("data_macros", "data"),
    ("eoh_macros", "end_of_header"),
    ("eod_macros", "end_of_data"),
    ("unk_macros", "unknown"),
)
"""Attributes of lists of macros, and the stages that they are for."""


class BadHandover(Exception):
    """What smtpd(8) says is not what it should say."""


@dataclass(frozen=True, slots=True)
class PassedMilter:
    """One milter with which smtpd(8) has talked so far."""

    name: str
    version: int
    modifications: int
    events: int
    missing_events: int
    state: int
    connect_timeout: int
    command_timeout: int
    content_timeout: int
    default_action: str
    symbols: Mapping[str, tuple[str, ...]]
    """The macros that it asked for, by stage."""


class Words:
    """Takes words that null bytes end from data that may not be all there.

    Raises IndexError when more data are needed: then all is read again with more.
    """

    __slots__ = ("data", "position")

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position

    def next(self) -> str:
        """Take a word."""
        end = self.data.find(b"\0", self.position)
        if end < 0:
            raise IndexError
        word = self.data[self.position : end].decode("utf-8", "surrogateescape")
        self.position = end + 1
        return word

    def value(self, name: str) -> str:
        """Take the value of the attribute *name*, which must come next.  Raises BadHandover."""
        found = self.next()
        if found != name:
            raise BadHandover(f"unexpected attribute {found} (expecting: {name})")
        return self.next()

    def number(self, name: str) -> int:
        """Take a number.  Raises BadHandover."""
        value = self.value(name)
        if not value.isascii() or not value.isdigit():
            raise BadHandover(f"malformed numerical data: {value:.100}")
        return int(value)


def _pairs(pairs: Iterable[tuple[str, object]]) -> bytes:
    """Return attributes that do not end a list."""
    return b"".join([f"{name}\0{value}\0".encode("utf-8", "surrogateescape") for name, value in pairs])


def _lists(lists: Mapping[str, tuple[str, ...]]) -> bytes:
    return _pairs([(name, " ".join(lists.get(stage, ()))) for name, stage in _LISTS])


def encode_common(lists: Mapping[str, tuple[str, ...]], defaults: Mapping[str, str]) -> bytes:
    """Return what is said once: names of macros by stage, and default values by canonical name."""
    data = _lists(lists) + _pairs([("size", len(defaults))])
    return data + (b"{\0" + _pairs(defaults.items()) + b"}\0" if defaults else b"")


def encode_milter(milter: PassedMilter) -> bytes:
    """Return the attributes of one milter."""
    data = _pairs(
        [
            ("milter_name", milter.name),
            ("milter_version", milter.version),
            ("milter_actions", milter.modifications),
            ("milter_events", milter.events),
            ("milter_non_events", milter.missing_events),
            ("milter_state", milter.state),
            ("milter_conn_timeout", milter.connect_timeout),
            ("milter_cmd_timeout", milter.command_timeout),
            ("milter_msg_timeout", milter.content_timeout),
            ("milter_action", milter.default_action),
            ("milter_macro_list", int(bool(milter.symbols))),
        ]
    )
    return data + (_lists(milter.symbols) if milter.symbols else b"") + b"\0"


def _read_lists(words: Words) -> dict[str, tuple[str, ...]]:
    return {stage: tuple(words.value(name).replace(",", " ").split()) for name, stage in _LISTS}


def read_common(words: Words) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return names of macros by stage, and default values.  Raises BadHandover, IndexError."""
    lists = _read_lists(words)
    defaults: dict[str, str] = {}
    if words.number("size"):
        if words.next() != "{":
            raise BadHandover("missing table of default values")
        while (name := words.next()) != "}":
            defaults[name] = words.next()
    return lists, defaults


def read_milter(words: Words) -> PassedMilter:
    """Return one milter.  Raises BadHandover, IndexError."""
    milter = PassedMilter(
        name=words.value("milter_name"),
        version=words.number("milter_version"),
        modifications=words.number("milter_actions"),
        events=words.number("milter_events"),
        missing_events=words.number("milter_non_events"),
        state=words.number("milter_state"),
        connect_timeout=words.number("milter_conn_timeout"),
        command_timeout=words.number("milter_cmd_timeout"),
        content_timeout=words.number("milter_msg_timeout"),
        default_action=words.value("milter_action"),
        symbols=_read_lists(words) if words.number("milter_macro_list") else {},
    )
    if words.next():
        raise BadHandover("attributes without an end")
    return milter
