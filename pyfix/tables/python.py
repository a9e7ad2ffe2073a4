"""python: functions of the site's own.  Source: python_table(5); main.cf pyfix_python_tables.

The module is as trusted as main.cf is: it runs with the rights of the program that opens the table.
"""

from __future__ import annotations

import os
import sys

from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, TableError, masked
from pyfix.tables.threaded import ThreadedTable

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, Final

_OTHERS_WRITE: Final = 0o002

_executed: Final[dict[str, tuple[tuple[int, ...], ModuleType]]] = {}
"""Modules of configuration folders, by path, with the state of the file that they come from."""


class PythonTable(ThreadedTable):
    """``python:module:function``: what ``function(key)`` of the module returns, a str, or None when there is nothing.

    An exception is a temporary failure, with its traceback in the log.
    """

    kind = "python"

    __slots__ = ("_file", "_function", "_state")

    def __init__(self, name: str, opening: Opening) -> None:
        """Load the module.  Raises TableError."""
        super().__init__(name, opening)
        self._file: int | None = None
        allowed = opening.setting("pyfix_python_tables", "").replace(",", " ").split()
        if name not in allowed and self.name not in allowed:
            raise TableError(f"open {self.name}: not listed in pyfix_python_tables")
        module, colon, function = name.partition(":")
        if not (module and colon and function):
            raise TableError(f"open {self.name}: need python:module:function")
        loaded = self._loaded(module, opening.setting("config_directory", ""))
        path = getattr(loaded, "__file__", None)
        if path is not None:
            # Held open, so that changes are seen from within a chroot jail too.
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._state: Final = _state(os.fstat(self._file))
        found = getattr(loaded, function, None)
        if not callable(found):
            raise TableError(f"open {self.name}: module {module} has no function {function}")
        self._function: Final[Callable[[str], Any]] = found

    def _loaded(self, module: str, folder: str) -> ModuleType:
        path = f"{folder}/{module}.py"
        try:
            if "." not in module and os.path.exists(path):
                return _of_file(module, path)
            from importlib import import_module

            return import_module(module)
        except TableError:
            raise
        except BaseException as error:  # sys.exit() too: the code is the site's
            _tell(f"{self.name}: the module can't be loaded", error)
            raise TableError(f"open {self.name}: {type(error).__name__}: {error}") from error

    def query(self, key: str) -> str | None:
        """Call the function.  Raises TableError for whatever goes wrong in it."""
        try:
            value = self._function(key)
        except BaseException as error:
            _tell(f'{self.name}: lookup of "{masked(key)}" failed', error)
            raise TableError(f"table {self.name}: query error: {type(error).__name__}") from error
        if value is None or type(value) is str:
            return value
        if not isinstance(value, str):
            warn(f'{self.name}: lookup of "{masked(key)}" returned {type(value).__name__}, not str or None')
            raise TableError(f"table {self.name}: query error: no str")
        return str(value)

    def changed(self) -> bool:
        """Say whether the module's file was changed or replaced."""
        if self._file is None:
            return False
        now = os.fstat(self._file)
        return not now.st_nlink or _state(now) != self._state

    def close(self) -> None:
        """Close the module's file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        self.close()


def _state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_dev, status.st_mtime_ns, status.st_size


def _of_file(module: str, path: str) -> ModuleType:
    """Return the module in a file of a configuration folder; nothing is written beside it.  Raises TableError."""
    from types import ModuleType

    with open(path, "rb") as stream:
        status = os.fstat(stream.fileno())
        if status.st_mode & _OTHERS_WRITE or status.st_uid not in (0, os.getuid(), os.geteuid()):
            raise TableError(f"open {path}: others may write this file")
        known = _executed.get(path)
        if known is not None and known[0] == _state(status):
            return known[1]
        source = stream.read()
    made = ModuleType(f"python_table_{module}")
    made.__file__ = path
    sys.modules[made.__name__] = made  # where dataclasses and others look for it
    exec(compile(source, path, "exec"), made.__dict__)  # the site's own code, which main.cf names
    _executed[path] = _state(status), made
    return made


def _tell(what: str, error: BaseException) -> None:
    """Log what went wrong, and where, without our own part of the way there."""
    from traceback import format_exception

    warn(f"{what}: {type(error).__name__}: {error}".partition("\n")[0])
    frames = error.__traceback__
    if frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    for part in format_exception(type(error), error, frames):
        for line in part.rstrip("\n").split("\n"):
            warn(line)
