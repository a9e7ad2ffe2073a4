from __future__ import annotations

from pyfix.protocols.internal import rewrite


def test_requests_as_postfix_sends_them() -> None:
    assert rewrite.RewriteRequest("local", "foo").encode() == b"request\0rewrite\0rule\0local\0address\0foo\0\0"
    assert rewrite.ResolveRequest("", "u@v").encode() == b"request\0resolve\0sender\0\0address\0u@v\0\0"
    assert rewrite.VerifyRequest("a@b", "u@v").encode() == b"request\0verify\0sender\0a@b\0address\0u@v\0\0"


def test_replies_as_postfix_sends_them() -> None:
    """The name flags stands twice in the answer to resolve; the position says which is which."""
    data = b"flags\x001\0transport\0virtual\0nexthop\0v.test\0recipient\0u@v.test\0flags\x001024\0\0"
    reply = rewrite.ResolveReply.decode(data)
    assert reply == rewrite.ResolveReply(rewrite.TABLES_CHANGED, "virtual", "v.test", "u@v.test", rewrite.CLASS_VIRTUAL)
    assert reply.encode() == data
    assert rewrite.RewriteReply.decode(b"flags\x000\0address\0foo@ref\0\0") == rewrite.RewriteReply(0, "foo@ref")
