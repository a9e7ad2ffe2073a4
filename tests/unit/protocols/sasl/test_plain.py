from __future__ import annotations

import pytest

from pyfix.protocols.sasl.mechanism import BadChallenge, Credentials
from pyfix.protocols.sasl.plain import BadMessage, Plain, parse_plain


def test_client() -> None:
    client = Plain(Credentials("tim", "tanstaaftanstaaf"))  # RFC 4616 section 4
    assert client.initial() == b"\0tim\0tanstaaftanstaaf"
    with pytest.raises(BadChallenge):
        client.respond(b"")


def test_server() -> None:
    assert parse_plain(b"Ursel\0Kurt\0xipj3plmq") == (b"Ursel", b"Kurt", b"xipj3plmq")


@pytest.mark.parametrize("message", [b"", b"a", b"a\0b", b"a\0b\0c\0d"])
def test_other_messages(message: bytes) -> None:
    with pytest.raises(BadMessage):
        parse_plain(message)
