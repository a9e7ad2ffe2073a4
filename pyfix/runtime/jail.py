"""What a daemon takes along into a chroot environment, where the files of the program are out of reach.

Postfix's programs are whole when they start.  Ours load a lookup table's module, the declaration of a parameter or a
text encoding with its first use, which may come inside.  Source: master(5) field ``chroot``.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator

import pyfix

_OTHER_PROGRAMS = ("pyfix.commands", "pyfix.daemons", "pyfix.install")
_OF_PYTHON = (
    "ctypes",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.punycode",
    "encodings.unicode_escape",
    "stringprep",
    "unicodedata",
    "_strptime",
)
"""Modules that the standard library itself loads late."""

_done: set[str] = set()


def take_along(package: str = "") -> None:
    """Import all that the daemons share, and the whole of the daemon *package*; look up the time zone.

    A module whose library is not installed is left out: it would be missing outside as well.
    """
    for name in [*_shared(), *(_inside(package) if package else ())]:
        if name not in _done:
            _done.add(name)
            try:
                importlib.import_module(name)
            except ImportError:
                pass
    time.localtime()


def _shared() -> Iterator[str]:
    from pkgutil import iter_modules  # a millisecond of the start of every mail system, and most have no jail

    yield from _OF_PYTHON
    for module in iter_modules(pyfix.__path__, "pyfix."):
        if module.name not in _OTHER_PROGRAMS:
            yield from _inside(module.name)


def _inside(name: str) -> Iterator[str]:
    from pkgutil import iter_modules

    yield name
    try:
        package = importlib.import_module(name)
    except ImportError:
        return
    for module in iter_modules(getattr(package, "__path__", ()), name + "."):
        yield from _inside(module.name)
