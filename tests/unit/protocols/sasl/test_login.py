from __future__ import annotations

import pytest

from pyfix.protocols.sasl.login import Login
from pyfix.protocols.sasl.mechanism import BadChallenge, Credentials


def test_client() -> None:
    client = Login(Credentials("joe", "pw"))
    assert client.initial() is None
    assert client.respond(b"Username:") == b"joe"
    assert client.respond(b"anything") == b"pw"
    with pytest.raises(BadChallenge):
        client.respond(b"and now?")
