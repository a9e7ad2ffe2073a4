from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.sasl.mechanism import BadChallenge, Credentials
from pyfix.protocols.sasl.scram import ScramSha1, ScramSha256

USER = Credentials("user", "pencil")


def test_sha1() -> None:  # RFC 5802 section 5
    client = ScramSha1(USER, b"fyko+d2lbbFgONRv9qkxdawL")
    assert client.initial() == b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    response = client.respond(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")
    assert response == b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    assert client.respond(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") == b""
    with pytest.raises(BadChallenge):
        client.respond(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")


def test_sha256() -> None:  # RFC 7677 section 3
    client = ScramSha256(USER, b"rOprNGfwEbeRWgbNEkqO")
    response = client.respond(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    assert response.endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    assert client.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""


def test_names_are_escaped() -> None:
    assert ScramSha1(Credentials("a,b=c", "x"), b"n").initial() == b"n,,n=a=2Cb=3Dc,r=n"


@pytest.mark.parametrize(
    "challenge",
    [b"", b"r=other,s=QQ==,i=1", b"r=n,s=QQ==,i=1", b"r=nx,s=,i=1", b"r=nx,s=QQ==,i=0", b"r=nx,s=QQ==,i=9999999", b"r=nx,s=QQ==,i=x", b"r=nx,s=!!,i=1",
     b"m=1,r=nx,s=QQ==,i=1", b"r=nx,s=QQ=="],
)  # fmt: skip
def test_challenges_that_are_none(challenge: bytes) -> None:
    with pytest.raises(BadChallenge):
        ScramSha1(USER, b"n").respond(challenge)


def test_a_server_that_does_not_know_the_password() -> None:
    client = ScramSha1(USER, b"n")
    client.respond(b"r=nx,s=QQ==,i=1")
    with pytest.raises(BadChallenge):
        client.respond(b"v=AAAA")


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([b"r=nx", b"s=QQ==", b"i=1", b"v="])), max_size=4).map(b",".join))
def test_any_challenge(challenge: bytes) -> None:
    client = ScramSha256(USER, b"n")
    try:
        client.respond(challenge)
    except BadChallenge:
        return
    with pytest.raises(BadChallenge):
        client.respond(challenge)
