"""OpenSSL's shared library, loaded when this module is imported, which only a process with TLS does.

It is the machine's own, as for Postfix: of the release that its administrator keeps up to date, and configured by its
openssl.cnf.  Source: OPENSSL_init_ssl(3ssl); postconf(5) tls_config_file, tls_config_name.
"""

from __future__ import annotations

import os
from typing import Any, Final

from pyfix.runtime.libssl import NoLibrary
from pyfix.runtime.libssl.bound import ffi as _ffi

__all__ = ["ffi", "lib", "library_problems", "text_of"]

_FILES: Final = ("libssl.so.3", "libssl.so.4", "libssl.3.dylib")
_SYSTEM_ERROR: Final = 0x80000000


ffi: Final[Any] = _ffi
"""Memory, pointers and callbacks for them."""


def _load() -> Any:
    problems = []
    for name in _FILES:
        try:
            return ffi.dlopen(name)
        except OSError as error:
            problems.append(str(error))
    raise NoLibrary(f"no OpenSSL 3: {problems[0]}")


lib: Final[Any] = _load()
"""The library's functions."""


def library_problems() -> tuple[str, ...]:
    """Take the errors that the library has noted in this thread, oldest first, in the form of its own messages."""
    found = []
    while code := lib.ERR_get_error():
        library, reason = text_of(lib.ERR_lib_error_string(code)), text_of(lib.ERR_reason_error_string(code))
        if code & _SYSTEM_ERROR:
            library, reason = "system library", os.strerror(code & ~_SYSTEM_ERROR)
        found.append(f"error:{code:08X}:{library}::{reason}:")
    return tuple(found)


def text_of(pointer: Any) -> str:
    """Return a text of the library's, empty for a null pointer."""
    return "" if pointer == ffi.NULL else str(ffi.string(pointer).decode("utf-8", "replace"))
