from __future__ import annotations

import pytest

from pyfix.protocols.sasl.choice import choose
from pyfix.protocols.sasl.mechanism import Credentials
from pyfix.protocols.sasl.properties import Demands

JOE = Credentials("joe", "pw")


@pytest.mark.parametrize(
    ("offered", "options", "name"),
    [
        ("LOGIN plain", "", "PLAIN"), ("LOGIN", "", "LOGIN"), ("PLAIN CRAM-MD5", "", "CRAM-MD5"), ("PLAIN CRAM-MD5 DIGEST-MD5", "", "DIGEST-MD5"),
        ("SCRAM-SHA-1 DIGEST-MD5 SCRAM-SHA-256", "", "SCRAM-SHA-256"), ("PLAIN LOGIN", "noplaintext", None), ("PLAIN CRAM-MD5", "noplaintext", "CRAM-MD5"),
        ("GSSAPI EXTERNAL", "", None), ("XOAUTH2", "", None), ("CRAM-MD5 DIGEST-MD5", "mutual_auth", "DIGEST-MD5"), ("", "", None),
    ],
)  # fmt: skip
def test_passwords(offered: str, options: str, name: str | None) -> None:
    found = choose(offered.split(), Demands.of(options.split()), JOE)
    assert (found and found.name) == name


@pytest.mark.parametrize(("offered", "name"), [("PLAIN XOAUTH2", "XOAUTH2"), ("XOAUTH2 OAUTHBEARER", "OAUTHBEARER"), ("PLAIN LOGIN", None)])
def test_tokens_are_never_passwords(offered: str, name: str | None) -> None:
    found = choose(offered.split(), Demands(), JOE, is_token=True)
    assert (found and found.name) == name


def test_nonces_differ() -> None:
    first, second = (choose(["SCRAM-SHA-256"], Demands(), JOE) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.initial() != second.initial()
