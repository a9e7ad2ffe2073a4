"""Keys and certificates of the SMTP server: made, deployed, and TLS enabled with them.  Source: postfix-tls(1)."""

from __future__ import annotations

import os
import time

from pyfix.commands.postfix.system import System
from pyfix.commands.postfix.tls.words import (
    RELOAD,
    edit_main,
    hosts_of,
    is_default,
    options_of,
    path_of,
    random_source,
    tell,
    usage,
)

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyfix.commands.postfix.tls.keys import PrivateKey

_DECISIVE = (
    "smtpd_use_tls", "smtpd_enforce_tls", "smtpd_tls_security_level",
    "smtpd_tls_cert_file", "smtpd_tls_dcert_file", "smtpd_tls_eccert_file",
)  # fmt: skip
"""Whoever has set one of these has made up his mind about TLS."""
_ALGORITHMS = {"rsa": ("", "2048"), "ecdsa": ("ec", "secp256r1")}
"""Each with the letters that distinguish its files and parameters, and the size or curve that it has by default."""
_DEPLOYED = f"New TLS private key and certificate deployed.\n{RELOAD}"
_SUGGESTION = """\
*** Non-default SMTP server TLS settings detected, no changes made.
For opportunistic TLS in the Postfix SMTP server, the below settings
are typical:
  smtpd_tls_security_level = may
  smtpd_tls_loglevel = 1
You can use "postfix tls new-server-cert" to create a new certificate.
Or, "postfix tls new-server-key" to also force a new private key.
If you publish DANE TLSA records, see:
  https://tools.ietf.org/html/rfc7671#section-8
  https://tools.ietf.org/html/rfc7671#section-5.1
  https://tools.ietf.org/html/rfc7671#section-5.2
  https://community.letsencrypt.org/t/please-avoid-3-0-1-and-3-0-2-dane-tlsa-records-with-le-certificates/7022"""
_ENABLED = """\
Enabled opportunistic TLS in the Postfix SMTP server
{deployed}
To generate a CSR run:
  # postfix tls output-server-csr -k {key} [<hostname> ...]
Save the signed certificate chain in {certificate}.
To generate TLSA records run:
  # postfix tls output-server-tlsa [-h <hostname>]\N{SPACE}
(If you have DANE TLSA RRs, update them as soon as possible to match
the newly deployed keys)."""
_CREATED = """\
New private key and self-signed certificate created. To deploy run:
  # postfix tls deploy-server-cert {certificate} {key}
To generate a CSR run:
  # postfix tls output-server-csr -k {key} [<hostname> ...]
Save the signed certificate chain in {certificate}, and deploy as above.
To generate TLSA records run:
  # postfix tls output-server-tlsa [-h <hostname>] {key}"""
_NEW_KEY = "(deploy after updating the DNS and waiting for stale RRs to expire)."


def all_default(system: System, words: Sequence[str]) -> int:
    """Return 0 if TLS of the SMTP server is at its defaults, else 1.  Raises Failure for words that are too many."""
    if words:
        raise usage(system, "all-default-server")
    return 0 if is_default(system, _DECISIVE) else 1


def enable(system: System, words: Sequence[str]) -> int:
    """Let the SMTP server offer TLS with a new key and certificate, or suggest how; return 0.  Raises Failure."""
    options, hosts = options_of(system, "enable-server", words, "a:b:r:")
    if not is_default(system, _DECISIVE):
        tell(system, _SUGGESTION)
        return 0
    algorithm = _algorithm(system, options, "private")
    key, certificate = _make(system, algorithm, options, hosts)
    _deploy(
        system,
        certificate,
        key,
        smtpd_tls_security_level="may",
        smtpd_tls_received_header="yes",
        smtpd_tls_loglevel="1",
        tls_random_source=random_source(system, options),
    )
    tell(system, _ENABLED.format(deployed=_DEPLOYED, key=key, certificate=certificate))
    return 0


def new_key(system: System, words: Sequence[str]) -> int:
    """Make a key and a certificate that are not used yet; return 0.  Raises Failure."""
    options, hosts = options_of(system, "new-server-key", words, "a:b:")
    algorithm = _algorithm(system, options, "public")
    key, certificate = _make(system, algorithm, options, hosts)
    tell(system, f"{_CREATED.format(key=key, certificate=certificate)}\n{_NEW_KEY}")
    return 0


def new_certificate(system: System, words: Sequence[str]) -> int:
    """Make a certificate for a copy of the key in use, or for a new one where none is; return 0.  Raises Failure."""
    options, hosts = options_of(system, "new-server-cert", words, "a:b:")
    algorithm = _algorithm(system, options, "private")
    present = key_in_use(system, algorithm)
    if present and not os.path.exists(present):
        system.warning(f"Key file: {present} not found, creating new keys")
        present = None
    key, certificate = _make(system, algorithm, options, hosts, present)
    created = _CREATED.format(key=key, certificate=certificate)
    tell(system, created if present else f"{created}\n{_NEW_KEY}")
    return 0


def deploy(system: System, words: Sequence[str]) -> int:
    """Let the SMTP server use a certificate and its key; return 0.  Raises Failure when they do not fit."""
    if len(words) != 2:
        raise usage(system, "deploy-server-cert")
    certificate, key = (path_of(system, word) for word in words)
    _deploy(system, certificate, key)
    tell(system, _DEPLOYED)
    return 0


def key_in_use(system: System, algorithm: str) -> str | None:
    """Return the file that main.cf names for an algorithm, whether it is there or not; None where it names none.

    A relative one is taken from queue_directory, as smtpd(8) does.
    """
    name = f"smtpd_tls_{_ALGORITHMS[algorithm][0]}key_file"
    value = system.snapshot.value(name) if system.snapshot.raw(name) else ""
    return None if value in ("", "none") else value


def _algorithm(system: System, options: Mapping[str, str], key: str) -> str:
    algorithm = options.get("a", "rsa")
    if not algorithm:
        raise system.failure("Internal error: empty algorithm\N{SPACE}")
    if algorithm not in _ALGORITHMS:
        raise system.failure(f"Unsupported {key} key algorithm: {algorithm}")
    return algorithm


def _make(
    system: System, algorithm: str, options: Mapping[str, str], hosts: Sequence[str], copied: str | None = None
) -> tuple[str, str]:
    """Make files with a key and a certificate, or none of them; return their paths, that of the key first."""
    from pyfix.commands.postfix.tls import keys

    prefix, size = _ALGORITHMS[algorithm]
    size = options.get("b") or size
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    key_path, certificate_path = (f"{system.config_directory}/{prefix}{kind}-{moment}.pem" for kind in ("key", "cert"))
    for kind, path in (("private key", key_path), ("certificate", certificate_path)):
        if os.path.lexists(path):
            raise system.failure(f"New {kind} file already exists: {path}")
    key = _copied(system, algorithm, copied, key_path) if copied else _generated(system, algorithm, size)
    try:
        certificate = keys.self_signed(key, hosts_of(system, hosts))
    except keys.KeyTrouble as error:
        system.warning(str(error))
        raise system.failure("error generating self-signed SSL certificate") from None
    _write(system, key_path, keys.key_text(key, new=copied is None), 0o600)
    _write(system, certificate_path, certificate, 0o644)
    return key_path, certificate_path


def _copied(system: System, algorithm: str, path: str, new_path: str) -> PrivateKey:
    from pyfix.commands.postfix.tls import keys

    try:
        key = keys.read_key(path)
        found = keys.algorithm_of(key)
    except keys.KeyTrouble:
        found = None
    if found is None:
        raise system.failure(f"Error copying private key from '{path}' to '{new_path}'")
    if found != algorithm:
        raise system.failure(f"Key algorithm '{found}' of '{path}' is not '{algorithm}'")
    return key


def _generated(system: System, algorithm: str, size: str) -> PrivateKey:
    from pyfix.commands.postfix.tls import keys

    try:
        return keys.new_key(algorithm, size)
    except keys.KeyTrouble as error:
        system.warning(str(error))
        raise system.failure(f"error generating new {algorithm} {size} private key") from None


def _write(system: System, path: str, content: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as stream:
            stream.write(content)
            os.fsync(stream.fileno())
    except OSError as error:
        raise system.failure(f"{path}: {error.strerror}") from None


def _deploy(system: System, certificate: str, key: str, **more: str) -> None:
    from pyfix.commands.postfix.tls import keys

    try:
        private = keys.read_key(key)
    except keys.KeyTrouble:
        raise system.failure(f"no private key found in file: {key}") from None
    algorithm = keys.algorithm_of(private)
    if algorithm is None:
        raise system.failure(f"no private key found in file: {key}")
    try:
        public = keys.certificate_key_digest(certificate)
    except keys.KeyTrouble:
        raise system.failure("error computing certificate public key digest") from None
    if public != keys.public_key_digest(private):
        raise system.failure(f"Certificate in {certificate} does not match key in {key}")
    prefix = _ALGORITHMS[algorithm][0]
    edit_main(system, **{f"smtpd_tls_{prefix}key_file": key, f"smtpd_tls_{prefix}cert_file": certificate}, **more)
