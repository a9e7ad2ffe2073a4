"""Values that no program with TLS starts with, also where they have no effect: its fatal line, and what master makes of it."""

from __future__ import annotations

import socket

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.startups import complaints_at_startup, number_of_fatal

pytestmark = [pytest.mark.reference, pytest.mark.root]

GENERAL = (
    "tls_daemon_random_bytes=0", "tls_daemon_random_bytes=abc", "tls_daemon_random_bytes=", "tls_fast_shutdown_enable=maybe", "tls_high_cipherlist=",
    "tls_medium_cipherlist=", "tls_null_cipherlist=", "tls_preempt_cipherlist=x", "tls_append_default_CA=x", "openssl_path=",
)  # fmt: skip
"""What each of them reads."""

OF_ONE = {
    "smtp": ("smtp_tls_block_early_mail_reply=maybe", "smtp_cname_overrides_servername=maybe"),
    "lmtp": ("lmtp_tls_block_early_mail_reply=maybe", "lmtp_cname_overrides_servername=maybe"),
    "oqmgr": ("qmgr_fudge_factor=9", "qmgr_fudge_factor=101", "qmgr_fudge_factor=x"),
    "pickup": ("trigger_timeout=0", "trigger_timeout=x"),
}
WITH_TLS = {
    "smtp": " -o smtp_tls_security_level=may", "lmtp": " -o lmtp_tls_security_level=may",
    "smtpd": " -o smtpd_tls_security_level=may -o smtpd_tls_cert_file=none",
}  # fmt: skip

SERVICES = {
    f"{program}{number}": (program, override)
    for program in ("smtp", "lmtp", "smtpd", "tlsmgr", "oqmgr", "pickup")
    for number, override in enumerate((*(GENERAL if program in WITH_TLS else ()), *OF_ONE.get(program, ())))
}


def test_programs_do_not_start(parity: Parity) -> None:
    master = {
        name: f"{name} unix - n n - 1 {program} -o {override}" + WITH_TLS.get(program, "")
        for name, (program, override) in SERVICES.items()
    }

    def case(mta: Instance) -> str:
        for service in SERVICES:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(mta.queue_directory / "private" / service))
                client.send(b"x")
        return complaints_at_startup(mta, len(SERVICES))

    seen = parity(case, master=master, fresh=True).result
    assert isinstance(seen, str)
    assert number_of_fatal(seen) == len(SERVICES)
