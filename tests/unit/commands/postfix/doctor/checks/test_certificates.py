from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, NOTE, NOW, WARNING, Look, Site, certificate, only

MAY = "smtpd_tls_security_level = may\n"


def main(paths: tuple[Path, Path]) -> str:
    return f"{MAY}smtpd_tls_cert_file = {paths[0]}\nsmtpd_tls_key_file = {paths[1]}\n"


def chain(site: Site, *paths: Path) -> Path:
    return site.file("chain", "".join(path.read_text() for path in paths), 0o600)


def test_right(look: Look, site: Site) -> None:
    certificate_file, key = certificate(site.folder)
    assert look() == []
    assert look(main((certificate_file, key))) == []
    assert look(f"{MAY}smtpd_tls_chain_files = {chain(site, key, certificate_file)}\n") == []
    assert look(f"{MAY}smtpd_tls_chain_files = {key} {certificate_file}\n") == []
    assert look(main(certificate(site.folder, "*.ours.example"))) == []
    assert look(main(certificate(site.folder, names=(), common_name="mail.ours.example"))) == []
    assert look("smtp_tls_security_level = may\nsmtpd_tls_cert_file = /does/not/exist\n") == []
    signed = certificate(site.folder, issuer="Authority")
    other = certificate(site.folder, "Authority")
    both = site.file("both", signed[0].read_text() + other[0].read_text())
    assert look(main((both, signed[1]))) == []


@pytest.mark.parametrize(
    ("days", "severity", "said"),
    [(-1, ERROR, "expired on 2026-05-31"), (1, WARNING, "in 1 day"), (13, WARNING, "expires on 2026-06-14, in 13 days")],
)
def test_time(look: Look, site: Site, days: int, severity: int, said: str) -> None:
    paths = certificate(site.folder, days=days)
    finding = only(look(main(paths)))
    assert finding.severity == severity
    assert finding.what.endswith(said)
    assert finding.place.line == site.line("main.cf", "cert_file")


def test_not_valid_yet(look: Look, site: Site) -> None:
    paths = certificate(site.folder, begins=NOW + timedelta(days=3))
    assert "valid from 2026-06-04" in only(look(main(paths))).what


def test_of_another_host(look: Look, site: Site) -> None:
    finding = only(look(main(certificate(site.folder, "www.ours.example"))))
    assert finding.severity is NOTE  # it is self-signed
    (first, second) = certificate(site.folder, "www.ours.example", issuer="Authority")
    finding, other = look(main((first, second)))
    assert finding.severity is WARNING
    assert "is for www.ours.example, not for myhostname (mail.ours.example)" in finding.what
    assert "no intermediate certificate" in other.what


def test_key_of_another_certificate(look: Look, site: Site) -> None:
    first, second = certificate(site.folder), certificate(site.folder)
    finding = only(look(main((first[0], second[1]))))
    assert finding.severity is ERROR
    assert "is not that of the certificate" in finding.what
    assert finding.place.line == site.line("main.cf", "key_file")


def test_files(look: Look, site: Site) -> None:
    certificate_file, key = certificate(site.folder)
    assert "No such file" in only(look(main((site.folder / "none", key)))).what
    assert "no certificate" in only(look(main((site.file("text", "x"), key)))).what
    assert "No such file" in only(look(main((certificate_file, site.folder / "none")))).what
    assert "no key" in only(look(main((certificate_file, certificate_file)))).what


def test_no_certificate(look: Look, site: Site) -> None:
    finding = only(look(MAY))
    assert finding.severity is WARNING
    assert "there is no certificate" in finding.what
    assert finding.place.line == site.line("main.cf", "smtpd_tls_security_level")
    assert look(MAY + "smtpd_tls_cert_file = none\n") == []


def test_an_option(look: Look, site: Site) -> None:
    certificate_file, key = certificate(site.folder, days=-1)
    option = f"587 inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n  -o smtpd_tls_cert_file={certificate_file}\n"
    found = look(f"smtpd_tls_key_file = {key}\n", option)
    assert only(found).place.line == site.line("master.cf", "cert_file")
