from __future__ import annotations

import pytest

from pyfix.protocols.sasl.properties import MECHANISMS, Demands, UnknownOption


@pytest.mark.parametrize(
    ("options", "admitted"),
    [
        ("", {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}),
        ("noplaintext", {"CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}),
        ("NoActive", {"SCRAM-SHA-1", "SCRAM-SHA-256"}),
        ("mutual_auth", {"DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}),
        ("forward_secrecy", set()),
        ("nodictionary noanonymous", {"XOAUTH2", "OAUTHBEARER"}),
    ],
)
def test_demands(options: str, admitted: set[str]) -> None:
    demands = Demands.of(options.split())
    assert {name for name, properties in MECHANISMS.items() if demands.admit(properties)} == admitted


def test_unknown_option() -> None:
    with pytest.raises(UnknownOption, match="foo"):
        Demands.of(["noplaintext", "foo"])
