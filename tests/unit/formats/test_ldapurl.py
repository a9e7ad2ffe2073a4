from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.ldapurl import LdapUrl, LdapUrlError, is_ldap_url, parse_ldap_url


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("ldap://", LdapUrl("ldap", "", (), 0, "")),
        ("ldap:///dc=x%2Cy?mail,cn?SUB?(cn=%61)", LdapUrl("ldap", "dc=x,y", ("mail", "cn"), 2, "(cn=a)")),
        ("LDAPS://host:636/o=x??one", LdapUrl("ldaps", "o=x", (), 1, "")),
        ("ldapi://%2Fsome%2Fpath/o=x????x-key=1", LdapUrl("ldapi", "o=x", (), 0, "")),
        ("<URL:ldap://[::1]:389/>", LdapUrl("ldap", "", (), 0, "")),
        ("ldap://host?x?y?z", LdapUrl("ldap", "", (), 0, "")),
        ("ldap:///??children", LdapUrl("ldap", "", (), 3, "")),
    ],
)
def test_urls(text: str, parsed: LdapUrl) -> None:
    assert is_ldap_url(text)
    assert parse_ldap_url(text) == parsed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("http://x", 3), ("cn=a", 3), ("<ldap://x", 4), ("ldap://x:y", 5), ("ldap://[::1", 5), ("ldap://[::1]:x", 5), ("ldap:///x??nosuch", 8),
        ("ldap:///x??? ", 9), ("ldap:///x????", 10), ("ldap:///x?????", 5),
    ],
)  # fmt: skip
def test_what_is_wrong(text: str, code: int) -> None:
    with pytest.raises(LdapUrlError) as caught:
        parse_ldap_url(text)
    assert caught.value.code == code


@given(st.text())
def test_any_text(text: str) -> None:
    for url in (text, "ldap://" + text, "ldap:///" + text):
        try:
            parse_ldap_url(url)
        except LdapUrlError:
            pass
