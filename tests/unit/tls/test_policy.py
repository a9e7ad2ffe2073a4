from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.tls.policy import LEVELS, BadPolicy, ClientPolicy, parse_policy, stronger_site

USUAL = ClientPolicy("may")


def defaults(level: str) -> ClientPolicy:
    return ClientPolicy(level, protocols=(f"for {level}",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", ClientPolicy("none")),
        ("NONE match=x", ClientPolicy("none", ignored=("match=x",))),
        ("encrypt", ClientPolicy("encrypt", protocols=("for encrypt",))),
        ("encrypt protocols=TLSv1.2:TLSv1.3, ciphers=high exclude=RC4", ClientPolicy("encrypt", ("TLSv1.2", "TLSv1.3"), "high", ("RC4",))),
        ("secure match=a:.b match=c", ClientPolicy("secure", ("for secure",), match=("a", ".b", "c"), own_match=True)),
        ("fingerprint match=AA:BB|CC:DD", ClientPolicy("fingerprint", ("for fingerprint",), match=("AA:BB", "CC:DD"), own_match=True)),
        ("may servername=x connection_reuse=no", ClientPolicy("may", ("for may",), server_name="x")),
        ("verify tafile=/a tafile=/b", ClientPolicy("verify", ("for verify",), trust_anchors=("/a", "/b"))),
        ("secure policy_type=sts policy_ttl=5", ClientPolicy("secure", ("for secure",))),
    ],
)
def test_policies(text: str, expected: ClientPolicy) -> None:
    assert parse_policy(text, USUAL, defaults) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "invalid empty policy"),
        ("x", 'invalid security level "x"'),
        ("half-dane", "invalid security level"),
        ("halfdane", "invalid security level"),
        ("encrypt x", "malformed attribute/value pair \"x\": missing '=' after attribute name"),
        ("encrypt x=y", 'invalid attribute name: "x"'),
        ("encrypt match=y", 'attribute "match" invalid at security level "encrypt"'),
        ("secure match=", 'attribute "match" has empty value'),
        ("encrypt tafile=/x", 'attribute "tafile" invalid at security level "encrypt"'),
        ("encrypt ciphers=a ciphers=b", 'attribute "ciphers" is specified multiple times'),
        ("encrypt enable_rpk=x", 'attribute "enable_rpk" has bad value: "x"'),
        ("encrypt policy_ttl=5", "built-in policy has unexpected attribute policy_ttl"),
    ],
)
def test_bad_policies(text: str, complaint: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        parse_policy(text, USUAL, defaults)
    assert str(caught.value).startswith(complaint)


@given(st.text(max_size=60))
def test_anything(text: str) -> None:
    try:
        assert parse_policy(text, USUAL, defaults).level in LEVELS
    except BadPolicy:
        pass


def test_sites() -> None:
    def bad(place: int, value: str) -> BadPolicy:
        return BadPolicy(f"{place} {value}")

    assert stronger_site((None, None), "encrypt", bad) == "encrypt"
    assert stronger_site(("NONE", "MAY"), "may", bad) == "none"
    assert stronger_site(("MUST", "NONE"), "may", bad) == "verify"
    assert stronger_site((None, "must_nopeermatch"), "none", bad) == "encrypt"
    with pytest.raises(BadPolicy, match="1 x"):
        stronger_site(("MAY", "x"), "may", bad)


def test_what_levels_mean() -> None:
    assert [level for level in LEVELS if not ClientPolicy(level).required] == ["none", "may"]
    assert [level for level in LEVELS if not ClientPolicy(level).matches] == ["none", "may", "encrypt"]
