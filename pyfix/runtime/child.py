"""The daemon's side of the protocol between master(8) and its children.

Descriptors 3 and 4 are the flow-control pipe, 5 is the status pipe, 6 and up are the sockets to
listen on.  The same for Postfix's master and ours.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pyfix.config.main_cf import split_assignment

FLOW_READ: Final = 3
FLOW_WRITE: Final = 4
STATUS: Final = 5
FIRST_LISTENER: Final = 6

_STATUS_FORMAT: Final = struct.Struct("=iIi")
_TAKEN: Final = 0
_AVAILABLE: Final = 1
_WITH_VALUE: Final = frozenset("imnost")
_WITHOUT_VALUE: Final = frozenset("DSVcdluvz")


class UsageError(ValueError):
    """The command line is not one that master(8) gives."""

    log_to_stderr = False
    """Whether the words before the fault ask to log to standard error."""


@dataclass(slots=True)
class Invocation:
    """What master(8) said on the command line and in the environment."""

    program: str
    """Name of the program: smtpd, also when the service is called 127.0.0.1:2525."""
    service: str = ""
    transport_type: str = ""
    """inet, unix, unix-dgram, fifo or pass; empty when started by hand."""
    listeners: int = 1
    chroot: bool = False
    unprivileged: bool = False
    single: bool = False
    """-l: the process limit is 1."""
    unlimited: bool = False
    """-z: the process limit is 0."""
    stand_alone: bool = False
    """-S: one session on standard input and output."""
    log_to_stderr: bool = False
    debug: bool = False
    do_not_detach: bool = False
    verbosity: int = 0
    overrides: list[tuple[str, str]] = field(default_factory=list)
    generation: int = 0
    arguments: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, program: str, argv: Sequence[str]) -> Invocation:
        """Read the options that every daemon takes.  Raises UsageError."""
        invocation = cls(program, service=program)
        try:
            invocation._take(list(argv))
        except UsageError as error:
            error.log_to_stderr = invocation.log_to_stderr
            raise
        invocation.generation = int(os.environ.get("GENERATION", "0"), 8)
        return invocation

    def _take(self, words: list[str]) -> None:
        while words and words[0].startswith("-") and words[0] != "-":
            cluster = words.pop(0)[1:]
            if cluster == "-":
                break
            while cluster:
                option, cluster = cluster[0], cluster[1:]
                if option in _WITHOUT_VALUE:
                    self._flag(option)
                elif option in _WITH_VALUE:
                    if not cluster:
                        if not words:
                            raise UsageError(f"invalid option: {option}")
                        cluster = words.pop(0)
                    self._option(option, cluster)
                    cluster = ""
                else:
                    raise UsageError(f"invalid option: {option}")
        self.arguments = words

    def _flag(self, option: str) -> None:
        match option:
            case "c":
                self.chroot = True
            case "u":
                self.unprivileged = True
            case "l":
                self.single = True
            case "z":
                self.unlimited = True
            case "S":
                self.stand_alone = True
            case "V":
                self.log_to_stderr = True
            case "D":
                self.debug = True
            case "d":
                self.do_not_detach = True
            case "v":
                self.verbosity += 1

    def _option(self, option: str, value: str) -> None:
        match option:
            case "n":
                self.service = value
            case "t":
                self.transport_type = value
            case "s":
                self.listeners = _count(value)
            case "i":
                self.overrides.append(("max_idle", value))
            case "m":
                self.overrides.append(("max_use", value))
            case "o":
                self.overrides.append(_setting(value))


def _setting(value: str) -> tuple[str, str]:
    """Return name and value of ``name=value``; braces around it are master(8)'s, which has taken them off."""
    assignment = split_assignment(value)
    if isinstance(assignment, str):
        raise UsageError(f'invalid "-o {value}" option value: {assignment}')
    return assignment


def _count(value: str) -> int:
    """Return the number of listening sockets: digits, and what follows them is not looked at."""
    found = re.match(r"\s*[+-]?\d+", value, re.ASCII)
    number = int(found[0]) if found else 0
    if number <= 0:
        raise UsageError(f"invalid socket_count: {value}")
    return number


class MasterStatus:
    """Tells master(8) whether this process takes more clients."""

    def __init__(self, generation: int) -> None:
        self._generation = generation
        self._available = True
        self.gone = False
        """master(8) does not listen any more."""

    def _send(self, *states: int) -> None:
        pid = os.getpid()
        try:
            os.write(STATUS, b"".join(_STATUS_FORMAT.pack(pid, self._generation, state) for state in states))
        except OSError:
            self.gone = True

    def taken(self) -> None:
        """Say that we are full; master(8) starts another process for the next client."""
        if self._available:
            self._available = False
            self._send(_TAKEN)

    def available(self) -> None:
        """Say that we take clients again."""
        if not self._available:
            self._available = True
            self._send(_AVAILABLE)

    def used(self) -> None:
        """Say that a client was served.

        Both messages go together: between them master(8) would start another process for a client that comes just then.
        """
        self._send(_TAKEN, _AVAILABLE)
