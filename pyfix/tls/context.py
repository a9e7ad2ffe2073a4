"""OpenSSL contexts as the parameters describe them: what servers and clients have in common.

Source: TLS_README; postconf(5).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Final

from pyfix.config.parameters.tls import TlsSettings
from pyfix.runtime.libssl.configuration import forget_configuration, read_configuration
from pyfix.runtime.libssl.library import ffi, lib, library_problems
from pyfix.runtime.libssl.names import OP_NO_COMPRESSION
from pyfix.runtime.libssl.objects import Context
from pyfix.tls.ciphers import cipher_list
from pyfix.tls.options import ALL_WORKAROUNDS, SSL_OPTIONS, WORKAROUNDS, option_bits
from pyfix.tls.protocols import Versions

__all__ = [
    "TlsUnusable", "grade_lists", "load_authorities", "new_context", "set_ciphers", "set_versions", "share_authorities",
]  # fmt: skip


_NO_VERSION: Final = {
    0x0002: 0, 0x0300: 1 << 25, 0x0301: 1 << 26, 0x0302: 1 << 28, 0x0303: 1 << 27, 0x0304: 1 << 29,
}  # fmt: skip
"""The options that exclude a version."""
_ANY_STRENGTH: Final = ":@SECLEVEL=0"
"""What is too weak is said by our parameters, not by the library."""


_configured = ("default", "", "")
"""What the library goes by: tls_config_file, tls_config_name, and the environment's OPENSSL_CONF; at first its own."""


class TlsUnusable(Exception):
    """TLS can't be set up: the lines of the log that say why; a line that is no warning begins with a blank."""

    def __init__(self, *lines: str, problems: Iterable[str] = ()) -> None:
        super().__init__(lines[0])
        self.lines = (*lines, *(f"TLS library problem: {problem}" for problem in problems))


def new_context(settings: TlsSettings, warn: Callable[[str], None]) -> Context:
    """Return a context with the options that parameters name.  Raises TlsUnusable."""
    _configure(settings)
    context = Context()
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL" + _ANY_STRENGTH.encode())
    disabled, unknown = option_bits(settings.tls_disable_workarounds, WORKAROUNDS)
    _tell("tls_disable_workarounds", unknown, settings, warn)
    wanted, unknown = option_bits(settings.tls_ssl_options, SSL_OPTIONS)
    _tell("tls_ssl_options", unknown, settings, warn)
    context.set_options(ALL_WORKAROUNDS & ~disabled | wanted | OP_NO_COMPRESSION)
    return context


def check_general(settings: TlsSettings) -> None:
    """Evaluate what every user of TLS reads, also what has no effect here.  Raises ConfigError for a bad value."""
    program = settings.snapshot.process_name
    for attribute, declaration in TlsSettings.parameters().items():
        if declaration.is_read_by(program):
            getattr(settings, attribute)


def _configure(settings: TlsSettings) -> None:
    """Let the library go by the file and the section that parameters name, from now on.  Raises TlsUnusable."""
    global _configured
    file, section = settings.tls_config_file, settings.tls_config_name
    wanted = (file, section, os.environ.get("OPENSSL_CONF", ""))
    if wanted == _configured:
        return
    if file not in ("default", "none") and not file.startswith("/"):
        raise TlsUnusable(f"non-default tls_config_file = {file} is not an absolute pathname, disabling TLS support")
    if file == "none":
        forget_configuration()
    elif not read_configuration("" if file == "default" else file, section):
        raise TlsUnusable(
            f"error loading the '{section or 'global'}' settings from the {file} OpenSSL configuration file, "
            "disabling TLS support",
            problems=library_problems(),
        )
    _configured = wanted


def _tell(name: str, unknown: Iterable[str], settings: TlsSettings, warn: Callable[[str], None]) -> None:
    for word in unknown:
        warn(f'unknown {name} value "{word}" in "{settings.snapshot.value(name)}"')


def set_versions(context: Context, versions: Versions) -> None:
    """Allow these versions of the protocol only."""
    bits = 0
    for number in versions.excluded:
        bits |= _NO_VERSION[number]
    context.set_options(bits)
    context.set_versions(versions.lowest, versions.highest)


def grade_lists(settings: TlsSettings) -> dict[str, str]:
    """Return the cipher lists by grade."""
    return {
        "high": settings.tls_high_cipherlist,
        "medium": settings.tls_medium_cipherlist,
        "null": settings.tls_null_cipherlist,
    }


def set_ciphers(context: Context, settings: TlsSettings, grade: str, exclusions: Iterable[str]) -> str:
    """Use the ciphers of *grade*, and return the list.  Raises BadCiphers, TlsUnusable (for one session)."""
    ciphers = cipher_list(grade, grade_lists(settings), exclusions)
    lib.ERR_clear_error()
    text = (ciphers + _ANY_STRENGTH).encode("ascii", "replace")
    if not lib.SSL_CTX_set_cipher_list(context.handle, text):
        raise TlsUnusable(f'error setting cipher grade: "{grade}"', problems=library_problems())
    return ciphers


def load_authorities(context: Context, settings: TlsSettings, file: str, folder: str) -> None:
    """Trust the authorities in *file* and *folder*, and where tls_append_default_CA says so the system's beside them.

    Without a file and a folder nobody is trusted, whatever that parameter says.  Raises TlsUnusable.
    """
    lib.ERR_clear_error()
    if file or folder:
        names = [name.encode("utf-8", "surrogateescape") if name else ffi.NULL for name in (file, folder)]
        if not lib.SSL_CTX_load_verify_locations(context.handle, *names):
            shown = [f'CAfile="{file}"'] if file else []
            shown += [f'CApath="{folder}"'] if folder else []
            raise TlsUnusable(
                f" cannot load Certification Authority data, {', '.join(shown)}: disabling TLS support",
                problems=library_problems(),
            )
        if settings.tls_append_default_CA:
            context.set_default_verify_paths()


def share_authorities(source: Context, target: Context) -> None:
    """Let *target* trust whom *source* trusts; files and folders are not read again, as that may need rights."""
    store = lib.SSL_CTX_get_cert_store(source.handle)
    lib.X509_STORE_up_ref(store)
    lib.SSL_CTX_set_cert_store(target.handle, store)
