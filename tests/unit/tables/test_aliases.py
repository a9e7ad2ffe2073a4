import pytest

from pyfix.tables.aliases import NotAnAlias, aliases_of, split_alias


@pytest.mark.parametrize(
    ("line", "alias"),
    [
        ("root:me,you", ("root", "me, you")),
        ('"quoted name" : a', ("quoted name", "a")),
        ("w : :fail: bad", ("w", ":fail:bad")),
        ('x: "|prog -x", /file', ("x", '"|prog -x", /file')),
        ("x: a<b>,<c>", ("x", "a <b>, <c>")),
        ("x: (c)a(d)", ("x", "(c) a (d)")),
        ("x: a,", ("x", "a, ")),
        (r"x: user\@host", ("x", '"user@host"')),
        ('"": x', ("", "x")),
    ],
)
def test_aliases(line: str, alias: tuple[str, str]) -> None:
    assert split_alias(line) == alias


@pytest.mark.parametrize("line", ["", "x", "x:", ": x", "a, b: c", "a,: b"])
def test_half_aliases(line: str) -> None:
    with pytest.raises(NotAnAlias, match="need name:value pair"):
        split_alias(line)


def test_aliases_have_no_domain() -> None:
    with pytest.raises(NotAnAlias, match="name must be local and have no domain"):
        split_alias("user@dom.ain: x")


def test_files(notices: list[str]) -> None:
    text = "# c\na: b,\n c\nbad\n\udcff: x\ne\0: f\ng: h\n"
    assert list(aliases_of(text, "f", utf8=True)) == [(2, "a", "b, c"), (7, "g", "h")]
    assert notices == [
        "warning: f, line 4: need name:value pair",
        'warning: f, line 5: non-UTF-8 input "?: x" -- ignoring this line',
        "warning: f, line 6: text after null byte may be ignored",
        "warning: f, line 6: need name:value pair",
    ]
