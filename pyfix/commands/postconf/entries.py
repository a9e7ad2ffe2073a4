"""master.cf as postconf(1) shows and changes it: fields as written, ``-o`` options taken apart."""

from __future__ import annotations

from pyfix.commands.postconf.layout import width
from pyfix.commands.postconf.messages import Fatal
from pyfix.config import main_cf, master_cf
from pyfix.config.blanks import BLANK
from pyfix.config.errors import ConfigError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfix.config.main_cf import Warn

__all__ = ["FIELDS", "READ_ONLY", "Entry", "Pattern", "parse_entry", "read_entries", "within_braces"]

FIELDS = ("service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command")
READ_ONLY = ("process_id", "process_name")
"""Parameters that no file can change."""

_COLUMNS = (0, 11, 17, 25, 33, 41, 49, 57)
_WIDTH = 80
_NEXT_LINE = "\n    "
_BLANK = " \t\r\n"


class Entry:
    """One entry: seven fields and a program as written, and its arguments."""

    __slots__ = ("arguments", "fields")

    def __init__(self, fields: list[str], arguments: list[str]) -> None:
        self.fields = fields
        """Eight texts, the last being the program."""
        self.arguments = arguments
        """Options first; the text after ``-o`` is ``name=value`` without braces."""

    @property
    def key(self) -> str:
        """``name/type``."""
        return f"{self.fields[0]}/{self.fields[1]}"

    @property
    def overrides(self) -> dict[str, str]:
        """The settings of the ``-o`` options by name, the last one of a name."""
        found: dict[str, str] = {}
        for at in self._override_positions():
            assignment = main_cf.split_assignment(self.arguments[at])
            if not isinstance(assignment, str):
                found[assignment[0]] = assignment[1]
        return found

    def _override_positions(self) -> list[int]:
        positions: list[int] = []
        at = 0
        while at + 1 < len(self.arguments) and self.arguments[at].startswith("-"):
            if self.arguments[at] == "--":
                break
            if self.arguments[at] == "-o":
                at += 1
                positions.append(at)
            at += 1
        return positions

    def set_override(self, name: str, value: str | None) -> None:
        """Change or add the option ``-o name=value``, or take it away when *value* is None."""
        found = [at for at in self._override_positions() if self.arguments[at].startswith(f"{name}=")]
        if value is None:
            for at in reversed(found):
                del self.arguments[at - 1 : at + 1]
        elif found:
            for at in found:
                self.arguments[at] = f"{name}={value}"
        else:
            end = self._end_of_options()
            self.arguments[end:end] = ["-o", f"{name}={value}"]

    def set_field(self, field: str, value: str, warn: Warn) -> None:
        """Change a field.  Raises Fatal for a value that it can't have."""
        if field == "command":
            words = master_cf.split_fields(value)
            if not words:
                raise Fatal(f'invalid command field "{value}" in "{value}"')
            self.fields[7] = words[0]
            self.arguments = _normal_arguments(words[1:], warn)
            return
        index = FIELDS.index(field)
        _check_field(index, value, value)
        self.fields[index] = value

    def shown(self, expand: Callable[[str], str] | None = None) -> Entry:
        """Return the entry as Postfix prints it, with its options expanded, names and all, where *expand* does that.

        The first argument behind the options has no braces then, others only where they have a blank.  Where an entry
        is changed they stay, as without them it would mean something else.
        """
        copy = Entry(list(self.fields), list(self.arguments))
        if expand is not None:
            for at in copy._override_positions():
                copy.arguments[at] = expand(copy.arguments[at])
        end = self._end_of_options()
        for at in range(end, len(copy.arguments)):
            if copy.arguments[at].startswith("{"):
                inside = within_braces(copy.arguments[at], "", lambda _: None)
                if at == end or not _has_blank(inside):
                    copy.arguments[at] = inside
        return copy

    def _end_of_options(self) -> int:
        end = 0
        positions = self._override_positions()
        while end < len(self.arguments) and self.arguments[end].startswith("-") and self.arguments[end] != "--":
            end += 2 if end + 1 in positions else 1
        return end

    def line(self, *, folded: bool = False, aligned: bool = True) -> str:
        """Return the entry's text without a line end, with fields in columns when *aligned*."""
        text = self.fields[0]
        for column, field in zip(_COLUMNS[1:], self.fields[1:], strict=True):
            padding = " " * (column - 1 - width(text)) if aligned else ""
            text = f"{text}{padding} {field}"
        return text + self._argument_text(width(text), folded)

    def command_text(self, *, folded: bool = False, column: int = len(_NEXT_LINE)) -> str:
        """Return program and arguments; *column* is how much stands before them on the line."""
        return self.fields[7] + self._argument_text(column + width(self.fields[7]), folded)

    def field(self, name: str) -> str:
        """Return the text of the field *name*, the arguments belonging to the command."""
        return self.command_text() if name == "command" else self.fields[FIELDS.index(name)]

    def _argument_text(self, column: int, folded: bool) -> str:
        positions = set(self._override_positions())
        out: list[str] = []
        after_override = False
        at = 0
        while at < len(self.arguments):
            space = " "
            if at + 1 in positions:
                at += 1
                value = self.arguments[at]
                word = f"-o {{{value}}}" if _has_blank(value) else f"-o {value}"
                new_line = folded
                after_override = True
                length = width(word)
            else:
                word = self.arguments[at]
                length = width(word)
                uncounted = 2 if word.startswith("{") and _has_blank(word) else 0  # Postfix puts the braces on later
                new_line = folded and (after_override or column + 1 + length - uncounted >= _WIDTH)
                after_override = False
                if column < len(_NEXT_LINE):  # so it is in Postfix, where -h leaves a short command alone on the line
                    space = ""
            at += 1
            out.append((_NEXT_LINE if new_line else space) + word)
            column = (len(_NEXT_LINE) - 1 if new_line else column + len(space)) + length
        return "".join(out)


class Pattern:
    """``name/type/item`` of the command line; ``*`` stands for anything, and what is left out too."""

    __slots__ = ("item", "matched", "name", "text", "type")

    def __init__(self, text: str, name: str, type: str, item: str) -> None:
        self.text = text
        self.name = name
        self.type = type
        self.item = item
        self.matched = False

    @classmethod
    def parse(cls, text: str, most_parts: int, complaint: str, *, exactly: bool = False, shown: str = "") -> Pattern:
        """Split *text*.  Raises Fatal with *complaint* when it has too many parts (or, if *exactly*, too few)."""
        parts = [part for part in text.split("/") if part]
        if not parts or len(parts) > most_parts or (exactly and len(parts) != most_parts):
            raise Fatal(complaint)
        return cls(shown or text, *(parts + ["*"] * (3 - len(parts))))

    def matches(self, entry: Entry) -> bool:
        """Whether the entry is meant."""
        return self.name in ("*", entry.fields[0]) and self.type in ("*", entry.fields[1])


def read_entries(path: str, warn: Warn) -> list[Entry]:
    """Return the entries of master.cf.  Raises Fatal for a malformed one, ConfigError for an unreadable file."""
    return [
        parse_entry(text, f"file {path}: line {number}: bad field count", warn)
        for number, text in main_cf.logical_lines(main_cf.read_text(path), path, warn)
    ]


def parse_entry(text: str, too_short: str, warn: Warn, shown: str = "") -> Entry:
    """Return the entry that one logical line describes.  Raises Fatal, with *too_short* for missing fields.

    *shown* is the text that the fatal line tells where it is not *text*.
    """
    words = master_cf.split_fields(text)
    if len(words) < len(FIELDS):
        raise Fatal(too_short)
    for index in range(1, 7):
        _check_field(index, words[index], shown or text)
    return Entry(words[: len(FIELDS)], _normal_arguments(words[len(FIELDS) :], warn))


def _check_field(index: int, value: str, text: str) -> None:
    match FIELDS[index]:
        case "type":
            good = value in master_cf.SERVICE_TYPES
        case "private" | "unprivileged" | "chroot":
            good = value in ("-", "y", "n")
        case "wakeup":
            number = value.removesuffix("?")
            good = value == "-" or not number or (number.isascii() and number.isdigit())
        case "process_limit":
            good = value == "-" or (value.isascii() and value.isdigit())
        case _:
            good = bool(value)
    if not good:
        raise Fatal(f'invalid {FIELDS[index]} field "{value}" in "{text}"')


def _normal_arguments(words: list[str], warn: Warn) -> list[str]:
    """Take clustered options apart (``-vo`` is ``-v -o``) and the braces from around ``name = value``."""
    out: list[str] = []
    left = list(words)
    while left and left[0].startswith("-") and left[0] != "-":
        cluster = left.pop(0)
        if cluster == "--":
            out.append(cluster)
            break
        pieces = _split_cluster(cluster)
        if pieces[-1] == "-o" and left:
            pieces.append(left.pop(0))
        out += [_override_text(piece, warn) if piece.startswith("{") else piece for piece in pieces]
    ended = out[-1:] == ["--"]
    return out + [_plain_text(word, warn, first=not at and not ended) for at, word in enumerate(left)]


def _split_cluster(cluster: str) -> list[str]:
    """Return the options and values that a word is taken for which begins with ``-``.

    An ``o`` is the option wherever it stands, also in what follows ``-o`` without a blank.
    """
    out: list[str] = []
    while True:
        at = cluster.find("o", 1)
        if at < 0:
            return [*out, cluster]
        if at > 1:
            out.append(cluster[:at])
        out.append("-o")
        value = cluster[at + 1 :]
        following = value.find("o")
        if not value:
            return out
        if following <= 0:
            return [*out, value if following else f"-{value}"]
        out.append(value[:following])
        cluster = f"-{value[following:]}"


def within_braces(text: str, where: str, warn: Warn, *, strip: bool = True) -> str:
    """Return what is between the braces that *text* begins with, with a warning where they do not enclose all of it.

    *strip*: without the blanks at the ends.
    """
    try:
        master_cf.strip_braces(text)
    except ConfigError as error:
        warn(f"{where}: {error}")
    depth = 0
    inside = text[1:]
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if not depth:
            inside = text[1:position]
            break
    return inside.strip(BLANK) if strip else inside


def _plain_text(argument: str, warn: Warn, *, first: bool) -> str:
    """Return an argument without braces that it does not need; but for the *first* one, with them around a blank."""
    if not argument.startswith("{"):
        return argument if first or not _has_blank(argument) else f"{{{argument}}}"
    inside = within_braces(argument, "master.cf", warn)
    return f"{{{inside}}}" if not inside or inside.startswith("{") or _has_blank(inside) else inside


def _has_blank(text: str) -> bool:
    return any(blank in text for blank in _BLANK)


def _override_text(value: str, warn: Warn) -> str:
    inside = within_braces(value, "master.cf", warn)
    assignment = main_cf.split_assignment(inside)
    if isinstance(assignment, str):
        warn(f'master.cf: {assignment}: "{inside}"')
        return inside
    return "=".join(assignment)
