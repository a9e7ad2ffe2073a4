"""Changing master.cf in place: entries (-M), fields (-F) and parameters (-P)."""

from __future__ import annotations

from pyfix.commands.postconf import edit
from pyfix.commands.postconf.entries import FIELDS, Entry, Pattern, parse_entry
from pyfix.commands.postconf.messages import Fatal, warn
from pyfix.config.blanks import BLANK, split_blanks

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["edit_services"]

_FORMS = {
    "M": (2, "-Me, -MX or -M# requires service_name/type"),
    "F": (3, "-Fe or -FX requires service_name/type/field_name"),
    "P": (3, "-Pe or -PX requires service_name/type/parameter"),
}


class _Request:
    """One argument of the command line."""

    __slots__ = ("argument", "matched", "new", "pattern", "value")

    def __init__(self, argument: str, pattern: Pattern, value: str, new: Entry | None) -> None:
        self.argument = argument
        self.pattern = pattern
        self.value = value
        self.new = new
        """The whole entry that -Me puts in."""
        self.matched = False

    def concerns(self, entry: Entry) -> bool:
        """Whether the entry is to be changed, or to go because the new one has taken its place."""
        if self.pattern.matches(entry):
            return True
        return self.matched and self.new is not None and self.new.key == entry.key


def edit_services(path: str, mode: str, how: str, arguments: Sequence[str]) -> None:
    """Set (``e``), remove (``X``) or comment out (``#``) what the arguments name.

    Raises Fatal for a malformed request or when the file can't be changed.
    """
    wanted = [_request(mode, how, *request) for request in edit.requests(arguments, with_value=how == "e")]
    with edit.Rewriting(path) as file:
        lines = edit.read_lines(path)
        edited = _edit_entries(path, lines, how, wanted) if mode == "M" else _edit_parts(path, lines, mode, how, wanted)
        if mode != "M":
            for request in wanted:
                if not request.matched:
                    warn(f'unmatched service_name/type: "{request.pattern.text}"')
        file.replace(edited)


def _request(mode: str, how: str, argument: str, name: str, value: str) -> _Request:
    parts, complaint = _FORMS[mode]
    pattern = Pattern.parse(name, parts, complaint, exactly=True, shown=argument)
    if mode == "F" and pattern.item not in FIELDS:
        raise Fatal(f'invalid service attribute name: "{pattern.item}"')
    if mode == "P":
        if pattern.item == "*":
            raise Fatal("-Pe does not accept wild-card parameter name")
        if any(blank in value for blank in BLANK):
            raise Fatal("-Pe does not accept whitespace in parameter value")
    new = _new_entry(argument, value) if mode == "M" and how == "e" else None
    if mode == "F":  # a bad value is found before the file is opened
        Entry(["-"] * len(FIELDS), []).set_field(pattern.item, value, _ignore)
    return _Request(argument, pattern, value, new)


def _new_entry(argument: str, value: str) -> Entry:
    """Return the entry that -Me puts in; what is odd about it is told of when it is asked for and when it is made."""
    return parse_entry(value, f'bad field count: "{argument}"', warn)


def _ignore(_: str) -> None:
    """Take a warning that is given again when the entry is made."""


def _folded(entry: Entry) -> str:
    return entry.line(folded=True) + "\n"


def _head(line: str, where: str) -> Entry:
    """Return name and type of the entry that a line begins.  Raises Fatal when it has not both, or odd ones."""
    words = split_blanks(line)
    if len(words) < 2:
        raise Fatal(f"{where}: specify service name and type on the same line")
    for title, word, odd in (("name", words[0], "="), ("type", words[1], "=/")):
        if any(character in word for character in odd):
            raise Fatal(f'{where}: service {title} syntax "{word}" is unsupported with -Me, -Fe, -Pe, -X, or -#')
    return Entry(words[:2], [])


def _edit_entries(path: str, lines: list[str], how: str, wanted: list[_Request]) -> str:
    """Replace, remove or comment out whole entries; a new one goes to the end."""
    out: list[str] = []
    concerned = False
    for number, line in enumerate(lines, 1):
        if edit.is_remark(line):
            out.append(line)
            continue
        if line[0] not in BLANK:
            head = _head(line, f"file {path}: line {number}")
            chosen = [request for request in wanted if request.concerns(head)]
            concerned = bool(chosen)
            if chosen and chosen[-1].new is not None and not chosen[-1].matched:
                out.append(_folded(_new_entry(chosen[-1].argument, chosen[-1].value)))
            for request in chosen:
                request.matched = True
        if not concerned:
            out.append(line)
        elif how == "#":
            out.append(f"#{line}")
    added = [request for request in wanted if request.new is not None and not request.matched]
    out += [_folded(_new_entry(request.argument, request.value)) for request in added]
    return "".join(out)


def _edit_parts(path: str, lines: list[str], mode: str, how: str, wanted: list[_Request]) -> str:
    """Change fields or parameters; a changed entry stands behind the comments that were inside it."""
    out: list[str] = []
    entry: list[str] = []
    chosen: list[_Request] = []
    number = 0  # Postfix does not count the lines of an entry that it changes

    def finish() -> None:
        if entry:
            text = "".join(entry)
            out.append(_changed(text, f"file {path}: line {number}: bad field count", mode, how, chosen))
            entry.clear()

    for line in lines:
        remark = edit.is_remark(line)
        begins = not remark and line[0] not in BLANK
        if begins:
            finish()
        number += not entry
        if remark:
            out.append(line)
            continue
        if begins:
            head = _head(line, f"file {path}: line {number}")
            chosen = [request for request in wanted if request.pattern.matches(head)]
            if chosen:
                entry.append(line)
                continue
        (entry or out).append(line)
    finish()
    return "".join(out)


def _changed(text: str, too_short: str, mode: str, how: str, chosen: list[_Request]) -> str:
    entry = parse_entry(text, too_short, warn, shown=text.replace("\n", " "))
    for request in chosen:
        request.matched = True
        if mode == "F":
            entry.set_field(request.pattern.item, request.value, warn)
        else:
            entry.set_override(request.pattern.item, request.value if how == "e" else None)
    return _folded(entry)
