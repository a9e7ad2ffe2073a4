from __future__ import annotations

import subprocess
import sys

from tests.unit.commands.postfix.conftest import Run, System


def test_enabling(system: System, run: Run) -> None:
    system.program("postconf")
    assert run("tls", "all-default-client") == (0, [])
    status, lines = run("tls", "enable-client", "-r", "/x")
    assert (status, lines[0]) == (0, "postfix/postlog: Enabled opportunistic TLS in the Postfix SMTP client.")
    assert system.called() == [
        "postconf -e smtp_tls_security_level = may smtp_tls_loglevel = 1 "
        f"smtp_tls_session_cache_database = lmdb:{system.data}/smtp_scache tls_random_source = /x"
    ]


def test_somebody_has_decided(system: System, run: Run) -> None:
    system.write(smtp_tls_security_level="encrypt")
    assert run("tls", "all-default-client") == (1, [])
    status, lines = run("tls", "enable-client")
    assert status == 0
    assert lines[0].endswith("*** Non-default SMTP client TLS settings detected, no changes made.")
    assert run("tls", "enable-client", "x") == (1, ["postfix/postlog: fatal: usage: postfix tls enable-client [-r devrandom]"])


def test_no_key_is_made_and_no_library_loaded() -> None:
    code = "import pyfix.commands.postfix.tls.client, pyfix.commands.postfix.tls.server, sys; assert 'cryptography' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
