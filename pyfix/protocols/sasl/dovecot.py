"""Dovecot's authentication protocol, as a client of it: lines of fields between tabs.

The client says its version and process id, the server the same and its mechanisms, up to DONE; then any number of
dialogues go on side by side, each with a number of the client's.
Source: Dovecot's "Authentication Protocol" (auth-protocol.txt), version 1.
"""

from __future__ import annotations

from typing import Final

from pyfix.protocols.sasl.properties import Mechanism
from pyfix.protocols.sasl.step import Challenge, Failure, Step, Success

__all__ = ["Greeting", "ProtocolError", "begin", "hello", "parse_reply", "respond"]

MAJOR: Final = 1
MINOR: Final = 0
NO_REASON: Final = "(reason unavailable)"
BACKEND_ERROR: Final = "Authentication backend error"


class ProtocolError(Exception):
    """The server is not what it should be; the text is for the log."""


def hello(pid: int) -> bytes:
    """Return what a client says first."""
    return b"VERSION\t%d\t%d\nCPID\t%d\n" % (MAJOR, MINOR, pid)


class Greeting:
    """What the server says first, line by line."""

    def __init__(self) -> None:
        self.mechanisms: list[Mechanism] = []
        self.done = False

    def take(self, line: str) -> None:
        """Take the next line.  Raises ProtocolError."""
        command, tab, rest = line.partition("\t")
        fields = rest.split("\t")
        if command == "VERSION" and tab:
            if len(fields) < 2 or not _is_number(fields[0]):
                raise ProtocolError("SASL: Protocol version error")
            if int(fields[0]) != MAJOR:
                raise ProtocolError(f"SASL: Protocol version mismatch ({int(fields[0])} vs. {MAJOR})")
        elif command == "MECH" and fields[0]:
            self.mechanisms.append(Mechanism(fields[0], frozenset(word.lower() for word in fields[1:])))
        elif command == "SPID" and tab and not self.mechanisms:
            # The socket for masters knows no mechanisms.
            raise ProtocolError("SASL: Connected to wrong auth socket (auth-master instead of auth-client)")
        elif command == "DONE":
            self.done = True


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def begin(
    number: int,
    mechanism: str,
    *,
    service: str,
    server_address: str,
    client_address: str,
    secured: bool,
    response: str | None,
) -> bytes:
    """Return the line that begins a dialogue; *response* is base64, None when the client gave none."""
    fields = ["AUTH", str(number), mechanism, f"service={service}", "nologin"]
    fields += [f"lip={server_address}", f"rip={client_address}"]
    if secured:
        fields.append("secured")
    if response is not None:
        fields.append(f"resp={response}")  # it is the last: what stands behind would belong to it
    return _line(fields)


def respond(number: int, response: str) -> bytes:
    """Return the line that goes on with a dialogue."""
    return _line(["CONT", str(number), response])


def _line(fields: list[str]) -> bytes:
    return (
        "\t".join([field.replace("\t", "").replace("\n", "") for field in fields]).encode("utf-8", "surrogateescape")
        + b"\n"
    )


def parse_reply(line: str) -> tuple[int, Step] | None:
    """Return the number of the dialogue and what is said in it, None for lines that are no replies.

    Raises ProtocolError for a reply without the field of the number.
    """
    command, separated, rest = line.partition("\t")
    if command not in ("OK", "CONT", "FAIL"):
        return None
    number, tab, rest = rest.partition("\t")
    if not separated:
        raise ProtocolError("SASL: Protocol error")
    if not _is_number(number):
        return None
    fields = rest.split("\t") if tab else []
    return int(number), _reply(command, fields)


def _reply(command: str, fields: list[str]) -> Step:
    if command == "CONT":
        if not fields:
            return Failure(BACKEND_ERROR, problem="missing Dovecot server CONT reply field")
        return Challenge(fields[0])
    username = _value(fields, "user")
    if command == "OK":
        if username is None:
            return Failure(BACKEND_ERROR, problem="missing Dovecot server OK username field")
        return Success(username)
    return Failure(_value(fields, "reason") or NO_REASON, username)


def _value(fields: list[str], name: str) -> str | None:
    """Return the value of the last field with this name."""
    prefix = f"{name}="
    found = None
    for field in fields:
        if field.startswith(prefix):
            found = field[len(prefix) :]
    return found
