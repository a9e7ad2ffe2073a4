"""Key exchange: groups that are offered, and parameters for the finite-field exchange before TLS 1.3.

Source: postconf(5) tls_eecdh_auto_curves, tls_ffdhe_auto_groups, smtpd_tls_dh1024_param_file.  In Postfix 3.11
smtpd_tls_eecdh_grade has no effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from pyfix.config.parameters.tls import TlsSettings
from pyfix.runtime.libssl.library import ffi, lib, library_problems
from pyfix.runtime.libssl.names import KEYMGMT_ALL_PARAMETERS
from pyfix.runtime.libssl.objects import Context, read_buffer

__all__ = ["Parameters", "read_parameters", "set_groups"]


_SEPARATORS: Final = re.compile(r"[,:/\s]+")
_DEFAULT_GROUPS: Final = (
    "X25519MLKEM768", "X25519", "X448", "prime256v1", "secp384r1", "secp521r1", "ffdhe2048", "ffdhe3072",
)  # fmt: skip
_LIBRARYS: Final = ("x25519", "secp256r1", "x448", "secp521r1", "secp384r1", "ffdhe2048", "ffdhe3072")
"""What ``DEFAULT`` stands for in a release of the library that does not know that word (before 3.5)."""


def set_groups(context: Context, settings: TlsSettings, warn: Callable[[str], None]) -> None:
    """Offer the configured groups; those that the library does not know are left out."""
    configured = f"{settings.tls_eecdh_auto_curves} {settings.tls_ffdhe_auto_groups}"
    names = [name for name in _SEPARATORS.split(configured) if name]
    if not names:
        return
    scratch = Context()
    if not scratch.set_groups("DEFAULT"):
        names = [one for name in names for one in (_LIBRARYS if name.lstrip("?") == "DEFAULT" else (name,))]
    known = list(dict.fromkeys(name for name in names if scratch.set_groups(name.lstrip("?"))))
    if known and context.set_groups(":".join(known)):
        return
    warn("none of the configured key exchange groups are supported")
    warn("using Postfix default key exchange groups instead")
    context.set_groups(":".join(name for name in _DEFAULT_GROUPS if scratch.set_groups(name)))


class Parameters:
    """Parameters for the finite-field exchange before TLS 1.3; as strong as the other keys of a session by default."""

    def __init__(self, found: Any = None) -> None:
        """*found*: the library's object, None where the library chooses."""
        self._found: Final = found

    def serve(self, context: Context) -> None:
        """Let *context* use them."""
        if self._found is None:
            context.choose_dh_parameters()
        else:
            context.set_dh_parameters(self._found)


def read_parameters(name: str, warn: Callable[[str], None]) -> Parameters:
    """Return the parameters in the file *name*; the library's choice for no name, ``auto`` and a bad file."""
    if not name or name.lower() == "auto":
        return Parameters()
    try:
        with open(name, "rb") as file:
            content = file.read()
    except OSError as error:
        warn(f'error opening DH parameter file "{name}": {error.strerror} -- using compiled-in defaults')
        return Parameters()
    lib.ERR_clear_error()
    found = ffi.new("EVP_PKEY **")
    decoder = lib.OSSL_DECODER_CTX_new_for_pkey(
        found, b"PEM", ffi.NULL, b"DH", KEYMGMT_ALL_PARAMETERS, ffi.NULL, ffi.NULL
    )
    done = lib.OSSL_DECODER_from_bio(decoder, read_buffer(content))
    lib.OSSL_DECODER_CTX_free(decoder)
    problems = library_problems()
    if done == 1 and found[0] != ffi.NULL:
        return Parameters(ffi.gc(found[0], lib.EVP_PKEY_free))
    warn(f'error decoding DH parameters from file "{name}" -- using compiled-in defaults')
    for problem in problems:
        warn(f"TLS library problem: {problem}")
    return Parameters()
