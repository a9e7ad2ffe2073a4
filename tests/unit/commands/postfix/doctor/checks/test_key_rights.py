from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, Look, Site, certificate, only


def main(certificate_file: object, key: object) -> str:
    return f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {certificate_file}\nsmtpd_tls_key_file = {key}\n"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_right(look: Look, site: Site, mode: int) -> None:
    certificate_file, key = certificate(site.folder)
    key.chmod(mode)
    assert look(main(certificate_file, key)) == []


@pytest.mark.parametrize(("mode", "said"), [(0o644, "may read"), (0o660, "may change"), (0o666, "may read")])
def test_wrong(look: Look, site: Site, mode: int, said: str) -> None:
    certificate_file, key = certificate(site.folder)
    key.chmod(mode)
    finding = only(look(main(certificate_file, key)))
    assert finding.severity is ERROR
    assert said in finding.what
    assert finding.place.line == site.line("main.cf", "key_file")
    assert finding.instead == (f"chmod 0600 {key}",)


def test_both_in_one_file(look: Look, site: Site) -> None:
    certificate_file, key = certificate(site.folder)
    both = site.file("both", key.read_text() + certificate_file.read_text())
    finding = only(look(f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {both}\n"))
    assert finding.place.line == site.line("main.cf", "cert_file")
    assert look(f"smtpd_tls_cert_file = {both}\n") == []
