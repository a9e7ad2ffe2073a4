"""dynamicmaps.cf: which types of lookup tables come from libraries that an administrator has added.

A line is ``type library function [function that makes files]``; ``dynamicmaps.cf.d`` has more files of such lines.
The types of pyfix are all within itself, so that a line about one of these changes nothing.  Source: postconf(5)
shlib_directory, meta_directory; DATABASE_README.
"""

from __future__ import annotations

import errno
import os

from pyfix.config.errors import ConfigError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final, Protocol

    class Values(Protocol):
        """The part of a configuration snapshot that is read here."""

        def value(self, name: str) -> str:
            """Return the expanded value of a main.cf parameter."""
            ...


__all__ = ["Library", "Plugins", "plugins", "uses_plugins"]

_FORM: Final = 'Expected "dict-type .so-name dict-function [mkmap-function]"'
_BLANKS: Final = " \t\r\n"


class Library:
    """Where the code of one type is."""

    __slots__ = ("functions", "path")

    def __init__(self, path: str, functions: tuple[str, ...]) -> None:
        self.path: Final = path
        self.functions: Final = functions
        """The names that are looked up in it: what opens a table, and what makes its file if there is such."""


class Plugins:
    """What dynamicmaps.cf and the files beside it say."""

    def __init__(self) -> None:
        self.libraries: Final[dict[str, Library]] = {}
        self.found = False
        """Whether there is any such file."""


_read: Final[dict[tuple[str, str], Plugins]] = {}


def uses_plugins(snapshot: Values) -> bool:
    """Say whether dynamicmaps.cf counts: not when shlib_directory is ``no``, its default."""
    return snapshot.value("shlib_directory") not in ("", "no")


def plugins(snapshot: Values, warn: Callable[[str], None]) -> Plugins:
    """Return what the files say; a process reads them once.  Of a type that is there twice, the second goes to *warn*.

    Raises ConfigError for a malformed line and for a file that cannot be opened.
    """
    from pyfix.config.parameters import paths  # noqa: F401  # it declares meta_directory

    meta, libraries = snapshot.value("meta_directory"), snapshot.value("shlib_directory")
    known = _read.get((meta, libraries))
    if known is None:
        known = Plugins()
        for path in _files(f"{meta}/dynamicmaps.cf", warn):
            _add_file(known, path, libraries, warn)
        _read[meta, libraries] = known
    return known


def _files(main: str, warn: Callable[[str], None]) -> Iterator[str]:
    """Yield the names of the file and of all in the folder beside it, in the order of the folder."""
    yield main
    folder = f"{main}.d"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        # The reference says this of what is no folder, too.
        number = errno.EACCES if isinstance(error, NotADirectoryError) else error.errno or 0
        warn(f"{folder}: directory open failed: {os.strerror(number)}")
        return
    for name in names:
        yield f"{folder}/{name}"


def _add_file(into: Plugins, path: str, libraries: str, warn: Callable[[str], None]) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{path}: file open failed: {error.strerror}") from error
    into.found = True
    try:
        with open(descriptor, "rb") as stream:
            data = stream.read()
    except OSError:  # a folder
        os.close(descriptor)
        return
    for number, line in enumerate(data.decode(errors="surrogateescape").split("\n"), 1):
        text = line.partition("\0")[0]
        if not text or text.startswith("#"):
            continue
        fields = [field for field in text.translate(dict.fromkeys(map(ord, _BLANKS), " ")).split(" ") if field]
        if len(fields) not in (3, 4):
            raise ConfigError(f"{path}, line {number}: {_FORM}")
        kind, library, *functions = fields
        if kind in into.libraries:
            warn(f'{path}: ignoring duplicate entry for "{kind}"')
            continue
        place = library if library.startswith("/") else f"{libraries}/{library}"
        into.libraries[kind] = Library(place, tuple(functions))
