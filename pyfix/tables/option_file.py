"""Option files of the client library of MariaDB: user, port, socket and so on, where a client is not told otherwise.

Source: mysql_table(5) option_file, option_group; "Configuring MariaDB Connector/C with Option Files" of MariaDB.
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

_STANDARD: Final = ("/etc/my.cnf", "/etc/mysql/my.cnf")
_ALWAYS: Final = ("client", "client-server", "client-mariadb")
"""Groups that every client reads."""
_DEEPEST: Final = 10
_ESCAPES: Final = {"b": "\b", "t": "\t", "n": "\n", "r": "\r", "\\": "\\", "s": " ", '"': '"', "'": "'"}
_ESCAPE: Final = re.compile(r"\\([btnr\\s\"'])")


class _Malformed(Exception):
    """The rest of the file is not read."""


def standard_files() -> list[str]:
    """Return the files that are read when none is named."""
    home = os.environ.get("HOME")
    return [*_STANDARD, *([f"{home}/.my.cnf"] if home else [])]


def read_options(paths: Sequence[str], group: str) -> dict[str, str]:
    """Return what the files say for clients and for *group*; a later line changes an earlier one.

    Names have hyphens for underscores, an option without a value the empty text.  Files that can't be read, and what
    follows a malformed line, count for nothing, as for the library.
    """
    options: dict[str, str] = {}
    for path in paths:
        _read(path, frozenset((*_ALWAYS, group)), options, 0)
    return options


def _read(path: str, groups: frozenset[str], options: dict[str, str], depth: int) -> None:
    if depth > _DEEPEST:
        return
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.read().split("\n")
    except OSError:
        return
    current: str | None = None
    try:
        for line in map(str.strip, lines):
            if not line or line[0] in "#;":
                continue
            if line[0] == "!":
                _include(line[1:], groups, options, depth)
            elif line[0] == "[":
                current = _group(line)
            elif current is None:
                raise _Malformed
            elif current in groups:
                name, _, value = line.partition("=")
                options[name.rstrip().replace("_", "-")] = _value(value.strip())
    except _Malformed:
        pass


def _group(line: str) -> str:
    name, closed, _ = line[1:].partition("]")
    if not closed:
        raise _Malformed
    return name.strip()


def _include(line: str, groups: frozenset[str], options: dict[str, str], depth: int) -> None:
    word, _, path = line.partition(" ")
    path = path.strip()
    if word == "include":
        _read(path, groups, options, depth + 1)
    elif word == "includedir":
        try:
            names = sorted(name for name in os.listdir(path) if name.endswith(".cnf"))
        except OSError:
            return
        for name in names:
            _read(f"{path}/{name}", groups, options, depth + 1)


def _value(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return _ESCAPE.sub(lambda match: _ESCAPES[match[1]], text)
