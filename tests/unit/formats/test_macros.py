"""The macro language, with results and texts as the reference's ``postconf -x`` gives them."""

from __future__ import annotations

import pytest

from pyfix.formats.macros import MacroError, compare_levels, expand, level, referenced_names

VALUES = {"b": "1", "empty": "", "two": "a b"}


def look_up(name: str, test: bool) -> str | None:
    return VALUES.get(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$b.$(b)|${b}|$b-c|$b_c|", "1.1|1|1-c||"),
        ("$$b costs $$1", "$b costs $1"),
        ("${b?yes}|${b?{yes}:{no}}|${b:no}", "yes|yes|"),
        ("${c:no}|${c:{no}}|${c?yes:no}|", "no|no||"),
        ("${empty?yes}|${empty:no}|${ empty }|${empty ? {yes} : {no} }|", "|no||no|"),
        ("${b?yes:no}", "yes:no"),
        ("${b?{yes}:no}|${b?$b$b}|${c:{$b}}", "yes|11|1"),
        ("${b?  x y  }|${b ?{ x y  }}|${b?x{y}z}|${b?${b?{q}}}", "  x y  | x y  |x{y}z|q"),
        ("${b?{}}${b?}${b:}", ""),
        ("${b?{a}:}|${b?{a}:  {c} }|${c?{x}: q }|", "a|a| q |"),
        ("$(b?(x))$(b?{y})", "(x)y"),
        ("${b}}x", "1}x"),
        ("x${ }", "x"),
        ("${:x}", "x"),
        ("${{x} == {x}}|${{x} == {y}}", "true|"),
        ("${{x}=={y}?{1}:{2}}|${{x}!={y}?{1}:{2}}", "2|1"),
        ("${{x} == {x} ? 1 : 2}|${{x} == {y} : 1 }|", " 1 : 2| 1 |"),
        ("${{$b} == {1} ? {x$b} : {y}}|${{$two} == {a b}?{y}:{n}}|${{$c} == {}?{y}}", "x1|y|y"),
        ("${{10}>{9}?{y}:{n}}${{a10}>{a9}?{y}:{n}}${{10 } < {9}?{y}:{n}}", "yny"),
        ("${{01} == {1}?{y}:{n}}${{-1} < {1}?{y}:{n}}${{B} < {a}?{y}:{n}}${{} < {9}?{y}:{n}}", "yyyy"),
        ("${{1} <= {1}?{y}:{n}}${{1} >= {2}?{y}:{n}}", "yn"),
        ("${{ x } == {x} ? {e}:{n}}", "n"),
        ("${{3.10} >level {3.9}?{y}:{n}}${{1} ==level {1.0}?{y}:{n}}${{1} !=level {3}?{y}:{n}}", "yyy"),
        ("${{1} <=level {3}?{y}:{n}}${{1} >=level {3}?{y}:{n}}${{1} <level{2}?{y}}", "yny"),
        ("${ {1} == {1}?{y}:{n}}", "y"),
        ("${domain_to_ascii{bücher.de}} ${domain_to_utf8{xn--bcher-kva.de}}", "xn--bcher-kva.de bücher.de"),
        ("${domain_to_ascii { $two.Example } }", "a b.Example"),
        ("${domain_to_ascii}", ""),
    ],
)
def test_expand(text: str, expected: str) -> None:
    assert expand(text, look_up) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("$", 'empty macro name: "$"'),
        ("x$ y", 'empty macro name: "x$ y"'),
        ("z${}|$()|$b", 'empty macro name: "z${}|$()|$b"'),
        ("z$-b", 'empty macro name: "z$-b"'),
        ("x${b", 'truncated macro reference: "x${b"'),
        ("$(b}", 'truncated macro reference: "$(b}"'),
        ("${{1 == {1}?{y}:{n}}", 'truncated macro reference: "${{1 == {1}?{y}:{n}}"'),
        ("${b+c}", 'attribute name syntax error at: "...b>>>+c"'),
        ("${b  +c}", 'attribute name syntax error at: "...b>>>  +c"'),
        ("$(-b)", 'attribute name syntax error at: "...>>>-b"'),
        ("${b?{yes}x}", '":" expected at: "...yes}>>>x"'),
        ("${b?{yes}:{no} x}", 'unexpected input at: "...no}>>>x"'),
        ("${b:{no}:{x}}", 'unexpected input at: "...no}>>>:{x}"'),
        ("$(b?{x)})|", 'unbalanced {} in attribute expression: "{x"'),
        (
            "${{x} === {y} ? {1} : {2}}",
            '"==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...x}>>>=== {y} ? {1} : {2}"',
        ),
        ("${{}}", '"==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...}>>>"'),
        ("${{x} <levels {3}?{y}}", 'bad operator suffix at: "...<>>>levels"'),
        ("${{x}==1}", 'bad operator suffix at: "...==>>>1"'),
        ("${{1} <  2}", '"{expression}" expected at: "...{1} <>>>  2"'),
        ("${{1}<=level   2}", '"{expression}" expected at: "...{1} <=>>>   2"'),
        ("${{1}=={1}x}", '"?" or ":" expected at: "...}>>>x"'),
        ("${{x} <level {3}}", 'malformed compatibility level syntax: "x"'),
        ("${foo{a}}", 'unknown function "foo" at"...>>>foo{a}"'),
        ("${domain_to_ascii{a}z}", 'unexpected input at: "...a}>>>z"'),
        ("${domain_to_ascii{}}", "bad domain argument in: 'domain_to_ascii{}'"),
    ],
)
def test_malformed(text: str, complaint: str) -> None:
    with pytest.raises(MacroError) as raised:
        expand(text, look_up)
    assert str(raised.value) == complaint
    assert not raised.value.fatal


def test_number_too_large_is_fatal() -> None:
    with pytest.raises(MacroError, match="mac_exp_eval: bad conversion: 99999999999999999999") as raised:
        expand("${{99999999999999999999} < {1} ? {a}}", look_up)
    assert raised.value.fatal


def test_what_stands_before_a_fault_is_looked_up() -> None:
    seen: list[str] = []

    def note(name: str, test: bool) -> str | None:
        seen.append(name)
        return None

    with pytest.raises(MacroError):
        expand("$a ${b?{c}d} $e", note)
    assert seen == ["a", "b"]


def test_test_mode_is_told_apart() -> None:
    modes: list[tuple[str, bool]] = []

    def note(name: str, test: bool) -> str | None:
        modes.append((name, test))
        return "x"

    expand("$a ${b?$c} ${{$d} == {x}}", note)
    assert modes == [("a", False), ("b", True), ("c", False), ("d", False)]


def test_referenced_names_visits_every_branch() -> None:
    text = "$a ${b?{$c}:{$d}} ${{$e} == {$f} ? {$g}} ${domain_to_ascii{$h}} $$i"
    assert list(referenced_names(text)) == list("abcdefgh")
    with pytest.raises(MacroError):
        list(referenced_names("${b?{yes}x}"))


@pytest.mark.parametrize("text", ["3.11", "3", "03", " 3", "+3", "3.1023.1023", "99999", "4294967296"])
def test_level(text: str) -> None:
    assert level(text) >= level("3")


@pytest.mark.parametrize("text", ["", "3.", "3.11.", "3.1024", "3.0.1024", "-3", "3 ", "3.x", "1.2.3.4", "9" * 20])
def test_malformed_level(text: str) -> None:
    with pytest.raises(MacroError, match="malformed compatibility level syntax"):
        level(text)


def test_compare_levels() -> None:
    assert compare_levels("3.9", "3.11") < 0 == compare_levels("3", "3.0.0") < compare_levels("4", "3.11")
