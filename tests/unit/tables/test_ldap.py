from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.tables.ldap import Attributes, Expansion, LdapTable, is_subtype, quote_filter, quote_name
from pyfix.tables.ldap_server import LdapFailed
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError
from tests.kit.openldap import need_library

from .conftest import Notices

KINDS = Attributes("terminal", "leaf", "plain, more", "name url")


def table(tmp_path: Path, text: str) -> LdapTable:
    need_library()
    names = "terminal_result_attribute = terminal\nleaf_result_attribute = leaf\nresult_attribute = plain\nspecial_result_attribute = name\n"
    (tmp_path / "t.cf").write_text(f"server_host = ldap://127.0.0.1:1\nsearch_base = x\n{names}{text}")
    opened = open_table(f"ldap:{tmp_path}/t.cf", share=False)
    assert isinstance(opened, LdapTable)
    return opened


def test_without_the_library(tmp_path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ldap", None)
    with pytest.raises(TableError, match=r"^unsupported dictionary type: ldap$"):
        open_table(f"ldap:{tmp_path}/t.cf")
    assert "pip install 'pyfix[ldap]'" in notices[0]


def test_a_server_that_is_down(tmp_path: Path, notices: Notices) -> None:
    opened = table(tmp_path, "")
    assert not opened.local
    with pytest.raises(TableError, match="query error"):
        opened.find_now("a")
    assert "Unable to bind to server ldap://127.0.0.1:1" in notices[0]


def test_settings(tmp_path: Path, notices: Notices) -> None:
    assert table(tmp_path, "").depth == 1000
    assert table(tmp_path, "expansion_limit = 5\n").size == 5
    assert table(tmp_path, "expansion_limit = 5\nsize_limit = 7\n").size == 7
    with pytest.raises(TableError, match="invalid recursion_limit parameter value 0 < 1"):
        table(tmp_path, "recursion_limit = 0\n")
    assert notices == []
    table(tmp_path, "scope = x\nquery_filter = cn=a\ncache = yes\ncache_size = 3\n")
    assert len(notices) == 4


def test_kinds_of_attributes() -> None:
    assert KINDS.names == ["terminal", "leaf", "plain", "more", "name", "url"]
    assert [KINDS.kind(name) for name in ("TERMINAL", "leaf;lang-de", "more", "url", "leaf2", "x")] == ["terminal", "leaf", "ordinary", "special", None, None]
    assert is_subtype("a;b;c", "a;b") and not is_subtype("a", "a;b") and not is_subtype("ab", "a")


def test_what_a_url_selects() -> None:
    options = Attributes("", "", "mail;lang-de cn", "")
    assert options.selected(()) == ["mail;lang-de", "cn"]
    assert options.selected(("MAIL", "sn")) == ["mail;lang-de"]
    assert options.selected(("cn;x", "mail;lang-de", "mail;lang-en")) == ["cn;x", "mail;lang-de"]


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"])))
def test_quotes(text: str) -> None:
    """Nothing that means something in a filter or a name is left, and all of it can be read back."""
    in_filter, in_name = quote_filter(text), quote_name(text)
    assert not set(in_filter) & set("()*\0") and not set(in_name) & set(',+"<>;#=\0 ')
    for quoted in (in_filter, in_name):
        before, *rest = quoted.split("\\")
        assert before + "".join(chr(int(piece[:2], 16)) + piece[2:] for piece in rest) == text


class Directory:
    """Stands for a Connection: names and what they have."""

    def __init__(self, entries: dict[str, dict[str, list[bytes]]]) -> None:
        self.entries = entries
        self.asked: list[tuple[str, int, str, list[str]]] = []

    def search(self, base: str, scope: int, words: str, attributes: list[str], limit: int) -> list[tuple[str, dict[str, list[bytes]]]]:
        self.asked.append((base, scope, words, attributes))
        if base not in self.entries:
            raise LdapFailed(*((32, "No such object") if base.startswith("cn=") else (34, "Invalid DN syntax")))
        return [(base, self.entries[base])]


def expanded(opened: LdapTable, entries: dict[str, dict[str, list[bytes]]], start: str) -> tuple[list[str], bool, Directory]:
    directory = Directory(entries)
    expansion = Expansion(opened, directory, "key")  # type: ignore[arg-type]  # a fake with what it needs
    expansion.add([(None, {}), *directory.search(start, 0, "", [], 0)])  # type: ignore[arg-type]  # a fake with what it needs
    return expansion.results, expansion.failed, directory


GROUP: dict[str, dict[str, list[bytes]]] = {
    "cn=g": {"leaf": [b"g"], "plain": [b"list"], "name": [b"cn=a", b"cn=gone", b"cn=t"], "other": [b"x"]},
    "cn=a": {"Leaf;lang-en": [b"a\0hidden"], "name": []},
    "cn=t": {"terminal": [b"t"], "plain": [b"no"], "name": [b"cn=a"]},
    "cn=u": {"name": [b"ldap://elsewhere/cn=a?leaf,other?sub?(x=y)", b"ldap:///cn=a?other"]},
    "cn=loop": {"name": [b"cn=loop"]},
    "cn=bad": {"name": [b"nonsense", b"cn=a"], "plain": [b"behind"]},
    "cn=badurl": {"name": [b"ldap:///x??y", b"cn=a"]},
}


def test_what_entries_give(tmp_path: Path, notices: Notices) -> None:
    opened = table(tmp_path, "")
    assert expanded(opened, GROUP, "cn=g")[:2] == (["list", "a", "t"], False)
    assert notices.take() == ["warning: dict_ldap_get_values[1]: DN cn=gone not found, skipping "]
    results, failed, directory = expanded(opened, GROUP, "cn=u")
    assert (results, failed) == (["a"], False)
    assert directory.asked[1:] == [("cn=a", 2, "(x=y)", ["leaf"])]


def test_limits(tmp_path: Path, notices: Notices) -> None:
    where = f"{tmp_path}/t.cf"
    assert expanded(table(tmp_path, ""), GROUP, "cn=loop")[1]
    assert notices.take() == [f"warning: dict_ldap_get_values[1000]: {where}: Recursion limit exceeded for special attribute name=cn=loop"]
    assert expanded(table(tmp_path, "expansion_limit = 1\n"), GROUP, "cn=g")[:2] == (["list"], True)
    assert notices.take() == [f"warning: dict_ldap_get_values[2]: {where}: Expansion limit exceeded for key: 'key'"]


@pytest.mark.parametrize(
    ("start", "said"),
    [("cn=bad", "search error 34: Invalid DN syntax "), ("cn=badurl", "malformed URL ldap:///x??y: Strong(er) authentication required(8)")],
)
def test_what_is_wrong_in_entries(tmp_path: Path, notices: Notices, start: str, said: str) -> None:
    assert expanded(table(tmp_path, ""), GROUP, start)[:2] == ([], True)
    assert notices == [f"warning: dict_ldap_get_values[1]: {said}"]
