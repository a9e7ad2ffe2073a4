"""What smtp-sink(1) was told of how to answer commands: what it offers, refuses, delays, and when it hangs up."""

from __future__ import annotations

import os
import random
import re

from pyfix.runtime.console import CommandError
from pyfix.runtime.loadtool import number_at_least, window_size

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (
    "connect", "helo", "ehlo", "lhlo", "xclient", "xforward", "auth", "mail", "rcpt", "data", ".", "rset", "noop",
    "vrfy", "quit",
)  # fmt: skip
_SOFT = "450 4.3.0 Error: command failed"
_HARD = "500 5.3.0 Error: command failed"
_CLOSING = b"421 4.0.0 Server closing connection\r\n"
_ODDS = 100


class Rules:
    """How commands are answered."""

    def __init__(self, options: Sequence[tuple[str, str]]) -> None:
        """Take the options.  Raises CommandError."""
        given = {letter for letter, _ in options}
        values = dict(options)
        self.is_lmtp = "L" in given
        self.is_extended = not given & {"e", "P"} or self.is_lmtp
        self.name = os.fsencode(values.get("h", "smtp-sink"))
        self.soft = _reply(values.get("b", _SOFT), "4", "bad soft error reply")
        self.hard = _reply(values.get("B", _HARD), "5", "bad hard error reply")
        self.replies: dict[bytes, bytes] = {}
        """What is said instead of the usual, by command."""
        self.leaves: dict[bytes, bytes] = {}
        """Commands that end the connection, and the last words."""
        self.delays: dict[bytes, tuple[int, int]] = {}
        self.logged: set[bytes] = set()
        for letter, value in options:
            if letter in "rf":
                self.replies |= dict.fromkeys(_commands(value), self.soft if letter == "r" else self.hard)
            elif letter in "qQ":
                self.leaves |= dict.fromkeys(_commands(value), b"" if letter == "q" else _CLOSING)
            elif letter == "s":
                self.logged |= set(_commands(value))
            elif letter == "w":
                self.delays[b"data"] = (number_at_least(value, 1, f"invalid command delay argument: DATA:{value}"), 0)
            elif letter == "W":
                self.delays |= _delay(value)
        self.abort_delay = number_at_least(values["A"], 0, "bad abort delay") if "A" in given else -1
        self.data_delay = number_at_least(values.get("H", "0"), 0, "bad data read delay")
        self.most = number_at_least(values.get("m", "256"), 1, "bad concurrency limit")
        self.most_messages = number_at_least(values.get("M", "0"), 0, "bad message quit count")
        self.most_sessions = number_at_least(values.get("n", "0"), 0, "bad quit count")
        self.timeout = number_at_least(values.get("t", "100"), 1, "bad timeout")
        self.window = window_size(values["T"]) if "T" in given else 0
        self.shows = "v" in given
        self.counts = "c" in given
        greeting = b"********" if "P" in given else self.name + (b" ESMTP" if self.is_extended else b"")
        self.greeting = b"220 %b\r\n" % greeting
        self.features = self._features(given)
        unknown = {"C": b"xclient", "F": b"xforward"}
        self.known = {name.encode() for name in _COMMANDS} - {unknown[letter] for letter in given & unknown.keys()}
        self.known -= {b"helo", b"ehlo"} if self.is_lmtp else {b"lhlo"} if self.is_extended else {b"lhlo", b"ehlo"}
        self.known -= {b"connect", b"."}

    def _features(self, given: set[str]) -> bytes:
        lines = [
            (not given & {"p", "r", "f"}, b"PIPELINING"),
            ("8" not in given, b"8BITMIME"),
            ("a" not in given, b"AUTH PLAIN LOGIN"),
            ("C" not in given, b"XCLIENT NAME HELO"),
            ("F" not in given, b"XFORWARD NAME ADDR PROTO HELO"),
            ("E" not in given, b"ENHANCEDSTATUSCODES"),
            ("N" not in given, b"DSN"),
        ]
        shown = [self.name, *(text for wanted, text in lines if wanted)]
        return b"".join([*(b"250-%b\r\n" % line for line in shown), b"250 \r\n"])


class BadReply(Exception):
    """The reply that is to be given is of another kind."""


def _reply(text: str, digit: str, complaint: str) -> bytes:
    if not re.match(rf"{digit}\d\d[ -]", text):
        raise BadReply(f"{complaint}: {text}")
    return os.fsencode(text) + b"\r\n"


def _commands(text: str) -> list[bytes]:
    names = re.split(r"[\s,]+", text.strip(" \t\r\n,"))
    for name in names:
        if name.lower() not in _COMMANDS:
            raise CommandError(f"unknown command: {name}")
    return [name.lower().encode() for name in names]


def _delay(text: str) -> dict[bytes, tuple[int, int]]:
    name, *numbers = text.split(":")
    if not 1 <= len(numbers) <= 2 or not all(number.isdigit() for number in numbers):
        raise CommandError(f"invalid command delay argument: {text}")
    command = _commands(name)[0]
    seconds, odds = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0
    if seconds <= 0:
        raise CommandError(f"non-positive '{name}' delay")
    if len(numbers) > 1 and not 0 < odds < _ODDS:
        raise CommandError(f"delay odds for '{name}' out of range")
    return {command: (seconds, odds)}


def drawn_seconds(seconds: int, odds: int) -> int:
    """Return how long a command waits: *seconds* once, and again with each draw of *odds* in a hundred."""
    times = 1
    while random.randrange(_ODDS) < odds:
        times += 1
    return seconds * times
