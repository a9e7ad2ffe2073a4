from __future__ import annotations

from pyfix.protocols.sasl.mechanism import Credentials


def test_a_password_is_not_shown() -> None:
    credentials = Credentials("joe", "s3cr\u00e9t")
    assert "s3cr" not in repr(credentials)
    assert credentials.secret == "s3cr\u00e9t".encode()
    assert credentials.login == b"joe"
