from __future__ import annotations

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pyfix.tls.names import matched_name, patterns


def certificate(common: str, *names: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    if names:
        entries: list[x509.GeneralName] = []
        for name in names:
            entries.append(x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name))
        builder = builder.add_extension(x509.SubjectAlternativeName(entries), critical=False)
    return builder.sign(key, hashes.SHA256())


def test_patterns() -> None:
    words = ("nexthop", "dot-nexthop", "hostname", "Other.Example")
    assert patterns(words, host="mx.example", destination="example") == ("example", ".example", "mx.example", "other.example")
    assert patterns((".", "nexthop"), host="", destination="") == ()


@pytest.mark.parametrize(
    ("names", "wanted", "matched"),
    [
        (["mx.example"], "MX.Example", "mx.example"),
        (["mx.example"], "mx.example.", "mx.example"),
        (["mx.example"], "example", ""),
        (["mx.example"], ".example", "mx.example"),
        (["example"], ".example", ""),
        (["badexample"], ".example", ""),
        (["*.example"], "a.example", "*.example"),
        (["*.example"], "a.b.example", ""),
        (["*.example"], "example", ""),
        (["*.example"], ".example", ""),
        (["*.a.example"], ".example", "*.a.example"),
        (["a*.example"], "ab.example", ""),
        (["192.0.2.1"], "192.0.2.1", "192.0.2.1"),
        (["192.0.2.2"], "192.0.2.1", ""),
        (["mx.example"], "192.0.2.1", ""),
        ([], "cn.example", "cn.example"),
        (["mx.example"], "cn.example", ""),
    ],
)
def test_matches(names: list[str], wanted: str, matched: str) -> None:
    assert matched_name(certificate("cn.example", *names), [wanted]) == matched
