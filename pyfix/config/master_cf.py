"""Reading master.cf: one service an entry, eight fields, arguments.

The file has main.cf's logical lines.  Source: master(5); the texts of faults are those that master(8) logs.
"""

from __future__ import annotations

from pyfix.config import main_cf
from pyfix.config.blanks import BLANK, SEPARATORS, split_blanks
from pyfix.config.errors import ConfigError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfix.config.main_cf import Warn

__all__ = [
    "SERVICE_TYPES",
    "ServiceEntry",
    "overrides",
    "parse_entry",
    "read_master_cf",
    "split_fields",
    "strip_braces",
]

SERVICE_TYPES = ("inet", "unix", "unix-dgram", "fifo", "pass")
_FIELD_COUNT = 8
_OPTIONS_WITH_VALUE = "imnst"


class ServiceEntry:
    """One service of master.cf, its defaults filled in."""

    __slots__ = (
        "arguments",
        "chroot",
        "chroot_by_default",
        "command",
        "line",
        "name",
        "private",
        "process_limit",
        "type",
        "unprivileged",
        "wakeup",
        "wakeup_conditional",
    )

    def __init__(
        self,
        name: str,
        type: str,
        *,
        private: bool = True,
        unprivileged: bool = True,
        chroot: bool = False,
        chroot_by_default: bool = False,
        wakeup: int = 0,
        wakeup_conditional: bool = False,
        process_limit: int | None = None,
        command: str = "",
        arguments: Sequence[str] = (),
        line: int = 0,
    ) -> None:
        self.name = name
        """First field: a socket's name, or ``[host:]port`` for inet."""
        self.type = type
        """One of SERVICE_TYPES."""
        self.private = private
        self.unprivileged = unprivileged
        self.chroot = chroot
        self.chroot_by_default = chroot_by_default
        """Whether chroot is true only because a low compatibility_level makes ``-`` mean ``y``."""
        self.wakeup = wakeup
        """Seconds between triggers; 0 is never."""
        self.wakeup_conditional = wakeup_conditional
        """Whether the triggers begin with the first use of the service (``?``)."""
        self.process_limit = process_limit
        """Most processes at a time; 0 is no limit, None is ``$default_process_limit``."""
        self.command = command
        """Name of the program below daemon_directory."""
        self.arguments = tuple(arguments)
        """What follows the program's name, outer braces removed."""
        self.line = line
        """Where the entry begins."""

    @property
    def socket_path(self) -> str:
        """The path of a local socket below the queue directory: ``private/name`` or ``public/name``."""
        return f"{'private' if self.private else 'public'}/{self.name}"

    @property
    def endpoint(self) -> str:
        """The name under which log lines show where the service listens."""
        if self.type != "inet":
            return self.socket_path
        host, colon, port = self.name.rpartition(":")
        return f"[{host.removeprefix('[').removesuffix(']')}]:{port}" if colon else port


def read_master_cf(
    path: str,
    *,
    warn: Warn | None = None,
    compatibility_chroot: bool = False,
) -> list[ServiceEntry]:
    """Return the services of the file in their order; of two with one name and type the last one stays.

    *compatibility_chroot* says that compatibility_level is below 1, where ``-`` in the chroot field means ``y``.
    *warn* takes the text of each warning.  Raises ConfigError for a malformed entry or an unreadable file.
    """
    say = warn or _ignore
    services: dict[tuple[str, str, bool], ServiceEntry] = {}
    for line, text in main_cf.logical_lines(main_cf.read_text(path), path, say):
        entry = parse_entry(text, f"{path}: line {line}", compatibility_chroot=compatibility_chroot)
        entry.line = line
        key = (entry.name, entry.type, entry.private)
        if key in services:
            say(f'duplicate master.cf entry for service "{entry.name}" ({entry.endpoint}) -- using the last entry')
        services[key] = entry
    return list(services.values())


def parse_entry(text: str, where: str, *, compatibility_chroot: bool = False) -> ServiceEntry:
    """Return the service that one logical line describes.

    *where* is file and line for the text of a fault.  Raises ConfigError.
    """
    try:
        fields = split_fields(text)
        return _entry(fields, compatibility_chroot)
    except _Fault as fault:
        raise ConfigError(f"{where}: {fault}") from None


def overrides(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Return the ``-o name=value`` settings among a service's arguments, in their order.

    Raises ConfigError for one without ``=``.
    """
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(arguments):
        argument = arguments[at]
        at += 1
        if not argument.startswith("-") or argument == "-":
            break
        if argument == "-o" and at < len(arguments):
            found.append(main_cf.parse_override(arguments[at]))
            at += 1
        elif argument.startswith("-o"):
            found.append(main_cf.parse_override(argument[2:]))
        elif len(argument) == 2 and argument[1] in _OPTIONS_WITH_VALUE:
            at += 1
    return found


class _Fault(Exception):
    """What is wrong with an entry."""


def _ignore(_: str) -> None:
    """Take a warning that nobody wants."""


def split_fields(text: str) -> list[str]:
    """Split at blanks, except inside ``{ }``; the braces stay.  An open brace takes the rest of the line."""
    if "{" not in text:
        return split_blanks(text)
    fields: list[str] = []
    at, end = 0, len(text)
    while True:
        while at < end and text[at] in SEPARATORS:
            at += 1
        if at == end:
            return fields
        start, depth = at, 0
        while at < end and (depth or text[at] not in SEPARATORS):
            if text[at] == "{":
                depth += 1
            elif text[at] == "}" and depth:
                depth -= 1
            at += 1
        fields.append(text[start:at])


def strip_braces(argument: str) -> str:
    """Return an argument without its outer braces and the blanks inside them.

    Raises ConfigError when the braces do not match or text follows them.
    """
    if not argument.startswith("{"):
        return argument
    depth = 0
    for position, character in enumerate(argument):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                if position + 1 < len(argument):
                    raise ConfigError(f"syntax error after '}}' in \"{argument}\"")
                return argument[1:position].strip(BLANK)
    raise ConfigError(f"missing '}}' in \"{argument}\"")


def _entry(fields: list[str], compatibility_chroot: bool) -> ServiceEntry:
    name = _field(fields, 0, "service name")
    type_ = _field(fields, 1, "transport type")
    if type_ not in SERVICE_TYPES:
        raise _Fault(f"bad transport type: {type_}")
    if type_ == "inet" and (not name.rpartition(":")[2]):
        raise _Fault(f'missing service information in "{name}"')
    private = _truth(_field(fields, 2, "private"), "private", True)
    if type_ == "inet" and private:
        raise _Fault("inet service cannot be private")
    unprivileged = _truth(_field(fields, 3, "unprivileged"), "unprivileged", True)
    chroot_field = _field(fields, 4, "chroot")
    chroot = _truth(chroot_field, "chroot", compatibility_chroot)
    wakeup_field = _field(fields, 5, "wakeup_time")
    wakeup = 0 if wakeup_field == "-" else _number(wakeup_field, "wakeup_time")
    limit_field = _field(fields, 6, "max_proc")
    limit = None if limit_field == "-" else _number(limit_field, "max_proc")
    command = _field(fields, 7, "command")
    try:
        arguments = [strip_braces(argument) for argument in fields[_FIELD_COUNT:]]
    except ConfigError as error:
        raise _Fault(str(error)) from None
    return ServiceEntry(
        name,
        type_,
        private=private,
        unprivileged=unprivileged,
        chroot=chroot,
        chroot_by_default=chroot and chroot_field == "-",
        wakeup=wakeup,
        wakeup_conditional=wakeup_field.endswith("?"),
        process_limit=limit,
        command=command,
        arguments=arguments,
    )


def _field(fields: list[str], index: int, title: str) -> str:
    if index >= len(fields):
        raise _Fault(f'missing "{title}" field')
    return fields[index]


def _truth(value: str, title: str, default: bool) -> bool:
    match value:
        case "-":
            return default
        case "y":
            return True
        case "n":
            return False
    raise _Fault(f'field "{title}": bad value: "{value}"')


def _number(value: str, title: str) -> int:
    """Return the number that the field begins with, in 32 bits; what follows it does not matter."""
    digits = 0
    while value[digits : digits + 1].isdecimal() and value[digits].isascii():
        digits += 1
    number = (int(value[:digits] or "0") + 2**31) % 2**32 - 2**31
    if not digits or number < 0:
        raise _Fault(f'field "{title}": bad value: "{value}"')
    return number
