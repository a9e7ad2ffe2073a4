"""Which of the library's configuration files, and which section of it, a process goes by.

The library reads its own once in a process, when it is first used for whatever; what another file says is to take its
place, so that is taken back before.  Source: CONF_modules_load_file(3ssl); OPENSSL_init_crypto(3ssl); config(5ssl).
"""

from __future__ import annotations

from pyfix.runtime.libssl import names
from pyfix.runtime.libssl.library import ffi, lib

__all__ = ["forget_configuration", "read_configuration"]


def forget_configuration() -> None:
    """Go by no configuration, whether one was read before or not."""
    lib.OPENSSL_init_ssl(names.INIT_NO_LOAD_CONFIG, ffi.NULL)
    lib.CONF_modules_finish()


def read_configuration(file: str, section: str) -> bool:
    """Go by what a *file* says, the machine's own where that is empty; tell whether it is as it should be.

    *section*: the name under which the file's first lines have it; empty for that of all programs.  The machine's own
    file is always good enough: what is wrong in it is passed over, and the section of all programs stands in for one
    that is not there.  Why another is not is among library_problems().
    """
    forget_configuration()
    lib.ERR_clear_error()
    flags = 0
    if not file:
        flags = names.CONF_DEFAULT_SECTION | names.CONF_IGNORE_MISSING_FILE | names.CONF_IGNORE_RETURN_CODES
    words = [word.encode("utf-8", "surrogateescape") if word else ffi.NULL for word in (file, section)]
    return bool(lib.CONF_modules_load_file(*words, flags) > 0)
