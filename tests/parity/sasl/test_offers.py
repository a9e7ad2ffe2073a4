"""What of a service's mechanisms clients are offered, and services that are not as they should be."""

from __future__ import annotations

import pytest

from tests.kit.authdouble import MECHANISMS, encoded
from tests.kit.smtp import Line

from .conftest import Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

SESSION: list[Line] = [
    "EHLO c", f"AUTH PLAIN {encoded('', 'bare', 'pw')}", f"AUTH LOGIN {encoded('joe')}", encoded("pw"), f"AUTH PLAIN {encoded('', 'joe', 'pw')}",
    "QUIT",
]  # fmt: skip
ODD = (
    "X\tforward-secrecy\tmutual-auth\tactive", "Y\tprivate", "Z\tfoo", "E XT", "PLAIN", "ANONYMOUS\tanonymous", "A\tPLAINTEXT", "EXTERNAL",
    "D\tdictionary", "F\tforward-secrecy", "",
)  # fmt: skip


@pytest.mark.parametrize(
    "main",
    [
        {},
        {"broken_sasl_auth_clients": "no"},
        {"smtpd_sasl_security_options": "noanonymous, noplaintext"},
        {"smtpd_sasl_security_options": ""},
        {"smtpd_sasl_security_options": "NoPlaintext"},
        {"smtpd_sasl_security_options": "foo"},
        {"smtpd_sasl_security_options": "noplaintext, foo, bar"},
        {"smtpd_sasl_security_options": "mutual_auth"},
        {"smtpd_sasl_exceptions_networks": "127.0.0.1"},
        {"smtpd_sasl_exceptions_networks": "127.0.0.0/8, !127.0.0.1"},
        {"smtpd_sasl_exceptions_networks": "10.0.0.0/8"},
        {"smtpd_sasl_exceptions_networks": "fail:x"},
        {"smtpd_sasl_exceptions_networks": "fail:x", "smtpd_discard_ehlo_keywords": "auth"},
        {"smtpd_discard_ehlo_keywords": "auth, silent-discard"},
        {"smtpd_tls_auth_only": "yes"},
        {"smtpd_sasl_mechanism_filter": "plain, static:x"},
        {"smtpd_sasl_mechanism_filter": "!plain, login"},
        {"smtpd_sasl_mechanism_filter": "/^/"},
        {"smtpd_sasl_mechanism_filter": "fail:x"},
        {"smtpd_sasl_mechanism_filter": "none"},
        {"smtpd_sasl_service": "sub mission", "smtpd_sasl_local_domain": "dom"},
        {"smtpd_sasl_path": "unix:private/auth"},
        {"smtpd_sasl_path": "unix:/nowhere/auth"},
        {"smtpd_sasl_path": "private/nowhere"},
        {"smtpd_sasl_path": "inet:127.0.0.1:1"},
        {"smtpd_sasl_path": "inet:127.0.0.1:xx"},
        {"smtpd_sasl_path": "inet:"},
        {"smtpd_sasl_path": "private/auth private/auth2"},
        {"smtpd_sasl_auth_enable": "no"},
        {"smtpd_helo_required": "yes"},
        {"smtpd_hide_client_session": "yes"},
    ],
    ids=str,
)
def test_settings(same_with_dovecot: Compare, main: dict[str, str]) -> None:
    same_with_dovecot([SESSION], main=main)


@pytest.mark.parametrize(
    "options", ["noanonymous", "noplaintext", "noactive", "nodictionary", "forward_secrecy", "mutual_auth", "nodictionary forward_secrecy", ""]
)
def test_properties(same_with_dovecot: Compare, options: str) -> None:
    main = {"smtpd_sasl_security_options": options}
    same_with_dovecot([["EHLO c", "AUTH X", "*", "AUTH Y", "AUTH EXTERNAL", "*", "AUTH A", "*", "QUIT"]], main=main, mechanisms=ODD)


def test_long_responses(same_with_dovecot: Compare) -> None:
    """More than the standard limit, and less than the one that is set."""
    long = encoded("u" * 11_000)
    asked = same_with_dovecot([["EHLO c", "AUTH LOGIN", long, encoded("pw"), "QUIT"]], main={"smtpd_sasl_response_limit": "20000"})
    assert any(long in line for line in asked)


GREETINGS = [
    b"VERSION\t2\t0\nMECH\tPLAIN\nDONE\n",
    b"VERSION\t1\t9\nDONE\n",
    b"VERSION\t1\t1\nSPID\t1\n",
    b"VERSION\t1\t2\nSPID\t1\nMECH\tPLAIN\nDONE\n",
    b"MECH\tPLAIN\tplaintext\nMECH\tANONYMOUS\tanonymous\nMECH\nDONE\n",
    b"DONE\n",
    b"VERSION\tx\ty\nMECH\tPLAIN\nDONE\n",
    b"VERSION\t1\nMECH\tPLAIN\nDONE\n",
    b"VERSION\nMECH\tPLAIN\nDONE\n",
    b"HTTP/1.0 200\r\n\r\nDONE\n",
    b"MECH\tX\tforward-secrecy\tactive\nMECH\tY\tprivate\nMECH\tE XT\nSPID\t1\nSPID\t2\nCUID\nDONE\nMECH\tPLAIN\n",
    b"MECH\tPLAIN\nMECH\tPLAIN\nMECH\tplain\nDONE\tx\n",
    b"MECH\tPL\x01AIN\nMECH\tPLAIN\nDONE\n",
]


@pytest.mark.parametrize("greeting", GREETINGS, ids=range(len(GREETINGS)))
def test_greetings(same_with_dovecot: Compare, greeting: bytes) -> None:
    same_with_dovecot([SESSION], greeting=greeting, fresh=True)


def test_filter_of_all(same_with_dovecot: Compare) -> None:
    same_with_dovecot([["EHLO c", "QUIT"]], main={"smtpd_sasl_mechanism_filter": "static:all"}, mechanisms=(*MECHANISMS, "EXTERNAL"))
