"""Vectors are postsrsd's own (1.10), with the key ``tops3cret`` on day 20786."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.srs import BadRewrittenAddress, SenderRewritingScheme, is_rewritten

DAY = 20786
OURS = SenderRewritingScheme((b"tops3cret",))
VECTORS = [
    ("alice@a.example", "SRS0=ozWH=JS=a.example=alice"),
    ("Al.Ice+x=y@A.Example", "SRS0=/CbC=JS=A.Example=Al.Ice+x=y"),
    ("SRS0=abcd=ef=h.example=u@other.example", "SRS1=boPL=other.example==abcd=ef=h.example=u"),
    ("SRS1=zzzz=first.example==abcd=ef=h.example=u@other.example", "SRS1=+pD1=first.example==abcd=ef=h.example=u"),
    ("SRS0+abcd=ef=h.example=u@other.example", "SRS1=c7Ha=other.example=+abcd=ef=h.example=u"),
]


@pytest.mark.parametrize(("address", "packed"), VECTORS)
def test_packed_as_postsrsd_does(address: str, packed: str) -> None:
    assert OURS.pack(address, "fwd.example", DAY) == f"{packed}@fwd.example"


@pytest.mark.parametrize(
    ("localpart", "address"),
    [
        ("SRS0=ozWH=JS=a.example=alice", "alice@a.example"),
        ("srs0=OZwh=js=a.example=alice", "alice@a.example"),
        ("SRS1=+pD1=first.example==abcd=ef=h.example=u", "SRS0=abcd=ef=h.example=u@first.example"),
    ],
)
def test_unpacked(localpart: str, address: str) -> None:
    assert OURS.unpack(localpart, DAY) == address


@pytest.mark.parametrize(
    ("localpart", "reason"),
    [
        ("SRS0=ozWI=JS=a.example=alice", "bad signature"),
        ("SRS0=ozWH=JS=a.example=alicia", "bad signature"),
        ("SRS0=ozWH=JT=a.example=alice", "bad signature"),
        ("SRS0=ozW=JS=a.example=alice", "bad signature"),
        ("SRS0==JS=a.example=alice", "bad signature"),
        ("SRS0=ozWH=JS=a.example", "malformed"),
        ("SRS0=", "malformed"),
        ("SRS0=a=b==", "malformed"),
        ("SRS1=+pD2=first.example==abcd=ef=h.example=u", "bad signature"),
        ("SRS1=+pD1=first.example=abcd", "malformed"),
        ("SRS1=+pD1=first.example=", "malformed"),
    ],
)
def test_refused(localpart: str, reason: str) -> None:
    with pytest.raises(BadRewrittenAddress, match=reason):
        OURS.unpack(localpart, DAY)


@pytest.mark.parametrize(("age", "good"), [(0, True), (21, True), (22, False), (-1, False), (1003, False), (1024, True)])
def test_expiry(age: int, good: bool) -> None:
    """A date says no more than the day within 1024."""
    localpart = OURS.pack("a@b.example", "fwd.example", DAY - age).rpartition("@")[0]
    if good:
        assert OURS.unpack(localpart, DAY) == "a@b.example"
    else:
        with pytest.raises(BadRewrittenAddress, match="expired"):
            OURS.unpack(localpart, DAY)


def test_a_date_that_is_none() -> None:
    """Signed by somebody with the key."""
    signed = OURS._sign(b"tops3cret", "1", "b.example", "a")
    with pytest.raises(BadRewrittenAddress, match="malformed"):
        OURS.unpack(f"SRS0={signed}=1=b.example=a", DAY)


def test_older_keys_are_good_for_checking() -> None:
    both = SenderRewritingScheme((b"new", b"tops3cret"))
    assert both.unpack(VECTORS[0][1], DAY) == "alice@a.example"
    assert both.pack("alice@a.example", "fwd.example", DAY) != f"{VECTORS[0][1]}@fwd.example"


def test_a_malformed_one_of_others_is_an_address_like_any() -> None:
    packed = OURS.pack("SRS1=x@other.example", "fwd.example", DAY)
    assert packed.startswith("SRS0=")
    assert OURS.unpack(packed.rpartition("@")[0], DAY) == "SRS1=x@other.example"


@pytest.mark.parametrize(
    ("localpart", "is_one"), [("SRS0=x", True), ("srs1+x", True), ("SRS0-", True), ("SRS0", False), ("SRS2=x", False), ("SRS0x", False), ("", False)]
)
def test_is_rewritten(localpart: str, is_one: bool) -> None:
    assert is_rewritten(localpart) is is_one


@given(st.text(min_size=1), st.from_regex(r"[a-z]{1,9}\.example", fullmatch=True), st.integers(0, 40000), st.sampled_from("=+-"), st.integers(4, 27))
def test_there_and_back(localpart: str, host: str, day: int, separator: str, length: int) -> None:
    scheme = SenderRewritingScheme((b"k",), separator, length)
    packed = scheme.pack(f"{localpart}@{host}", "fwd.example", day)
    unpacked = scheme.unpack(packed.rpartition("@")[0], day)
    assert unpacked == f"{localpart}@{host}" or unpacked.startswith("SRS0") or is_rewritten(localpart)


@given(st.text())
def test_any_text(text: str) -> None:
    for tag in ("SRS0=", "SRS1="):
        with pytest.raises(BadRewrittenAddress):
            OURS.unpack(tag + text, DAY)
