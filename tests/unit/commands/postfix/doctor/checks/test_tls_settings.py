from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, NOTE, WARNING, Look, Site, only


def test_right(look: Look) -> None:
    main = (
        "smtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\nsmtpd_sasl_auth_enable = yes\n"
        "smtpd_tls_protocols = !SSLv2, !SSLv3\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\nsmtpd_tls_ciphers = high\n"
        "smtpd_tls_exclude_ciphers = aNULL, MD5\n"
    )
    master = (
        "submission inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
        "smtps inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
        "127.0.0.1:10025 inet n - n - - smtpd\n -o smtpd_tls_auth_only=no\n"
    )
    assert look(main, master) == []


@pytest.mark.parametrize(
    ("line", "severity", "instead"),
    [
        ("smtpd_use_tls = yes", NOTE, ("smtpd_tls_security_level = may",)),
        ("smtp_enforce_tls = yes", NOTE, ("smtp_tls_security_level = encrypt",)),
        ("smtp_use_tls = no", NOTE, ("smtp_tls_security_level = none",)),
        ("smtpd_tls_eecdh_grade = strong", NOTE, ()),
        ("postscreen_blacklist_action = drop", NOTE, ("postscreen_denylist_action = drop",)),
        ("smtpd_tls_protocols = SSLv3, TLSv1", WARNING, ("smtpd_tls_protocols = >=TLSv1",)),
        ("smtp_tls_mandatory_protocols = >=SSLv3", WARNING, ("smtp_tls_mandatory_protocols = >=TLSv1.2",)),
        ("smtp_tls_ciphers = export", WARNING, ("smtp_tls_ciphers = medium",)),
        ("smtpd_tls_exclude_ciphers = RC4, AES", WARNING, ()),
        ("smtpd_tls_wrappermode = yes", ERROR, ("  -o smtpd_tls_wrappermode=no",)),
        ("smtpd_tls_security_level = encrypt", NOTE, ("smtpd_tls_security_level = may",)),
        ("smtpd_sasl_auth_enable = yes", WARNING, ("smtpd_tls_security_level = may", "smtpd_tls_auth_only = yes")),
    ],
)
def test_wrong(look: Look, site: Site, line: str, severity: int, instead: tuple[str, ...]) -> None:
    finding = only(look(f"{line}\n"))
    assert finding.severity == severity
    assert finding.place.line == site.line("main.cf", line)
    assert finding.instead == instead


def test_the_new_one_is_set_already(look: Look) -> None:
    finding = only(look("smtpd_use_tls = yes\nsmtpd_tls_security_level = may\n"))
    assert finding.instead == ()
    assert "take this line out" in finding.why


def test_a_port_that_begins_with_tls(look: Look, site: Site) -> None:
    finding = only(look("", "465 inet n - n - - smtpd\n"))
    assert finding.severity is ERROR
    assert finding.place.line == site.line("master.cf", "465")
