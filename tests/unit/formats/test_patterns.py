import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.patterns import (
    ENDIF,
    IF,
    MATCH,
    PatternError,
    TemplateError,
    parse_template,
    shown_index,
    split_cidr_line,
    split_expression_line,
    toggled,
)


@pytest.mark.parametrize(
    ("line", "kind", "negated", "pattern", "text"),
    [
        ("1.2.3.4 a b", MATCH, False, "1.2.3.4", "a b"),
        ("!1.2.3.4\ta", MATCH, True, "1.2.3.4", "a"),
        ("! !! 1.2.3.4 a", MATCH, True, "1.2.3.4", "a"),
        ("IF !10.0.0.0/8", IF, True, "10.0.0.0/8", ""),
        ("EndIf", ENDIF, False, "", ""),
        ("iffy x", MATCH, False, "iffy", "x"),
    ],
)
def test_cidr_lines(line: str, kind: int, negated: bool, pattern: str, text: str) -> None:
    statement = split_cidr_line(line)
    assert (statement.kind, statement.negated, statement.pattern, statement.text) == (kind, negated, pattern, text)


@pytest.mark.parametrize(
    ("line", "kind", "negated", "pattern", "flags", "text"),
    [
        ("/a b/ c d ", MATCH, False, "a b", "", "c d"),
        (r"/a\/b/im c", MATCH, False, r"a\/b", "im", "c"),
        ("! |x|m\ty", MATCH, True, "x", "m", "y"),
        ("if/x/", IF, False, "x", "", ""),
        ("IF !/x/i", IF, True, "x", "i", ""),
        ("//x y", MATCH, False, "", "x", "y"),
        ("endif", ENDIF, False, "", "", ""),
    ],
)
def test_expression_lines(line: str, kind: int, negated: bool, pattern: str, flags: str, text: str) -> None:
    statement = split_expression_line(line, "imx")
    assert statement is not None
    found = (statement.kind, statement.negated, statement.pattern, statement.flags, statement.text)
    assert found == (kind, negated, pattern, flags, text)
    assert not statement.remarks


@pytest.mark.parametrize("line", ["", "/a", r"/a\/", "!", "if", "abc", "/a/z x", "endifx", "ifx"])
def test_lines_that_are_skipped(line: str) -> None:
    with pytest.raises(PatternError):
        split_expression_line(line, "imx")


def test_toggled() -> None:
    assert toggled("imi", "m") and not toggled("imi", "i") and not toggled("", "i")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("plain", ["plain"]),
        ("a${1}b", ["a", 1, "b"]),
        ("$1-$(12)$$x", [1, "-", 12, "$", "x"]),
        ("$$1", ["$", "1"]),
        ("$4294967297", [1]),
        ("$2147483648", [2**31]),
    ],
)
def test_templates(text: str, parts: list[str | int]) -> None:
    assert parse_template(text) == parts


@pytest.mark.parametrize(
    ("text", "complaint", "anywhere"),
    [
        ("x$", 'empty macro name: "x$"', True),
        ("$-1", 'empty macro name: "$-1"', True),
        ("${}", 'empty macro name: "${}"', True),
        ("a${1", 'truncated macro reference: "a${1"', True),
        ("$(1}", 'truncated macro reference: "$(1}"', True),
        ("$x", 'non-numeric replacement index "x"', False),
        ("${1?x}", 'non-numeric replacement index "1?x"', False),
        ("$0", 'out-of-range replacement index "0"', False),
        ("${ 1 }", 'non-numeric replacement index " 1 "', False),
    ],
)
def test_bad_templates(text: str, complaint: str, anywhere: bool) -> None:
    with pytest.raises(TemplateError) as raised:
        parse_template(text)
    assert raised.value.complaints == [(complaint, anywhere)]


def test_all_that_is_wrong_with_a_template() -> None:
    def complaints(text: str) -> list[str]:
        with pytest.raises(TemplateError) as raised:
            parse_template(text)
        return [complaint.text.split(":")[0] for complaint in raised.value.complaints]

    assert complaints("$x $0 $") == ['non-numeric replacement index "x"', 'out-of-range replacement index "0"', "empty macro name"]
    assert complaints("$x ${y} $(") == ['non-numeric replacement index "x"']
    assert complaints("$x $(1} $y") == ['non-numeric replacement index "x"', "truncated macro reference"]


def test_indexes_are_shown_as_signed_numbers() -> None:
    assert [shown_index(number) for number in (1, 2**31 - 1, 2**31, 2**32 - 1)] == [1, 2**31 - 1, -(2**31), -1]


def test_bytes_are_delimiters() -> None:
    statement = split_expression_line("\u00e9a\udcc3 x\u00e9", "i")
    assert statement is not None and (statement.pattern, statement.text) == ("\udca9a", "x\u00e9")


def test_a_second_expression() -> None:
    statement = split_expression_line("/a/i!!/\u00e9/x text", "ix", second=True)
    assert statement is not None and statement.also is not None
    assert (statement.pattern, statement.flags, statement.text) == ("a", "i", "text")
    assert (statement.also.pattern, statement.also.flags, statement.also.negated) == ("\u00e9", "x", False)
    with pytest.raises(PatternError, match="unknown regexp option"):
        split_expression_line("/a/!/b/ text", "ix")
    with pytest.raises(PatternError) as raised:
        split_expression_line("/a/Xq text", "iX")
    assert raised.value.remarks == ['ignoring obsolete regexp option "X"']


@given(st.text(alphabet="$(){}1a \\", max_size=20))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        parts = parse_template(text)
    except TemplateError:
        return
    if "$" not in text:
        assert "".join(map(str, parts)) == text


@given(st.text(alphabet="/!iIfFendDEN \\x", max_size=30))
def test_any_line_is_read_or_refused(line: str) -> None:
    for split in (split_cidr_line, lambda text: split_expression_line(text, "imx")):
        try:
            split(line)
        except PatternError as error:
            assert str(error)
