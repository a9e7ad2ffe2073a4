from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd.encryption import Encryption
from pyfix.runtime.log import log
from pyfix.tls.facts import PeerCertificate, TlsFacts

from .fakes import MAIN, converse

FACTS = TlsFacts("TLSv1.3", "X", 256, 256)


def settings(**main: str) -> SmtpdSettings:
    return SmtpdSettings(Snapshot({**MAIN, **main}, process_name="smtpd"))


@pytest.mark.parametrize(
    ("main", "offered", "enforced", "wrapped"),
    [
        ({}, False, False, False),
        ({"smtpd_tls_security_level": "may"}, True, False, False),
        ({"smtpd_tls_security_level": "Encrypt"}, True, True, False),
        ({"smtpd_tls_security_level": "secure"}, True, True, False),
        ({"smtpd_tls_security_level": "none", "smtpd_enforce_tls": "yes"}, False, False, False),
        ({"smtpd_use_tls": "yes"}, True, False, False),
        ({"smtpd_enforce_tls": "yes"}, True, True, False),
        ({"smtpd_tls_wrappermode": "yes"}, True, False, True),
    ],
)
def test_levels(main: dict[str, str], offered: bool, enforced: bool, wrapped: bool) -> None:
    found = Encryption(settings(**main), stand_alone=False)
    assert (found.offered, found.enforced, found.wrapped, found.asks) == (offered, enforced, wrapped, False)
    alone = Encryption(settings(**main), stand_alone=True)
    assert (alone.offered, alone.enforced, alone.wrapped) == (False, False, False)


def test_a_level_that_is_none() -> None:
    with pytest.raises(ConfigError, match='Invalid TLS level "x"'):
        Encryption(settings(smtpd_tls_security_level="x"), stand_alone=False)


def test_another_level_is_encrypt(monkeypatch: Any) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(log, "warning", warnings.append)
    Encryption(settings(smtpd_tls_security_level="verify"), stand_alone=False)
    assert warnings == ['smtpd_tls_security_level: unsupported TLS level "verify", using "encrypt"']


class FakeTls:
    """Says what the test wants of a handshake."""

    def __init__(self, facts: TlsFacts | None, *, requires: bool = False) -> None:
        self._facts = facts
        self.asks = self.requires = requires

    async def accept(self, _stream: object, _peer: str, _seconds: float) -> TlsFacts | None:
        return self._facts


def conversation(monkeypatch: Any, tls: FakeTls | None, *lines: str | bytes, **main: str) -> Any:
    main = {"smtpd_tls_security_level": "may", **main}

    def given(self: Encryption, *_: object, **__: object) -> None:
        original(self, *_, **__)  # type: ignore[arg-type]  # what the session's server gives
        self.tls = tls  # type: ignore[assignment]  # it does what is needed

    original = Encryption.__init__
    monkeypatch.setattr(Encryption, "__init__", given)
    return converse(monkeypatch, *lines, main=main)


def test_offer_and_use(monkeypatch: Any) -> None:
    found = conversation(monkeypatch, FakeTls(FACTS), "EHLO x", "STARTTLS x", b"STARTTLS\r\nRSET\r\n", "EHLO x", "STARTTLS")
    at = found.replies.index("220 2.0.0 Ready to start TLS")
    first, second = found.replies[:at], found.replies[at + 1 :]
    assert "250-STARTTLS" in first and "250 REQUIRETLS" not in first and first[-1] == "501 5.5.4 Syntax: STARTTLS"
    assert "250-STARTTLS" not in second and "250 REQUIRETLS" in second and second[-1] == "554 5.5.1 Error: TLS already active"
    assert not any("RSET" in line for line in found.lines)  # what came before TLS is gone


def test_a_failure_ends_the_session(monkeypatch: Any) -> None:
    found = conversation(monkeypatch, FakeTls(None), "EHLO x", "STARTTLS", "NOOP")
    assert found.replies[-1] == "220 2.0.0 Ready to start TLS"
    assert "NOQUEUE: lost connection after STARTTLS from client.example[198.51.100.7]" in found.lines


UNKNOWN = TlsFacts("TLSv1.3", "X", 256, 256, certificate=PeerCertificate("c", "i", "/CN=c", "/CN=i", "AA", "BB"))


@pytest.mark.parametrize(
    ("facts", "text"), [(FACTS, "No client certificate presented"), (UNKNOWN, "Client certificate not trusted")]
)
def test_certificates_that_must_be(monkeypatch: Any, facts: TlsFacts, text: str) -> None:
    found = conversation(monkeypatch, FakeTls(facts, requires=True), "EHLO x", "STARTTLS", "NOOP")
    assert found.replies[-1] == f"421 4.7.1 mail.ours.example Error: {text}"


def test_no_tls_to_be_had(monkeypatch: Any) -> None:
    assert conversation(monkeypatch, None, "EHLO x", "STARTTLS").replies[-1] == "454 4.7.0 TLS not available due to local problem"


def test_not_offered(monkeypatch: Any) -> None:
    found = conversation(monkeypatch, None, "EHLO x", "STARTTLS", smtpd_tls_security_level="none")
    assert found.replies[-1] == "502 5.5.1 Error: command not implemented" and not any("STARTTLS" in line for line in found.replies)


def test_what_needs_tls(monkeypatch: Any) -> None:
    found = conversation(
        monkeypatch, FakeTls(FACTS), "EHLO x", "MAIL FROM:<>", "NOOP", "STARTTLS", "MAIL FROM:<>", smtpd_tls_security_level="encrypt"
    )
    assert found.replies[-4:] == [
        "530 5.7.0 Must issue a STARTTLS command first", "250 2.0.0 Ok", "220 2.0.0 Ready to start TLS", "250 2.1.0 Ok",
    ]  # fmt: skip


def test_openssl_comes_in_only_with_tls() -> None:
    """A system without TLS, and the fork server of any system, stay small."""
    program = (
        "import sys, pyfix.daemons.smtpd.daemon, pyfix.daemons.smtp.daemon; "
        "print(*{'OpenSSL', 'cryptography', 'ssl'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
