"""Reading main.cf: logical lines, ``name = value``, and their faults.

A logical line begins with text in its first column and goes on with the lines that begin with blanks; empty lines
and lines whose first visible character is ``#`` are skipped, also inside a logical line.
Source: postconf(5), "The general format of the main.cf file".
"""

from __future__ import annotations

from pyfix.config.blanks import BLANK
from pyfix.config.errors import ConfigError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Warn: TypeAlias = Callable[[str], None]
    """Takes the text of a warning."""

__all__ = ["logical_lines", "parse_assignments", "parse_override", "read_main_cf", "read_text", "split_assignment"]

_SHOWN = 30  # characters of a bad line in a warning


def read_text(path: str) -> str:
    """Return a configuration file's text.  Raises ConfigError with Postfix's words when it can't be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError as error:
        verb = "read" if isinstance(error, IsADirectoryError) else "open"
        raise ConfigError(f"{verb} {path}: {error.strerror}") from None


def logical_lines(text: str, path: str, warn: Warn) -> Iterator[tuple[int, str]]:
    """Yield ``(number of its first line, logical line)``; main.cf and master.cf share this form.

    A line keeps the blanks at its joints and at its end, as complaints show them.  What follows a null byte is dropped
    with a warning, also what continues the line.
    """
    if "\0" in text:
        for first, last, line in _joined(text, path, warn):
            if "\0" in line:
                lines = str(first) if first == last else f"{first}-{last}"
                warn(f"{path}, line {lines}: text after null byte may be ignored")
            yield first, line.partition("\0")[0]
    else:
        for first, _last, line in _joined(text, path, warn):
            yield first, line


def _joined(text: str, path: str, warn: Warn) -> Iterator[tuple[int, int, str]]:
    """Yield the numbers of its first line and of the last one before the next, and each logical line."""
    parts: list[str] = []
    first = 0
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        start = line[:1]
        if start in ("", "#"):
            continue
        if start in BLANK:
            content = line.strip(BLANK)
            if not content or content[0] == "#":
                continue
            if parts:
                parts.append(line)
            else:
                shown = line if len(line) <= _SHOWN else line[:_SHOWN] + "..."
                warn(f'{path}: logical line must not start with whitespace: "{shown}"')
            continue
        if parts:
            yield first, number - 1, "".join(parts)
        parts = [line]
        first = number
    if parts:
        yield first, len(lines) - (not lines[-1]), "".join(parts)


def split_assignment(line: str) -> tuple[str, str] | str:
    """Split ``name = value``; the result of a malformed line is the text that says what is missing."""
    name, equals, value = line.partition("=")
    name = name.strip(BLANK)
    if not name:
        return "missing attribute name"
    if not equals or any(blank in name for blank in BLANK):
        return "missing '=' after attribute name"
    return name, value.strip(BLANK)


def parse_assignments(text: str, path: str, warn: Warn, earlier: dict[str, str] | None = None) -> dict[str, str]:
    """Return the settings in *text* on top of *earlier*; replacing one gives a warning.

    Raises ConfigError for a line that is no assignment.
    """
    settings = dict(earlier or ())
    for number, line in logical_lines(text, path, warn):
        assignment = split_assignment(line)
        if isinstance(assignment, str):
            raise ConfigError(f'{path}, line {number}: {assignment}: "{line}"')
        name, value = assignment
        replaced = settings.get(name)
        if replaced is not None and replaced != value:
            warn(f"{path}, line {number}: overriding earlier entry: {name}={replaced}")
        settings[name] = value
    return settings


def read_main_cf(path: str, warn: Warn, earlier: dict[str, str] | None = None) -> dict[str, str]:
    """Read the file whole.  Raises ConfigError when it can't be read or has a malformed line."""
    return parse_assignments(read_text(path), path, warn, earlier)


def parse_override(argument: str) -> tuple[str, str]:
    """Split the argument of an option ``-o name=value`` or ``-o '{ name = value }'`` as master.cf passes it.

    Raises ConfigError when it is malformed.
    """
    text = argument
    if text.startswith("{") and text.rstrip(BLANK).endswith("}"):
        text = text.rstrip(BLANK)[1:-1]
    assignment = split_assignment(text)
    if isinstance(assignment, str):
        raise ConfigError(f"invalid parameter override: {argument}: {assignment}")
    return assignment
