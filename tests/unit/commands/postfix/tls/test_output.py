from __future__ import annotations

import pytest

from pyfix.commands import postfix
from pyfix.commands.postfix.tls import keys
from tests.unit.commands.postfix.conftest import Run, System


def test_request(system: System, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("tls", "output-server-csr") == (1, ["postfix/postlog: fatal: No usable keyfile specified or configured"])
    assert run("tls", "output-server-csr", "-k", "main.cf") == (1, [f"Could not read private key from {system.etc}/main.cf"])
    (system.etc / "key").write_bytes(keys.key_text(keys.new_key("ecdsa", "secp256r1"), new=True))
    assert postfix.main(["tls", "output-server-csr", "-k", "key"]) == 0
    assert capfd.readouterr().out.startswith("-----BEGIN CERTIFICATE REQUEST-----\n")


def test_tlsa(system: System, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("tls", "output-server-tlsa") == (1, ["postfix/postlog: fatal: No usable keyfiles specified or configured"])
    assert run("tls", "output-server-tlsa", "x") == (1, [f"postfix/postlog: fatal: no private key found in file: {system.etc}/x"])
    key = keys.new_key("ecdsa", "secp256r1")
    (system.etc / "key").write_bytes(keys.key_text(key, new=True))
    system.write(smtpd_tls_eckey_file=system.etc / "key")
    assert postfix.main(["tls", "output-server-tlsa", "-h", "a.example"]) == 0
    assert capfd.readouterr().out == (
        f"; {system.etc}/key\n_25._tcp.a.example. IN TLSA 3 1 1 {keys.public_key_digest(key)}\n"
    )
