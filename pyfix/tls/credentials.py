"""Keys and certificates from files into a context.

Source: postconf(5) smtpd_tls_chain_files, smtpd_tls_cert_file and their relatives; TLS_README.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pyfix.runtime.libssl.library import ffi, lib, library_problems
from pyfix.runtime.libssl.names import FILETYPE_PEM
from pyfix.runtime.libssl.objects import Context, read_buffer
from pyfix.runtime.log import log

__all__ = ["BadCredentials", "CredentialFiles", "load_credentials", "load_pem", "read_credentials"]


_DESCRIPTORS: Final = "/proc/self/fd"
_OBJECT: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATES: Final = frozenset((b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"))
_KEYS: Final = frozenset((b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY", b"DSA PRIVATE KEY"))
_OTHER_KEY: Final = ("mismatch", "different key types", "no certificate assigned")
"""What the library says of a key that is none of the certificate's."""
_PARAMETERS: Final = frozenset((b"EC PARAMETERS", b"DSA PARAMETERS", b"DH PARAMETERS"))


class BadCredentials(Exception):
    """Keys and certificates can't be used: the lines of the log that say why, with the prefix of each."""

    def __init__(self, *lines: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(lines[0])
        self.lines = (*lines, *(f"TLS library problem: {problem}" for problem in problems))


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """What a set of parameters says; empty names stand for nothing."""

    chain_files: tuple[str, ...] = ()
    rsa: tuple[str, str] = ("", "")
    """Certificate and key."""
    dsa: tuple[str, str] = ("", "")
    ec: tuple[str, str] = ("", "")

    @property
    def has_old(self) -> bool:
        """Whether one of the older parameters names a certificate."""
        return any((self.rsa[0], self.dsa[0], self.ec[0]))

    @property
    def names(self) -> tuple[str, ...]:
        """All files that are read."""
        if self.chain_files:
            return self.chain_files
        return tuple({name: None for pair in (self.rsa, self.dsa, self.ec) if pair[0] for name in pair})


@dataclass(frozen=True, slots=True)
class _Found:
    label: bytes
    text: bytes
    file: str
    index: int


def load_credentials(context: Context, files: CredentialFiles) -> None:
    """Read the files into *context*.  Raises BadCredentials."""
    if files.chain_files:
        missing = _missing(files.chain_files)
        if missing:
            # Postfix goes on without any certificate, and so fails each handshake.
            log.warning(missing)
        else:
            _load_chains(context, files.chain_files, " ".join(files.chain_files))
        return
    for kind, (certificate, key) in (("RSA", files.rsa), ("DSA", files.dsa), ("EC", files.ec)):
        if certificate:
            _load_pair(context, kind, certificate, key)


def read_credentials(files: CredentialFiles) -> tuple[bytes, ...]:
    """Return the keys, each with its chain behind it, of files that were loaded before, for contexts to come."""
    if files.chain_files:
        return () if _missing(files.chain_files) else (b"".join(map(_content, files.chain_files)),)
    pairs = (files.rsa, files.dsa, files.ec)
    return tuple(
        _key_first(_content(certificate)) if key == certificate else _content(key) + _content(certificate)
        for certificate, key in pairs
        if certificate
    )


def _key_first(pem: bytes) -> bytes:
    return b"".join(part.text for part in sorted(_objects(pem, ""), key=_is_no_key))


def _is_no_key(part: _Found) -> bool:
    return part.label not in _KEYS


def _content(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read() + b"\n"


def load_pem(context: Context, pem: bytes, source: str) -> None:
    """Put one key and its chain, from memory, into *context*.  Raises BadCredentials."""
    _use_all(context, list(_objects(pem, source)), source)


def _load_pair(context: Context, kind: str, certificate: str, key: str) -> None:
    if certificate == key:
        _load_chains(context, (certificate,), certificate, mixed=True)
        return
    target = context.handle
    lib.ERR_clear_error()
    if lib.SSL_CTX_use_certificate_chain_file(target, os.fsencode(certificate)) <= 0:
        raise BadCredentials(
            f'cannot get {kind} certificate from file "{certificate}": disabling TLS support',
            problems=library_problems(),
        )
    if lib.SSL_CTX_use_PrivateKey_file(target, os.fsencode(key), FILETYPE_PEM) <= 0:
        problems = library_problems()
        if any(word in problem for problem in problems for word in _OTHER_KEY):
            raise BadCredentials(_mismatch(kind, key, certificate))
        raise BadCredentials(
            f'cannot get {kind} private key from file "{key}": disabling TLS support', problems=problems
        )
    if not lib.SSL_CTX_check_private_key(target):
        lib.ERR_clear_error()
        raise BadCredentials(_mismatch(kind, key, certificate))


def _mismatch(kind: str, key: str, certificate: str) -> str:
    return f"{kind} private key in {key} does not match public key in {certificate}: disabling TLS support"


# Chains: a key, its certificate, those above it; then the next key


def _load_chains(context: Context, names: Sequence[str], shown: str, *, mixed: bool = False) -> None:
    """*mixed*: the key need not come before its certificates."""
    if missing := _missing(names):
        raise BadCredentials(missing)
    found: list[_Found] = []
    for name in names:
        with open(name, "rb") as file:
            found += _objects(file.read(), name)
    if mixed:
        found.sort(key=_is_no_key)
    try:
        if mixed and not (found and found[0].label in _KEYS):
            raise BadCredentials(f"No private key found in {names[0]}")
        _use_all(context, found, names[0])
    except BadCredentials as error:
        raise BadCredentials(
            *error.lines, f"error loading private keys and certificates from: {shown}: disabling TLS support"
        ) from None


def _missing(names: Iterable[str]) -> str:
    """Return what the log says of the first file that can't be read, if there is one."""
    for name in names:
        try:
            open(name, "rb").close()
        except OSError as error:
            return f"error opening chain file: {name}: {error.strerror}"
    return ""


def _objects(pem: bytes, name: str) -> Iterator[_Found]:
    for index, found in enumerate(_OBJECT.finditer(pem), 1):
        yield _Found(found[1], found[0] + b"\n", name, index)


def _use_all(context: Context, found: Iterable[_Found], name: str) -> None:
    key: _Found | None = None
    chain: list[bytes] = []
    empty = True
    for part in found:
        empty = False
        if part.label in _PARAMETERS:
            continue
        if part.label in _KEYS:
            if key is not None and not chain:
                raise BadCredentials(
                    f"error loading certificate chain: key at index {key.index} in {key.file} "
                    "not followed by a certificate"
                )
            if key is not None:
                _use(context, key, chain)
            key, chain = part, []
        elif part.label in _CERTIFICATES:
            if key is None:
                raise BadCredentials(f"error loading chain from {part.file}: key not first")
            chain.append(part.text)
        else:
            raise BadCredentials(f"loading {part.file}: ignoring PEM type: {part.label.decode()}")
    if empty:
        raise BadCredentials(f"No PEM data in {name}")
    if key is None:
        raise BadCredentials(f"No private key found in {name}")
    if not chain:
        raise BadCredentials(f"No certs for key at index {key.index} in {key.file}")
    _use(context, key, chain)


def _use(context: Context, key: _Found, chain: list[bytes]) -> None:
    """Put a key and its chain into *context*; each kind of key has a chain of its own."""
    target = context.handle
    lib.ERR_clear_error()
    if not _use_chain(context, chain):
        raise BadCredentials(
            f"error loading certificate (PEM object number {key.index + 1}) from {key.file}",
            problems=library_problems(),
        )
    secret = lib.PEM_read_bio_PrivateKey(read_buffer(key.text), ffi.NULL, ffi.NULL, ffi.NULL)
    done = secret != ffi.NULL and lib.SSL_CTX_use_PrivateKey(target, ffi.gc(secret, lib.EVP_PKEY_free)) == 1
    if done and lib.SSL_CTX_check_private_key(target):
        return
    problems = library_problems()
    if any(word in problem for problem in problems for word in _OTHER_KEY):
        text = f"key at index {key.index} in {key.file} does not match next certificate"
    else:
        text = f"error loading private key (PEM object number {key.index}) from {key.file}"
    raise BadCredentials(text, problems=problems)


def _use_chain(context: Context, chain: list[bytes]) -> bool:
    """Use a certificate and those above it."""
    target = context.handle
    if os.path.isdir(_DESCRIPTORS):
        with _in_memory(b"".join(chain)) as name:
            return bool(lib.SSL_CTX_use_certificate_chain_file(target, name) == 1)
    # In a jail there are no such names; what is above then belongs to all certificates of the context.
    for place, pem in enumerate(chain):
        certificate = lib.PEM_read_bio_X509(read_buffer(pem), ffi.NULL, ffi.NULL, ffi.NULL)
        if certificate == ffi.NULL:
            return False
        if place:
            if not context.add_to_chain(certificate):  # which takes it over
                return False
        elif lib.SSL_CTX_use_certificate(target, ffi.gc(certificate, lib.X509_free)) != 1:
            return False
    return True


@contextmanager
def _in_memory(content: bytes) -> Iterator[bytes]:
    """Lend a file name for bytes: what reads a whole chain into its place reads names only."""
    fd = os.memfd_create("pem")
    try:
        os.write(fd, content)
        yield f"{_DESCRIPTORS}/{fd}".encode()
    finally:
        os.close(fd)
