"""Certificates and keys in files, and which parameters name them.

Source: TLS_README; postconf(5) smtpd_tls_cert_file, smtpd_tls_chain_files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot

__all__ = ["PEM_KEY", "Pair", "pairs", "server_uses_tls"]

PEM_KEY: Final = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
_KINDS: Final = (("cert_file", "key_file"), ("eccert_file", "eckey_file"), ("dcert_file", "dkey_file"))
_PREFIXES: Final = {"smtpd_tls_": ("smtpd",), "smtp_tls_": ("smtp",), "lmtp_tls_": ("lmtp",)}


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, each with the parameter that names the file."""

    certificate: str
    key: str
    certificate_parameter: str
    key_parameter: str
    service: Service | None
    snapshot: Snapshot

    @property
    def of_server(self) -> bool:
        """Whether clients see it, and not servers."""
        return self.certificate_parameter.startswith("smtpd_")


def server_uses_tls(snapshot: Snapshot) -> bool:
    """Say whether smtpd(8) offers TLS with these values."""
    level = snapshot.value("smtpd_tls_security_level").strip().lower()
    if level:
        return level != "none"
    old = ("smtpd_use_tls", "smtpd_enforce_tls", "smtpd_tls_wrappermode")
    return any(snapshot.value(name).lower() == "yes" for name in old)


def pairs(examination: Examination) -> Iterator[Pair]:
    """Yield what the programs load that are in master.cf: for the server only where it uses TLS."""
    for prefix, programs in _PREFIXES.items():
        for service, snapshot in examination.scopes(*programs):
            names = [f"{prefix}chain_files", *(f"{prefix}{name}" for kind in _KINDS for name in kind)]
            is_server = prefix == "smtpd_tls_"
            if is_server and not server_uses_tls(snapshot):
                continue
            own = service is None or any(name in service.overrides for name in names)
            if own or (is_server and not server_uses_tls(examination.snapshot)):
                yield from _pairs(prefix, service, snapshot)


def _pairs(prefix: str, service: Service | None, snapshot: Snapshot) -> Iterator[Pair]:
    chains = split_words(snapshot.value(f"{prefix}chain_files"))
    if chains:
        # A file has the key before its certificates, or two files have one each.
        name = f"{prefix}chain_files"
        waiting = ""
        for path in chains:
            has_key, has_certificate = _contents(path)
            if has_key and not has_certificate:
                waiting = path
                continue
            yield Pair(path, path if has_key or not waiting else waiting, name, name, service, snapshot)
            waiting = ""
        return
    for certificate, key in _KINDS:
        path = snapshot.value(f"{prefix}{certificate}")
        if path and path != "none":
            key_path = snapshot.value(f"{prefix}{key}")
            yield Pair(path, key_path, f"{prefix}{certificate}", f"{prefix}{key}", service, snapshot)


def _contents(path: str) -> tuple[bool, bool]:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return True, True  # the check of certificates tells of it
    return PEM_KEY.search(data) is not None, b"-----BEGIN CERTIFICATE-----" in data
