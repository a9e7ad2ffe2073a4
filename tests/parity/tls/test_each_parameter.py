"""Each parameter of TLS has a value that is tried, a test elsewhere, or a reason why neither is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pyfix.config import catalogue
from tests.unit.config.test_readers import UNREAD

from .test_client_parameters import CLIENT
from .test_server_parameters import SERVER

ROOT: Final = Path(__file__).parents[2]

ELSEWHERE: Final = {
    "smtp_tls_fingerprint_cert_match": "parity/delivery/test_tls_client.py::test_deliveries",
    "smtp_tls_session_cache_database": "interchange/test_tls_sessions.py::test_smtp_resumes_sessions",
    "smtp_tls_session_cache_timeout": "parity/services/test_tlsmgr.py::test_policy",
    "lmtp_tls_session_cache_database": "parity/services/test_tlsmgr.py::test_policy",
    "lmtp_tls_session_cache_timeout": "parity/services/test_tlsmgr.py::test_policy",
    "smtpd_tls_auth_only": "parity/sasl/test_encrypted.py::test_sessions",
    "smtpd_tls_session_cache_database": "interchange/test_tls_sessions.py::test_sessions_that_tlsmgr_keeps",
    "smtpd_tls_session_cache_timeout": "parity/services/test_tlsmgr.py::test_policy",
    "smtp_tls_dane_insecure_mx_policy": "parity/tls/test_dane.py::test_deliveries",
    "smtp_tls_force_insecure_host_tlsa_lookup": "parity/tls/test_dane.py::test_deliveries",
    "lmtp_tls_force_insecure_host_tlsa_lookup": "parity/tls/test_dane.py::test_deliveries",
    "tls_dane_digests": "parity/tls/test_dane.py::test_deliveries",
    "tls_required_enable": "parity/cleanup/test_parameters.py::test_parameters",
    "tls_wildcard_matches_multiple_labels": "parity/delivery/test_tls_client.py::test_deliveries",
}
"""Parameters that are shown by another test."""
DSA: Final = "no library that is current signs with DSA"
REASONS: Final = {
    "smtp_tls_dcert_file": DSA,
    "smtp_tls_dkey_file": DSA,
    "lmtp_tls_dcert_file": DSA,
    "lmtp_tls_dkey_file": DSA,
    "smtpd_tls_dcert_file": DSA,
    "smtpd_tls_dkey_file": DSA,
    "tls_random_source": "randomness is the kernel's",
}
"""Parameters that are read, and of which no test sees anything."""


def test_each_parameter_is_tried() -> None:
    names = {name for name in catalogue.all_parameters() if re.match("(smtpd|smtp|lmtp)_tls_|tls_", name)}
    tried = {tried.name for tried in (*CLIENT, *SERVER)}
    tried |= {re.sub("^smtp_", "lmtp_", name) for name in tried}
    assert names - tried - {*ELSEWHERE, *REASONS, *UNREAD} == set()
    assert {*ELSEWHERE, *REASONS} - names == set()


def test_tests_elsewhere_are_there() -> None:
    for name, place in ELSEWHERE.items():
        path, _, function = place.partition("::")
        text = (ROOT / path).read_text()
        known = name in text or f"_tls_{name.partition('_tls_')[2]}" in text
        known = known or f"_level({name.partition('smtp_tls_')[2]!r}" in text or f"{name.partition('smtp_tls_')[2]}=" in text
        assert f"def {function}(" in text and known, name
