import asyncio
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.tables.matchlist import MatchList, parent_matches
from pyfix.tables.table import TableError


def test_networks() -> None:
    networks = MatchList(
        "mynetworks", "127.0.0.0/8 [::1]/128, !10.1.2.3, 10.0.0.0/8 [fe80::]/10 192.168.1.1 [2001:db8::7] host.name"
    )
    inside = ["127.0.0.1", "::1", "10.1.2.4", "fe80::1", "192.168.1.1", "2001:db8::7", "2001:DB8:0::7"]
    outside = ["10.1.2.3", "192.168.1.2", "::2", "unknown", "", "2001:db8::8"]
    for _ in range(2):  # the second time from memory
        assert [address for address in inside + outside if networks.matches_address(address)] == inside
    assert networks.matches_client("host.name", "1.2.3.4")
    assert networks.matches_client("other", "::1")
    assert not networks.matches_client("other", "1.2.3.4")


def test_domains_and_their_parents() -> None:
    names = ["foo.com", "a.foo.com", "bar.com", "x.bar.com", "Y.X.BAR.com", "xbar.com", "com", ""]
    plain = MatchList("mydestination", "Foo.com .bar.com", match_parents=False)
    assert [n for n in names if plain.matches_domain(n)] == ["foo.com", "x.bar.com", "Y.X.BAR.com"]
    parents = MatchList("relay_domains", "foo.com .bar.com", match_parents=True)
    assert [n for n in names if parents.matches_domain(n)] == ["foo.com", "a.foo.com"]
    assert plain.matches_host is not None and plain.matches_host("foo.com")


def test_style_is_a_parameter(parameters: type) -> None:
    snapshot = parameters(parent_domain_matches_subdomains="debug_peer_list, relay_domains")
    assert parent_matches("relay_domains", snapshot)
    assert not parent_matches("mydestination", snapshot)
    assert not parent_matches("relay_domains", None)
    assert MatchList("relay_domains", "a.b", snapshot).matches_domain("x.a.b")
    assert not MatchList("mydestination", "a.b", snapshot).matches_domain("x.a.b")


def test_first_pattern_decides() -> None:
    assert not MatchList("x", "!a.b .b", match_parents=False).matches_domain("a.b")
    assert MatchList("x", ".b !a.b", match_parents=False).matches_domain("a.b")
    assert MatchList("x", "!!a").matches_domain("a")
    assert not MatchList("x", "").matches_domain("a")
    assert not MatchList("x", "")


def test_strings() -> None:
    users = MatchList("authorized_submit_users", "!Root, static:any")
    assert not users.matches_string("root")
    assert users.matches_string("somebody")
    assert MatchList("x", "Aa bb").matches_string("AA")
    assert not MatchList("x", ".b").matches_string("a.b")


def test_tables() -> None:
    table = MatchList("x", "inline:{foo.com=x, .bar.com=x, 10.1.2.3=x, baz.com=x}", match_parents=False)
    names = ["foo.com", "a.foo.com", "bar.com", "x.bar.com", "a.x.bar.com", "c.baz.com"]
    assert [n for n in names if table.matches_domain(n)] == ["foo.com", "x.bar.com", "a.x.bar.com"]
    assert table.matches_address("10.1.2.3") and not table.matches_address("10.1.2.4")
    parents = MatchList("x", "inline:{baz.com=x}", match_parents=True)
    assert parents.matches_domain("d.c.baz.com") and not parents.matches_domain("xbaz.com")
    # Pattern tables get whole names only.
    patterns = MatchList("x", "regexp:{{/^baz.com$/ x}}", match_parents=True)
    assert patterns.matches_domain("baz.com") and not patterns.matches_domain("c.baz.com")
    assert not MatchList("x", "!inline:{a=x} a").matches_domain("a")
    assert MatchList("x", "cidr:{{10.0.0.0/8 x}}").matches_address("10.2.3.4")


def test_files(tmp_path: Path) -> None:
    (tmp_path / "names").write_text(f"# comment\nfoo.com\n bar.com\n!{tmp_path}/more\n10.0.0.0/8, baz\n")
    (tmp_path / "more").write_text("not.me\n")
    listed = MatchList("x", f"{tmp_path}/names not.me")
    assert all(listed.matches_domain(name) for name in ("foo.com", "bar.com", "baz"))
    assert not listed.matches_domain("not.me")
    assert listed.matches_address("10.0.0.1")
    assert not MatchList("x", f"!{tmp_path}/names foo.com").matches_domain("foo.com")


def test_a_missing_file_matters_only_when_it_is_reached(notices: list[str]) -> None:
    listed = MatchList("mydestination", "a /nonexistent b")
    MatchList("mynetworks", "/nonexistent")
    reason = "open file /nonexistent: No such file or directory"
    assert notices == [f"error: {reason}"]
    notices.clear()
    assert listed.matches_domain("a")
    for name in ("b", "c"):
        with pytest.raises(TableError):
            listed.matches_domain(name)
    assert (
        notices
        == [
            f"warning: non-existent:/nonexistent is unavailable. {reason}",
            "warning: mydestination: non-existent:/nonexistent: table lookup problem",
        ]
        * 2
    )


def test_strict_lists() -> None:
    for pattern, text in (("/nonexistent", "open file"), ("foo:x", "unsupported dictionary type: foo")):
        with pytest.raises(TableError, match=text):
            MatchList("x", f"a {pattern}", strict=True)


def test_files_that_include_each_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"x {tmp_path}/a\n")
    listed = MatchList("x", f"{tmp_path}/a")
    assert listed.matches_domain("x")
    with pytest.raises(TableError, match="unavailable"):
        listed.matches_domain("y")


@pytest.mark.parametrize("pattern", ["1.2.3.1/24", "[1.2.3.0/24", "1.2.3.4/99", "[]/8", "[1.2.3.0/24]/24"])
def test_bad_networks(pattern: str, notices: list[str]) -> None:
    """They count only for addresses, and only when nothing before them matched."""
    networks = MatchList("mynetworks", f"9.9.9.9 {pattern} 8.8.8.8")
    assert networks.matches_address("9.9.9.9")
    assert networks.matches_domain("8.8.8.8")
    assert not networks.matches_domain("a.b")
    with pytest.raises(TableError):
        networks.matches_address("8.8.8.8")
    assert notices[0].startswith("warning: mynetworks: ")


@pytest.mark.parametrize("pattern", ["[8.8.8.8]", "[8.0.0.0/8]", "[8.0.0.0]/8"])
def test_brackets(pattern: str) -> None:
    networks = MatchList("mynetworks", pattern)
    assert networks.matches_address("8.8.8.8") and not networks.matches_address("9.8.8.8")


@pytest.mark.parametrize("pattern", ["[8.8.8.8", "[8.8.8.8]x", "[]", "[8.8.8.x]", "[8]", "[foo]", "[8.0.0.0/x]", "[8.0.0.0/8]x", "[:/8]"])
def test_what_only_looks_like_an_address(pattern: str) -> None:
    networks = MatchList("mynetworks", pattern)
    assert not networks.matches_address("8.8.8.8") and networks.matches_domain(pattern)


def test_a_bad_ipv6_network_matters_to_ipv6_clients(notices: list[str]) -> None:
    networks = MatchList("mynetworks", "[::1/8]")
    assert not networks.matches_address("8.8.8.8")
    with pytest.raises(TableError):
        networks.matches_address("::1")
    assert "non-null host address bits" in notices[0]


def test_failing_tables(notices: list[str]) -> None:
    listed = MatchList("x", "fail:y")
    for ask in (listed.matches_domain, listed.matches_address, listed.matches_string):
        with pytest.raises(TableError):
            ask("1.2.3.4")
    for wait in (listed._decide("a", None, True), listed._decide(None, "1.2.3.4", False)):
        with pytest.raises(TableError):
            asyncio.run(wait)
    assert notices == ["warning: x: fail:y: table lookup problem"] * 5


def test_asking_with_await() -> None:
    for patterns in ("a.b 10.0.0.0/8", "inline:{a.b=x} cidr:{{10.0.0.0/8 x}}"):
        listed = MatchList("x", patterns)
        assert listed.local
        for local in (True, False):
            listed.local = local  # type: ignore[misc]  # Final for all but this test
            assert asyncio.run(listed.ask_domain("A.b"))
            assert asyncio.run(listed.ask_host("a.b"))
            assert asyncio.run(listed.ask_string("a.b"))
            assert asyncio.run(listed.ask_address("10.2.3.4"))
            assert asyncio.run(listed.ask_client("x", "10.2.3.4"))
            assert not asyncio.run(listed.ask_client("x", "11.2.3.4"))
    assert not MatchList("x", "proxy:static:x").local


def test_memory_of_answers_is_bounded() -> None:
    networks = MatchList("x", "10.0.0.0/8")
    for number in range(2500):
        assert networks.matches_address(f"10.0.{number // 256}.{number % 256}")
    assert networks._cache is not None and len(networks._cache) <= 1000


def test_a_lone_exclamation_mark() -> None:
    for patterns in ("! a", "a !"):
        with pytest.raises(ConfigError, match="x: no pattern after '!'"):
            MatchList("x", patterns)
