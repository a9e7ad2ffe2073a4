"""Typed values and the fatal texts of bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameter import (
    DECLARED,
    boolean,
    choice,
    duration,
    integer,
    keywords,
    longinteger,
    parse_duration,
    raw,
    split_words,
    text,
    text_or_file,
    words,
)
from pyfix.config.snapshot import Settings, Snapshot


@pytest.fixture(autouse=True, scope="module")
def sample() -> object:
    """Declare some parameters for this module only: the registry is everyone's."""
    before = dict(DECLARED)

    class Sample(Settings):
        t_text = text("$t_word ESMTP", minimum=1)
        t_word = text("mail")
        t_raw = raw("$user", minimum=1)
        t_words = words("a, {b c}")
        t_number = integer("1000", minimum=1, maximum=5000)
        t_long = longinteger("1")
        t_truth = boolean("yes")
        t_time = duration("${stress?{10}:{300}}s", unit="s", minimum=1)
        t_hours = duration("4h", maximum=86400)
        t_keywords = keywords("one", "one two", title="numbers", checked_by="counter")
        t_choice = choice("one", "one two", refusal="no {name}: {value}", checked_by="counter")
        renamed = integer("7", name="2nd_number")

    yield Sample
    for name in DECLARED.keys() - before.keys():
        if DECLARED[name] in vars(Sample).values():  # what others have declared since stays
            del DECLARED[name]


def made(sample: type[Settings], **settings: str) -> Settings:
    return sample(Snapshot(settings))


def test_defaults(sample: type[Settings]) -> None:
    view = made(sample)
    view.check()
    assert vars(view) | {"snapshot": None} == {
        "snapshot": None,
        "t_text": "mail ESMTP",
        "t_word": "mail",
        "t_raw": "$user",
        "t_words": ("a", "{b c}"),
        "t_number": 1000,
        "t_long": 1,
        "t_truth": True,
        "t_time": 300,
        "t_hours": 14400,
        "t_keywords": ("one",),
        "t_choice": "one",
        "renamed": 7,
    }


def test_values_are_expanded_but_for_raw_ones(sample: type[Settings]) -> None:
    view = made(sample, t_number="$n", n="12", t_raw="$n", t_truth="YES", t_hours="2", **{"2nd_number": "3"})
    assert (view.t_number, view.t_raw, view.t_truth, view.t_hours, view.renamed) == (12, "$n", True, 7200, 3)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("t_number", "abc", "bad numerical configuration: t_number = abc"),
        ("t_number", "", "bad numerical configuration: t_number = "),
        ("t_number", "$n", "bad numerical configuration: t_number = "),
        ("t_number", "10x", "bad numerical configuration: t_number = 10x"),
        ("t_number", "0x10", "bad numerical configuration: t_number = 0x10"),
        ("t_number", "+ 10", "bad numerical configuration: t_number = + 10"),
        ("t_number", "99999999999", "bad numerical configuration: t_number = 99999999999"),
        ("t_number", "0", "invalid t_number parameter value 0 < 1"),
        ("t_number", "-5", "invalid t_number parameter value -5 < 1"),
        ("t_number", "5001", "invalid t_number parameter value 5001 > 5000"),
        ("t_long", "99999999999999999999", "bad numerical configuration: t_long = 99999999999999999999"),
        ("t_truth", "maybe", "bad boolean configuration: t_truth = maybe"),
        ("t_truth", "", "bad boolean configuration: t_truth = "),
        ("t_time", "10q", "parameter t_time: bad time value or unit: 10q"),
        ("t_time", "", "parameter t_time: bad time value or unit: "),
        ("t_time", "0", "invalid t_time: 0 (min 1)"),
        ("t_hours", "25", "invalid t_hours: 90000 (max 86400)"),
        ("t_text", "", "bad string length 0 < 1: t_text = "),
        ("t_raw", "", "bad string length (0 < 1): t_raw = "),
    ],
)
def test_bad_value(sample: type[Settings], name: str, value: str, complaint: str) -> None:
    view = made(sample, **{name: value})
    with pytest.raises(ConfigError) as raised:
        getattr(view, name)
    assert str(raised.value) == complaint
    with pytest.raises(ConfigError):
        view.check()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("300", 300),
        ("5m", 300),
        ("1h30m", 5400),
        ("1w1d1h1m1s", 694861),
        ("10ss", 10),
        ("10ms", 600),
        ("5m3", 303),
        ("s", 0),
        ("h5m", 300),
        ("+5", 5),
        ("-0", 0),
        ("00010", 10),
        ("35791393m", 2147483580),
    ],
)
def test_duration(value: str, seconds: int) -> None:
    assert parse_duration("n", value, "s") == seconds


@pytest.mark.parametrize(
    "value", ["", "abc", "1 h", "1H", "1.5h", "-1", "99999999999", "9999999w", "35791394m", "24855d", "2147483648", " "]
)
def test_bad_duration(value: str) -> None:
    with pytest.raises(ConfigError, match="bad time value or unit"):
        parse_duration("n", value, "m")


def test_unit_of_a_bare_number() -> None:
    assert parse_duration("n", "2", "h") == 7200


@pytest.mark.parametrize(
    ("text_", "expected"),
    [
        ("", ()),
        (" , ", ()),
        ("a b,c\td", ("a", "b", "c", "d")),
        ("static:{a b}, {x, {y z}} w", ("static:{a b}", "{x, {y z}}", "w")),
        ("a}b c", ("a}b", "c")),
        ("{open a, b", ("{open a, b",)),
    ],
)
def test_split_words(text_: str, expected: tuple[str, ...]) -> None:
    assert split_words(text_) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"  some.host \nsecond\n", "some.host"),
        (b"", "t_name file {} is empty"),
        (b"# c\nx\n", "t_name parameter setting must not contain multiple values: # c"),
        (None, "{}: cannot open file: No such file or directory"),
    ],
)
def test_text_or_file(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "mailname"
    if content is not None:
        path.write_bytes(content)
    parameter = text_or_file("x", name="t_name", minimum=1)
    try:
        found = parameter.convert(str(path), Snapshot({}))
    except ConfigError as error:
        found = str(error)
    assert found == expected.format(path)
    assert parameter.convert("word", Snapshot({})) == "word"


def test_on_the_class_it_is_the_declaration(sample: type[Settings]) -> None:
    declaration = sample.__dict__["t_number"]
    assert sample.t_number is declaration  # type: ignore[attr-defined]  # only this type has it
    assert (declaration.kind, declaration.minimum) == ("int", 1)
    assert sample.parameters()["renamed"].name == "2nd_number"


def test_words_of_a_few(sample: Any) -> None:
    good = sample(Snapshot({"t_keywords": "two, one", "t_choice": "Two"}, process_name="counter"))
    assert (good.t_keywords, good.t_choice) == (("two", "one"), "two")
    bad = {"t_keywords": "one three", "t_choice": "three"}
    made = sample(Snapshot(bad, process_name="counter"))
    with pytest.raises(ConfigError, match=r'^unknown numbers value "three" in "one three"$'):
        _ = made.t_keywords
    with pytest.raises(ConfigError, match=r"^no t_choice: three$"):
        _ = made.t_choice
    assert sample(Snapshot(bad, process_name="another")).t_keywords == ("one", "three")  # which does not care
