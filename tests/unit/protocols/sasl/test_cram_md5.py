from __future__ import annotations

import pytest

from pyfix.protocols.sasl.cram_md5 import CramMd5, cram_challenge, cram_digest, parse_cram
from pyfix.protocols.sasl.mechanism import Credentials
from pyfix.protocols.sasl.plain import BadMessage

CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"  # RFC 2195 section 2


def test_client() -> None:
    assert CramMd5(Credentials("tim", "tanstaaftanstaaf")).respond(CHALLENGE) == b"tim b913a602c7eda7a495b4e6e7334d3890"


def test_server() -> None:
    assert cram_challenge(1896, 697170952, "postoffice.reston.mci.net") == CHALLENGE
    assert parse_cram(b"a b 0123") == (b"a b", b"0123")
    assert cram_digest(b"tanstaaftanstaaf", CHALLENGE) == b"b913a602c7eda7a495b4e6e7334d3890"
    with pytest.raises(BadMessage):
        parse_cram(b"tim")
