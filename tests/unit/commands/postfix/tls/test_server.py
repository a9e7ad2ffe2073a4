from __future__ import annotations

import time

import pytest

from tests.unit.commands.postfix.conftest import Run, System

NOW = 1_700_000_000.0


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = time.gmtime(NOW)
    monkeypatch.setattr("pyfix.commands.postfix.tls.server.time.gmtime", lambda: moment)


def test_enabling(system: System, run: Run) -> None:
    system.program("postconf")
    assert run("tls", "all-default-server") == (0, [])
    status, lines = run("tls", "enable-server", "-a", "ecdsa", "-r", "/x", "a.example")
    assert (status, lines[0]) == (0, "postfix/postlog: Enabled opportunistic TLS in the Postfix SMTP server")
    key, certificate = system.etc / "eckey-20231114-221320.pem", system.etc / "eccert-20231114-221320.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert certificate.stat().st_mode & 0o777 == 0o644
    assert system.called() == [
        f"postconf -e smtpd_tls_eckey_file = {key} smtpd_tls_eccert_file = {certificate} smtpd_tls_security_level = may "
        "smtpd_tls_received_header = yes smtpd_tls_loglevel = 1 tls_random_source = /x"
    ]
    assert run("tls", "enable-server", "-a", "ecdsa") == (
        1, [f"postfix/postlog: fatal: New private key file already exists: {key}"],
    )  # fmt: skip


def test_somebody_has_decided(system: System, run: Run) -> None:
    system.write(smtpd_tls_security_level="encrypt")
    assert run("tls", "all-default-server") == (1, [])
    assert run("tls", "enable-server")[1][0].endswith("*** Non-default SMTP server TLS settings detected, no changes made.")


def test_a_key_that_is_kept_or_gone(system: System, run: Run) -> None:
    assert run("tls", "new-server-key", "-b", "1024")[0] == 0
    key = system.etc / "key-20231114-221320.pem"
    kept = key.rename(system.etc / "kept")
    (system.etc / "cert-20231114-221320.pem").unlink()
    system.write(smtpd_tls_key_file=kept)
    assert not any("(deploy after" in line for line in run("tls", "new-server-cert")[1])
    assert key.read_bytes() == kept.read_bytes()
    key.unlink()
    (system.etc / "cert-20231114-221320.pem").unlink()
    kept.unlink()
    assert run("tls", "new-server-cert", "-b", "1024")[1][0] == (
        f"postfix/postlog: warning: Key file: {kept} not found, creating new keys"
    )
    kept.touch()
    (system.etc / "cert-20231114-221320.pem").unlink()
    key.unlink()
    assert run("tls", "new-server-cert") == (
        1, [f"postfix/postlog: fatal: Error copying private key from '{kept}' to '{key}'"],
    )  # fmt: skip


def test_what_does_not_fit(system: System, run: Run) -> None:
    run("tls", "new-server-key", "-a", "ecdsa")
    key, certificate = system.etc / "eckey-20231114-221320.pem", system.etc / "eccert-20231114-221320.pem"
    other_key, other = key.rename(system.etc / "key"), certificate.rename(system.etc / "certificate")
    run("tls", "new-server-key", "-a", "ecdsa")
    for words, text in (
        ((str(certificate), "key"), f"Certificate in {certificate} does not match key in {other_key}"),
        (("nothing", "key"), "error computing certificate public key digest"),
        ((str(certificate), "main.cf"), f"no private key found in file: {system.etc}/main.cf"),
    ):
        assert run("tls", "deploy-server-cert", *words) == (1, [f"postfix/postlog: fatal: {text}"])
    system.program("postconf")
    assert run("tls", "deploy-server-cert", other.name, "key")[0] == 0
    assert system.called() == [f"postconf -e smtpd_tls_eckey_file = {other_key} smtpd_tls_eccert_file = {other}"]


def test_sizes_and_names_that_are_none(system: System, run: Run) -> None:
    assert run("tls", "new-server-key", "-a", "ecdsa", "-b", "x")[1][-1] == (
        "postfix/postlog: fatal: error generating new ecdsa x private key"
    )
    assert run("tls", "new-server-key", "-a", "ecdsa", "a/b")[1][-1] == (
        "postfix/postlog: fatal: error generating self-signed SSL certificate"
    )
    assert not list(system.etc.glob("*.pem"))
