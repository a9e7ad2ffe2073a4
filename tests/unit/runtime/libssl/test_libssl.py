"""What a machine without OpenSSL does."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import pyfix.runtime.libssl.bound as bound

class Nothing:
    def dlopen(self, name):
        raise OSError(f"{name}: cannot open shared object file")

bound.ffi = Nothing()
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd.encryption import Encryption
from pyfix.runtime.log import log

log.warning = print
snapshot = Snapshot({"compatibility_level": "3.11", "smtpd_tls_security_level": "may"}, process_name="smtpd")
found = Encryption(SmtpdSettings(snapshot), stand_alone=False)
found.open(snapshot, "smtp")
print(found.tls)
"""


def test_a_machine_without_it() -> None:
    """The service goes on without TLS, and says why."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["no OpenSSL 3: libssl.so.3: cannot open shared object file: disabling TLS support", "None"]
