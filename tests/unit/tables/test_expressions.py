"""What holds for regexp and pcre alike."""

import random
from pathlib import Path

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.source import open_table
from pyfix.tables.table import Opening, Table

KINDS = ["regexp", "pcre"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def opened(kind: str, *lines: str, flags: int = bits.ORDINARY) -> Table:
    return open_table(f"{kind}:{{{','.join(f'{{{line}}}' for line in lines)}}}", flags=flags, share=False)


def test_rules_in_order(kind: str) -> None:
    table = opened(kind, "/^a/ first", "/^ab/ second", "!/b/ third", "|x| fourth")
    assert table.pattern and table.local
    assert [table.find_now(key) for key in ("ab", "AB", "c", "b", "bx")] == ["first", "first", "third", None, "fourth"]


def test_case(kind: str) -> None:
    table = opened(kind, "/^a/i sensitive", "/^a/ii twice")
    assert [table.find_now(key) for key in ("a", "A")] == ["sensitive", "twice"]


def test_groups(kind: str) -> None:
    table = opened(kind, r"/^(a+)(x)?@(.*)$/ $1-${2}-$(3)$$$1")
    assert table.find_now("aa@Dom") == "aa--Dom$aa"
    assert table.find_now("ax@é") == "a-x-é$a"
    assert opened(kind, "/(..)/ [$1]").find_now("é") == "[é]"


def test_conditions(kind: str) -> None:
    table = opened(kind, "if /a/", "if !/b/", "/./ a without b", "endif", "/c/ a and c", "ENDIF", "/./ other")
    assert [table.find_now(key) for key in ("a", "ab", "abc", "x")] == ["a without b", "other", "a and c", "other"]


def test_bytes_and_not_characters(kind: str) -> None:
    assert opened(kind, "/^..$/ two").find_now("é") == "two"
    assert opened(kind, "/^.$/ one").find_now("é") is None
    assert opened(kind, "/^É$/ upper").find_now("é") is None
    assert opened(kind, "/x\udcff/ raw", flags=bits.LOCK).find_now("ax\udcff") == "raw"


def test_empty_result(kind: str, notices: list[str]) -> None:
    assert not opened(kind, "/a/").find_now("a")
    assert notices[0].endswith("line 1: no replacement text: using empty string")


@pytest.mark.parametrize(
    ("line", "complaints"),
    [
        ("/a/ $1", ['out of range replacement index "1": skipping this rule']),
        ("!/(a)/ $1", ["$number found in negative match replacement text: skipping this rule"]),
        ("/a/q x", ['unknown regexp option "q": skipping this rule']),
        ("a x", ["ignoring unrecognized request"]),
        ("if", ["no regexp: skipping this rule"]),
        ("/(a)/ $x", ['non-numeric replacement index "x"', "bad replacement syntax: skipping this rule"]),
        ("endif", ["ignoring ENDIF without matching IF"]),
    ],
)
def test_complaints(kind: str, line: str, complaints: list[str], notices: list[str]) -> None:
    assert opened(kind, line).find_now("a") is None
    assert [text.partition("line 1: ")[2] for text in notices] == complaints


def test_complaint_about_a_reference_that_is_cut_off(kind: str, notices: list[str]) -> None:
    opened(kind, "/(a)/ $(1")
    assert notices[0] == 'warning: truncated macro reference: "$(1"'
    assert notices[1].endswith("line 1: bad replacement syntax: skipping this rule")


def test_extra_text(kind: str, notices: list[str]) -> None:
    opened(kind, "if /a/ x", "endif y")
    assert [text.partition(", line ")[2] for text in notices] == [
        '1: ignoring extra text after IF statement: "x"',
        "1: do not prepend whitespace to statements between IF and ENDIF",
        "2: ignoring extra text after ENDIF",
    ]


def test_no_groups_where_they_are_not_trusted(kind: str, notices: list[str]) -> None:
    """Source: postconf(5) alias_maps, whose tables may not make file names from addresses."""
    table = opened(kind, "/(a)/ $1", "/a/ plain", flags=bits.ORDINARY | bits.PARANOID)
    assert table.find_now("a") == "plain"
    assert notices[0].endswith("line 1: regular expression substitution is not allowed: skipping this rule")


def test_an_expression_that_goes_on_too_long(kind: str, notices: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    table = opened(kind, "/a/ x")

    def tired(key: bytes) -> None:
        raise RuntimeError("enough")

    table._rules[0].test = tired  # type: ignore[attr-defined]  # only this type has it
    assert table.find_now("a") is None
    assert notices[0].endswith("line 1: enough")


def test_file(kind: str, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("# comment\n/^a/\n x\n y\n")
    assert open_table(f"{kind}:{tmp_path}/t", share=False).find_now("abc") == "x y"
    assert Opening().flags == bits.ORDINARY


@pytest.mark.parametrize("seed", range(12))
def test_the_same_answers_with_many_rules(kind: str, seed: int) -> None:
    """Rules that can't match are not tried; conditions and signs between them must go on to hold."""
    source = random.Random(seed)
    lines = []
    depth = 0
    for number in range(60):
        letter, flags = source.choice("abcdefgh"), source.choices(["", "i", "m"], [20, 1, 1])[0]
        chance = source.random()
        if chance < 0.06:
            lines.append(f"if {source.choice(['', '!'])}/{letter}/{flags}")
            depth += 1
        elif chance < 0.15 and depth:
            lines.append("endif")
            depth -= 1
        elif chance < 0.2:
            lines.append(f"!/{letter}/{flags} not {number}")
        else:
            other = source.choice("xyzabcd")
            text = source.choice(
                [f"/{letter}.*{other}{other}/", f"/^({letter}+){other}(q)?$/", f"/{letter}{other}|zz$/"]
            )
            lines.append(f"{text}{flags} {number} {source.choice(['', '$1']) if '(' in text else ''}")
    lines += ["endif"] * depth
    table = opened(kind, *lines)
    keys = ["".join(source.choices("abcdefghxyzqQAB\n", k=source.randrange(8))) for _ in range(300)]
    answers = [table.find_now(key) for key in keys]
    assert answers[:100] == [table.find_now(key) for key in keys[:100]]
    assert table._known is not None  # type: ignore[attr-defined]  # only this type has it
    plain = opened(kind, *lines)
    plain._asked = 1000  # type: ignore[attr-defined]  # only this type has it
    assert answers == [plain.find_now(key) for key in keys]
