from __future__ import annotations

import pytest

from pyfix.protocols.sasl.bearer import OAuthBearer, XOAuth2
from pyfix.protocols.sasl.mechanism import BadChallenge, Credentials

USER = Credentials("user@example.com", "vF9dft4qmT", host="server.example.com", port=587)


def test_xoauth2() -> None:
    client = XOAuth2(USER)
    assert client.initial() == b"user=user@example.com\1auth=Bearer vF9dft4qmT\1\1"
    assert client.respond(b'{"status":"401"}') == b""
    with pytest.raises(BadChallenge):
        client.respond(b"")


def test_oauthbearer() -> None:  # as in RFC 7628 section 4.1
    client = OAuthBearer(USER)
    assert client.initial() == b"n,a=user@example.com,\1host=server.example.com\1port=587\1auth=Bearer vF9dft4qmT\1\1"
    assert client.respond(b'{"status":"invalid_token"}') == b"\1"
    with pytest.raises(BadChallenge):
        client.respond(b"")
