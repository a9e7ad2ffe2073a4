"""What becomes of a table whose type pyfix does not have: what dynamicmaps.cf says of it decides the words.

Source: postconf(5) shlib_directory, meta_directory.
"""

from __future__ import annotations

from pyfix.config.dynamicmaps import plugins, uses_plugins
from pyfix.tables.notice import warn
from pyfix.tables.table import TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.config.dynamicmaps import Library
    from pyfix.tables.table import Values


def refusal(kind: str, snapshot: Values | None) -> TableError:
    """Say why there is no type *kind*, and return the error of a table that has it.

    Raises ConfigError where the library is there and nothing can be done with it, and for a malformed dynamicmaps.cf.
    """
    reason = f"unsupported dictionary type: {kind}"
    if snapshot is None or not uses_plugins(snapshot):
        warn(f"{reason}. Is the postfix-{kind} package installed?")
        return TableError(reason)
    known = plugins(snapshot, warn)
    library = known.libraries.get(kind)
    if library is not None:
        warn(f"{reason} ({_fault(library)})")
    elif known.found:
        warn(f"{reason}. Is the postfix-{kind} package installed?")
    return TableError(reason)


def library_missing(kind: str, remedy: str) -> TableError:
    """Say what the type *kind* lacks and what mends that; return the error of a type that is not there."""
    warn(f"{kind}: tables need a library that is not installed: {remedy}")
    return TableError(f"unsupported dictionary type: {kind}")


def _fault(library: Library) -> str:
    """Return why the library is not used.  Raises ConfigError where the reference's process ends, too."""
    import os
    import stat

    path = library.path
    try:
        state = os.stat(path)
    except OSError as error:
        return f"{path}: {error.strerror}"
    if state.st_uid or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{path}: file is owned or writable by non-root users"
    import ctypes

    from pyfix.config.errors import ConfigError

    try:
        loaded = ctypes.CDLL(path)
    except OSError as error:
        raise ConfigError(f"load_library_symbols: dlopen failure loading {path}: {error}") from error
    for function in library.functions:
        try:
            getattr(loaded, function)
        except AttributeError as error:
            problem = f"load_library_symbols: dlsym failure looking up {function} in {path}: {error}"
            raise ConfigError(problem) from error
    return f"{path}: pyfix cannot use libraries that are made for Postfix"
