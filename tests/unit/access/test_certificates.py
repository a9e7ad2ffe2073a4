from __future__ import annotations

from typing import Any

import pytest

from pyfix.access import certificates
from pyfix.access.client_context import rewrites_locally
from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.stage import CLIENT, RECIPIENT
from pyfix.access.transaction import LookupFailed, Transaction
from pyfix.access.verdict import DUNNO, PERMIT, Reject
from pyfix.tls.facts import PeerCertificate, TlsFacts
from tests.unit.rewriting.resolving.conftest import now

from .fakes import transaction

CHECK = Check("x", certificates.permit_tls_clientcerts)
CERTIFICATE = PeerCertificate("c.example", "Authority", "/CN=c.example", "/CN=Authority", "AA:BB", "CC:DD")


def facts(*, trusted: bool = False, certificate: PeerCertificate | None = CERTIFICATE) -> TlsFacts:
    return TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, 256, certificate=certificate, trusted=trusted)


def with_tls(monkeypatch: Any, tls: TlsFacts | None, lines: list[str] | None = None, **main: str) -> Transaction:
    found = transaction(monkeypatch, lines, sender="s@x", recipient="user@ours.example", **main)
    found.tls = tls
    return found


def test_plain_text(monkeypatch: Any) -> None:
    verdict = certificates.reject_plaintext_session(with_tls(monkeypatch, None), RECIPIENT, CHECK)
    assert isinstance(verdict, Reject) and verdict.reply == "450 4.7.1 Session encryption is required"
    hard = certificates.reject_plaintext_session(with_tls(monkeypatch, None, plaintext_reject_code="550"), RECIPIENT, CHECK)
    assert isinstance(hard, Reject) and hard.reply == "550 5.7.1 Session encryption is required"
    assert certificates.reject_plaintext_session(with_tls(monkeypatch, facts()), RECIPIENT, CHECK) is DUNNO


def test_trusted(monkeypatch: Any) -> None:
    for tls, verdict in ((None, DUNNO), (facts(), DUNNO), (facts(trusted=True), PERMIT)):
        assert now(certificates.permit_tls_all_clientcerts(with_tls(monkeypatch, tls), CLIENT, CHECK)) is verdict
    listed = with_tls(monkeypatch, facts(), relay_clientcerts="inline:{AA:BB=x}")
    assert now(certificates.permit_tls_all_clientcerts(listed, CLIENT, CHECK)) is PERMIT


@pytest.mark.parametrize(
    ("table", "tls", "permitted"),
    [
        ("inline:{AA:BB=x}", facts(), True),
        ("inline:{CC:DD=x}", facts(), True),
        ("inline:{EE:FF=x}", facts(trusted=True), False),
        ("inline:{AA:BB=x}", facts(certificate=None), False),
        ("inline:{AA:BB=x}", None, False),
    ],
)
def test_listed(monkeypatch: Any, table: str, tls: TlsFacts | None, permitted: bool) -> None:
    found = with_tls(monkeypatch, tls, relay_clientcerts=table, local_header_rewrite_clients="permit_tls_clientcerts")
    assert now(certificates.permit_tls_clientcerts(found, CLIENT, CHECK)) is (PERMIT if permitted else DUNNO)
    assert now(rewrites_locally(found)) is permitted


def test_a_list_that_cannot_be_asked(monkeypatch: Any) -> None:
    with pytest.raises(LookupFailed):
        now(certificates.permit_tls_clientcerts(with_tls(monkeypatch, facts(), relay_clientcerts="fail:x"), CLIENT, CHECK))


def asked(monkeypatch: Any, argument: str, tls: TlsFacts | None = None, lines: list[str] | None = None) -> Any:
    found = with_tls(monkeypatch, tls or facts(), lines)
    check = Check("check_ccert_access", certificates.check_ccert_access, argument)
    certificates.open_certificate_table(found.policy, check)
    return now(certificates.check_ccert_access(found, CLIENT, check))


def test_access(monkeypatch: Any) -> None:
    by_key = asked(monkeypatch, "inline:{{CC:DD = REJECT no}}")
    assert by_key.reply == "554 5.7.1 <c.example>: Client certificate rejected: no"
    both = "inline:{{AA:BB = OK}, {CC:DD = REJECT no}}"
    assert asked(monkeypatch, both) is PERMIT
    assert isinstance(asked(monkeypatch, "{ " + both + ", { search_order = pubkey_fingerprint } }"), Reject)
    assert asked(monkeypatch, both, facts(certificate=None)) is DUNNO


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("{ inline:{x=y}, { search_order = x } }", "unknown search type 'x' in"),
        ("{ inline:{x=y}, { order = cert_fingerprint } }", "unknown map attribute in"),
        ("{ inline:{x=y}, search_order }", "malformed map attribute in"),
        ("{ }", "empty map definition in"),
        ("nonsense", ""),
    ],
)
def test_bad_arguments(monkeypatch: Any, argument: str, complaint: str) -> None:
    lines: list[str] = []
    assert asked(monkeypatch, argument, lines=lines) is MISCONFIGURED
    assert any(complaint in line for line in lines[:1]) and lines[-1].startswith("warning: See earlier parsing error messages for '")
