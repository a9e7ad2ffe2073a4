from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats import address


@pytest.mark.parametrize(
    "internal, external",
    [
        ("user@example.com", "user@example.com"),
        ("", ""),
        ("two words@example.com", '"two words"@example.com'),
        ('a"b\\c@d', '"a\\"b\\\\c"@d'),
        ("a@b@c", '"a@b"@c'),
        (".a@c", '".a"@c'),
        ("a.@c", '"a."@c'),
        ("a..b@c", '"a..b"@c'),
        ("@c", '""@c'),
        ("(x)@c", '"(x)"@c'),
        ("a\x01b@c", '"a\x01b"@c'),
        ("\u00e9@c", "\u00e9@c"),
        ("user", "user"),
        ("a b", '"a b"'),
        ("user@[192.0.2.1]", "user@[192.0.2.1]"),
        ("@a,@b:c d@e", '@a,@b:"c d"@e'),
        ("a%b!c@d", "a%b!c@d"),
    ],
)
def test_quoting(internal: str, external: str) -> None:
    assert address.internal_to_external(internal) == external


@pytest.mark.parametrize(
    "external, internal",
    [
        ('"two words"@example.com', "two words@example.com"),
        ('"a\\"b\\\\c"@d', 'a"b\\c@d'),
        ('"a@b"@c', "a@b@c"),
        ("a\\@b@c", "a@b@c"),
        ('a."b c"@d', "a.b c@d"),
        ("plain@d", "plain@d"),
        ("a\\", "a"),
        ('"open', "open"),
    ],
)
def test_unquoting(external: str, internal: str) -> None:
    assert address.external_to_internal(external) == internal


@given(
    st.text(alphabet='ab.@"\\ ()<>é\x01,%', max_size=12), st.from_regex(r"[a-z]{1,5}(\.[a-z]{1,5})?", fullmatch=True)
)
def test_unquoting_undoes_quoting(localpart: str, domain: str) -> None:
    internal = f"{localpart}@{domain}"
    if localpart.startswith("@") and ":" in localpart:
        return  # a source route is not quoted
    assert address.external_to_internal(address.internal_to_external(internal)) == internal


@pytest.mark.parametrize(
    "text, standard",
    [
        ("user@example.com", True),
        ("u.s+e-r_1@a.b.c", True),
        ("user@host", False),
        ("user", False),
        ("a%b@example.com", False),
        ("a!b@example.com", False),
        ('"a"@example.com', False),
        ("user@example.com.", False),
        ("user@.example.com", False),
        ("us..er@example.com", False),
        ("user@example.com\n", False),
        ("user@[192.0.2.1]", False),
        ("", False),
    ],
)
def test_standard_form(text: str, standard: bool) -> None:
    assert address.is_standard(text) is standard


def test_split() -> None:
    assert address.split_address("a@b@c") == ("a@b", "c")
    assert address.split_address("a") == ("a", "")
    assert address.unquote_localpart('"a b"') == "a b"
    assert address.quote_localpart("a b") == '"a b"'
