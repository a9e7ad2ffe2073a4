"""What postconf(1) says on its standard error and writes on its standard output."""

from __future__ import annotations

import sys

__all__ = ["Fatal", "fatal", "print_text", "tell", "warn"]


class Fatal(Exception):
    """The command can't go on; the argument is the text of the fatal line."""


def warn(text: str) -> None:
    """Print a warning."""
    _say(f"warning: {text}")


def tell(text: str) -> None:
    """Print what -v asks for."""
    _say(text)


def fatal(text: str) -> None:
    """Print the line with which the command ends."""
    _say(f"fatal: {text}")


def _say(text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    printable = "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in data)
    sys.stderr.write(f"{sys.argv[0]}: {printable}\n")


def print_text(text: str) -> None:
    """Write to standard output, bytes that are no text included."""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
