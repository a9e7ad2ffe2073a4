from __future__ import annotations

import pytest

from pyfix.commands.postfix.doctor.certificate_files import pairs, server_uses_tls
from tests.unit.commands.postfix.doctor.conftest import Site, certificate


@pytest.mark.parametrize(
    ("main", "uses"),
    [
        ("", False),
        ("smtpd_tls_security_level = none\nsmtpd_use_tls = yes\n", False),
        ("smtpd_tls_security_level = may\n", True),
        ("smtpd_use_tls = yes\n", True),
        ("smtpd_tls_wrappermode = yes\n", True),
    ],
)
def test_server_uses_tls(site: Site, main: str, uses: bool) -> None:
    site.write(main)
    assert server_uses_tls(site.examination().snapshot) == uses


def test_pairs(site: Site) -> None:
    first, second = certificate(site.folder), certificate(site.folder)
    combined = site.file("combined", first[1].read_text() + first[0].read_text())
    site.write(
        f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /a\nsmtpd_tls_eccert_file = /b\nsmtpd_tls_eckey_file = /c\n"
        f"smtp_tls_chain_files = {combined} {second[1]} {second[0]}\nlmtp_tls_cert_file = /l\n",
        "587 inet n - n - - smtpd\n  -o smtpd_tls_cert_file=/own\n465 inet n - n - - smtpd\n  -o smtpd_tls_cert_file=none\n",
    )
    found = [(pair.certificate, pair.key, pair.of_server) for pair in pairs(site.examination())]
    assert found == [
        ("/a", "/a", True),
        ("/b", "/c", True),
        ("/own", "/own", True),
        ("/b", "/c", True),
        ("/b", "/c", True),
        (str(combined), str(combined), False),
        (str(second[0]), str(second[1]), False),
        ("/l", "/l", False),
    ]


def test_only_a_service_uses_tls(site: Site) -> None:
    site.write("smtpd_tls_cert_file = /a\n", "587 inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n")
    found = list(pairs(site.examination()))
    assert [(pair.certificate, pair.service and pair.service.title) for pair in found] == [("/a", "587 inet")]
