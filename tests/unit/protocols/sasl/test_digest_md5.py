from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.sasl.digest_md5 import (
    DigestMd5,
    ServerDialogue,
    digest_challenge,
    parse_directives,
    proof,
    secret_digest,
)
from pyfix.protocols.sasl.mechanism import BadChallenge, Credentials
from pyfix.protocols.sasl.plain import BadMessage

# RFC 2831 section 4
SECRET = secret_digest(b"chris", b"elwood.innosoft.com", b"secret")
CLIENT_NONCE, NONCE = b"OA6MHXh6VqTrRk", b"OA6MG9tEQGm2hh"


def test_the_example_of_the_rfc() -> None:
    uri = b"imap/elwood.innosoft.com"
    assert proof(SECRET, NONCE, CLIENT_NONCE, uri) == b"d388dad90d4bbd760a152321f2143af7"
    assert proof(SECRET, NONCE, CLIENT_NONCE, uri, server=True) == b"ea40f60335c427b5527b84dbabcdfffd"


@pytest.mark.parametrize("login", ["joe", "joe@ours.example", 'j"o\\e'])
def test_both_sides(login: str) -> None:
    client = DigestMd5(Credentials(login, "pw", host="mail.ours.example"), b"once")
    response = client.respond(digest_challenge(b"never", "ours.example"))
    server = ServerDialogue(response, b"never")
    assert server.login == (b"joe" if login == "joe@ours.example" else login.encode())
    assert server.answer(b"wrong") is None
    answer = server.answer(b"pw")
    assert answer is not None
    assert client.respond(answer) == b""


def test_a_server_that_does_not_know_the_password() -> None:
    client = DigestMd5(Credentials("joe", "pw"), b"once")
    client.respond(digest_challenge(b"never", "r"))
    with pytest.raises(BadChallenge):
        client.respond(b"rspauth=00000000000000000000000000000000")


@pytest.mark.parametrize("challenge", [b"", b"nonce=x", b'nonce="x",algorithm=md5', b'nonce="x",algorithm=md5-sess,qop="auth-conf"', b'"', b"x" * 5000])
def test_challenges_that_are_none(challenge: bytes) -> None:
    with pytest.raises(BadChallenge):
        DigestMd5(Credentials("joe", "pw"), b"once").respond(challenge)


def test_directives() -> None:
    assert parse_directives(b'a=1, b="x\\"y, z" ,,c=') == {b"a": b"1", b"b": b'x"y, z', b"c": b""}
    with pytest.raises(ValueError, match="directives"):
        parse_directives(b"a")


@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from([b"nonce=n", b'username="joe"', b"cnonce=c", b"response=r", b"nc=00000001", b"qop=auth", b'"', b"=", b"\\"])).map(b",".join)))
def test_any_response(data: bytes) -> None:
    """Nothing but a proof gets an answer."""
    try:
        assert ServerDialogue(data, b"n").answer(b"pw") is None
    except BadMessage:
        pass
    try:
        DigestMd5(Credentials("joe", "pw"), b"once").respond(data)
    except BadChallenge:
        pass
