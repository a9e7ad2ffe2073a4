"""master.cf as postconf sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.commands.postconf.entries import Entry, Pattern, parse_entry, read_entries, within_braces
from pyfix.commands.postconf.messages import Fatal


def parsed(arguments: str, warnings: list[str] | None = None) -> Entry:
    noted = [] if warnings is None else warnings
    return parse_entry(f"foo unix - n n - - p {arguments}", "too short", noted.append)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("-oa=b", "p -o a=b"),
        ("-o { a = b }", "p -o a=b"),
        ("-o { a = b c } -D", "p -o {a=b c} -D"),
        ("-vvo c=d x -oy", "p -vv -o c=d x -oy"),
        ("-m 5 -o a=b", "p -m 5 -o a=b"),
        ("-- -o {a = b}", "p -- -o {a = b}"),
        ("-o", "p -o"),
        ("{ x y } { z } x{y z}", "p {x y} z {x{y z}}"),
        ("{xy}", "p xy"),
        ("{}", "p {}"),
        ("q {x y}", "p q {x y}"),
    ],
)
def test_arguments(written: str, shown: str) -> None:
    assert parsed(written).command_text() == shown


@pytest.mark.parametrize(
    ("written", "warning"),
    [
        ("-o { f }", "master.cf: missing '=' after attribute name: \"f\""),
        ("-o {}", 'master.cf: missing attribute name: ""'),
        ("-o { a = b", "master.cf: missing '}' in \"{ a = b\""),
        ("-o { a = b }c", "master.cf: syntax error after '}' in \"{ a = b }c\""),
    ],
)
def test_bad_options_are_warned_about(written: str, warning: str) -> None:
    warnings: list[str] = []
    parsed(written, warnings)
    assert warnings == [warning]


def test_overrides() -> None:
    entry = parsed("-v -o a=b -o { c = d e } -o process_id=1 -o {x y = z} f -o g=h")
    assert entry.overrides == {"a": "b", "c": "d e", "process_id": "1"}
    assert entry.shown(str.upper).command_text().startswith("p -v -o A=B -o {C=D E} -o PROCESS_ID=1")


def test_set_override() -> None:
    entry = parsed("-v -o a=b -D x")
    entry.set_override("c", "d")
    entry.set_override("a", "e")
    assert entry.command_text() == "p -v -o a=e -D -o c=d x"
    entry.set_override("a", None)
    entry.set_override("nosuch", None)
    assert entry.command_text() == "p -v -D -o c=d x"


def test_set_field() -> None:
    said: list[str] = []
    entry = parsed("x")
    entry.set_field("chroot", "y", said.append)
    entry.set_field("command", "q -oa=b", said.append)
    assert entry.line(aligned=False) == "foo unix - n y - - q -o a=b"
    for field, value in (("chroot", "q"), ("type", "x"), ("wakeup", "5m"), ("process_limit", "-1"), ("command", "")):
        with pytest.raises(Fatal, match=rf'^invalid {field} field "{value}" in "{value}"$'):
            entry.set_field(field, value, said.append)
    assert not said
    entry.set_field("command", "q -o {a=b", said.append)
    assert (entry.field("command"), said) == ("q -o a=b", ["master.cf: missing '}' in \"{a=b\""])


def test_columns_and_folding() -> None:
    assert parsed("x").line() == "foo        unix  -       n       n       -       -       p x"
    entry = parse_entry("127.0.0.1:10025 inet n - n - 10 smtpd", "", print)
    assert entry.line() == "127.0.0.1:10025 inet n   -       n       -       10      smtpd"
    folded = parsed("-v -o a=b c " + "d" * 74 + " e").line(folded=True)
    assert folded.split("\n")[1:] == ["    -o a=b", "    c", "    " + "d" * 74, "    e"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("foo unix", "too short"),
        ("foo bar - - - - - x", 'invalid type field "bar" in "foo bar - - - - - x"'),
        ("foo unix x - - - - x", 'invalid private field "x" in "foo unix x - - - - x"'),
    ],
)
def test_malformed(text: str, complaint: str) -> None:
    with pytest.raises(Fatal) as raised:
        parse_entry(text, "too short", print)
    assert str(raised.value) == complaint


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "master.cf"
    path.write_text("# c\nfoo unix - - n - - x\n  -o a=b\nbar fifo - - n ? 0 y\n")
    assert [entry.key for entry in read_entries(str(path), pytest.fail)] == ["foo/unix", "bar/fifo"]
    path.write_text("\nfoo unix\n")
    with pytest.raises(Fatal, match=rf"^file {path}: line 2: bad field count$"):
        read_entries(str(path), pytest.fail)


def test_pattern() -> None:
    entry = parsed("x")
    for text in ("foo", "foo/unix", "*/unix", "foo/", "*", "foo/*/x"):
        assert Pattern.parse(text, 3, "bad").matches(entry)
    assert not Pattern.parse("foo/inet", 3, "bad").matches(entry)
    for text, exactly in (("a/b/c/d", False), ("", False), ("a/b", True)):
        with pytest.raises(Fatal, match=r"^bad$"):
            Pattern.parse(text, 3, "bad", exactly=exactly)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("-ofoo=oo", "p -o f -o -o=oo"),
        ("-vofoo", "p -v -o f -o -o"),
        ("-oo=o", "p -o -o=o"),
        ("-ovo=x", "p -o v -o =x"),
        ("-oxo z=y", "p -o x -o z=y"),
    ],
)
def test_every_o_of_a_word_is_an_option(written: str, shown: str) -> None:
    assert parsed(written).field("command") == shown


def test_shown_without_braces() -> None:
    entry = parsed("-v {a b} {c d}")
    assert entry.field("command") == "p -v {a b} {c d}"
    assert entry.shown().field("command") == "p -v a b {c d}"
    assert parsed("x {a b}").shown().field("command") == "p x {a b}"


def test_nothing_before_a_short_command() -> None:
    assert parsed("a b").command_text(column=0) == "pab"
    assert parsed("a b").command_text(column=5) == "p a b"


def test_within_braces() -> None:
    said: list[str] = []
    assert within_braces("{ a {b} }", "f", said.append) == "a {b}"
    assert not said
    assert within_braces("{a {b}}c", "f", said.append) == "a {b}"
    assert within_braces("{a {b}", "f", said.append) == "a {b}"
    assert said == ["f: syntax error after '}' in \"{a {b}}c\"", "f: missing '}' in \"{a {b}\""]
