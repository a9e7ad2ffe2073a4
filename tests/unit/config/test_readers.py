"""Each parameter has code that reads it, or a reason why there is none."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pyfix
from pyfix.config import catalogue
from pyfix.config.parameter import Parameter

ROOT = Path(pyfix.__file__).parent

COMPOSED = {
    "address_verify_": ("rewriting/resolving", "of probes: the names of ordinary parameters with a prefix"),
    "smtpd_policy_service_": ("access/policy_service.py", "what a service may say itself, by its own name"),
    "local_destination_": ("config/families.py", "of transports, for the one named local"),
}
"""How names begin that are put together where they are read: where that is, and of what."""

TABLES = "tables of Berkeley DB are written and read by pyfix itself, at a stretch"
TLSMGR = "OpenSSL has its own random numbers; sessions are kept in the process"
REPORTS = "TLSRPT is not there yet"
KEYS = "raw public keys are not there yet"
GONE = "what it chose has gone from OpenSSL, and the reference of 3.11 takes no notice either"
EARLY = "the reference of 3.11 takes no notice of early replies either: tests/parity/delivery/test_early_mail_reply.py"
UNREAD: dict[str, str] = {
    "berkeley_db_create_buffer_size": TABLES,
    "berkeley_db_read_buffer_size": TABLES,
    "dns_ncache_ttl_fix_enable": "how long postscreen remembers what is not listed",
    "enable_idna2003_compatibility": "as in the reference's ICU, nothing depends on it",
    "fault_injection_code": "no program of the reference reads it",
    "lmtp_requiretls_policy": "REQUIRETLS is not handed on yet",
    "lmtp_sasl_path": "the client's mechanisms are pyfix's own, without a configuration of Cyrus SASL",
    "lmtp_tls_block_early_mail_reply": EARLY,
    "lmtp_tls_connection_reuse": "needs tlsproxy",
    "lmtp_tls_enable_rpk": KEYS,
    "lmtp_tls_enforce_sts_mx_patterns": REPORTS,
    "lmtp_tlsrpt_enable": REPORTS,
    "lmtp_tlsrpt_skip_reused_handshakes": REPORTS,
    "lmtp_tlsrpt_socket_name": REPORTS,
    "mail_release_date": "for humans: read-only",
    "maps_rbl_domains": "of reject_maps_rbl, which the reference of 3.11 refuses",
    "non_bdb_migration_log_redirect": "pyfix reads tables of Berkeley DB itself and redirects nothing",
    "non_bdb_migration_service_name": "pyfix reads tables of Berkeley DB itself and asks nobody to make them anew",
    "process_id_directory": "the reference takes pid whatever it says",
    "qmgr_fudge_factor": "of oqmgr only, and of what it reads of very long lists",
    "respectful_logging": "of postscreen",
    "smtp_requiretls_policy": "REQUIRETLS is not handed on yet",
    "smtp_sasl_path": "the client's mechanisms are pyfix's own, without a configuration of Cyrus SASL",
    "smtp_tls_block_early_mail_reply": EARLY,
    "smtp_tls_connection_reuse": "needs tlsproxy",
    "smtp_tls_enable_rpk": KEYS,
    "smtp_tls_enforce_sts_mx_patterns": REPORTS,
    "smtp_tlsrpt_enable": REPORTS,
    "smtp_tlsrpt_skip_reused_handshakes": REPORTS,
    "smtp_tlsrpt_socket_name": REPORTS,
    "smtpd_service_name": "of postscreen, which hands clients on to it",
    "smtpd_tls_dh512_param_file": GONE,
    "smtpd_tls_eecdh_grade": GONE,
    "smtpd_tls_enable_rpk": KEYS,
    "tls_daemon_random_bytes": TLSMGR,
    "tls_eecdh_strong_curve": GONE,
    "tls_eecdh_ultra_curve": GONE,
    "tls_export_cipherlist": GONE,
    "tls_fast_shutdown_enable": "after its goodbye no program waits for that of the other side",
    "tls_low_cipherlist": GONE,
    "tls_random_bytes": TLSMGR,
    "tls_random_exchange_name": TLSMGR,
    "tls_random_prng_update_period": TLSMGR,
    "tls_random_reseed_period": TLSMGR,
    "tls_wildcard_matches_multiple_labels": "the reference of 3.11 takes no notice either",
    "trigger_timeout": "a trigger does not wait: the socket has room, or the server looks by itself later",
}
"""Parameters that no code reads."""
PROGRAMS = {"postscreen": "postscreen", "dnsblog": "dnsblog", "tlsproxy": "tlsproxy"}
"""How names of parameters begin, and the program that reads them; until it is there nobody does."""


@cache
def words() -> frozenset[str]:
    """Return all names of attributes, and words of texts, in code other than declarations."""
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        if path.parent != ROOT / "config/parameters":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.count("\n"):
                    found.update(re.findall(r"\w+", node.value))
    return frozenset(found)


def is_awaited(name: str) -> bool:
    """Whether its program is not there yet."""
    return any(
        name.startswith(f"{start}_") and not (ROOT / "daemons" / program).is_dir()
        for start, program in PROGRAMS.items()
    )


@cache
def in_defaults() -> frozenset[str]:
    """Return the names to which defaults of parameters refer that are read."""
    declared = catalogue.all_parameters().items()
    texts = [str(parameter.default) for name, parameter in declared if name not in (*UNREAD, "proxy_read_maps") and not is_awaited(name)]
    return frozenset(name for text in texts for name in re.findall(r"\$\{?(\w+)", text))


def is_read(name: str, parameter: Parameter[object]) -> bool:
    return bool({name, parameter.attribute} & (words() | in_defaults())) or name.startswith(tuple(COMPOSED))


def test_each_is_read_or_has_a_reason() -> None:
    unread = {
        name
        for name, parameter in catalogue.all_parameters().items()
        if not parameter.legacy and not is_awaited(name) and not is_read(name, parameter)
    }
    assert unread == {name for name in UNREAD if not is_awaited(name)}


def test_old_names_are_read_by_the_defaults_of_new_ones() -> None:
    declared = catalogue.all_parameters()
    defaults = " ".join(str(parameter.default) for parameter in declared.values())
    old = [name for name, parameter in declared.items() if parameter.legacy]
    assert old and not [name for name in old if not re.search(rf"\$\{{?{name}\b", defaults) and name not in words()]


def test_names_that_are_put_together() -> None:
    for start, (place, _reason) in COMPOSED.items():
        files = [ROOT / place] if place.endswith(".py") else (ROOT / place).glob("*.py")
        text = "".join(path.read_text() for path in files)
        assert start in text or "parameter(self, service" in text, start


def test_reasons_are_of_parameters() -> None:
    assert not [name for name in UNREAD if name not in catalogue.all_parameters()]
    assert import_module("pyfix.config.parameters.postscreen")
