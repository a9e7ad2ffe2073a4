from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.daemons.local.members import include_path, members_of_file, members_of_text


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("a, b@x.example", ["a", "b@x.example"]),
        ('"|/bin/cat -u"', ["|/bin/cat -u"]),
        ('|"/bin/cat -u"', ["|/bin/cat -u"]),
        ("|/bin/cat x", ["|/bin/cat", "x"]),
        ('"odd name"@x, /a/b, ":include:/l"', ["odd name@x", "/a/b", ":include:/l"]),
        (":include:/l", [":include:/l"]),
        (r"\alice, ~/x", ["alice", "~/x"]),
        (r'"\\alice"', [r"\alice"]),
        (", <>,", []),
        ("(comment) a", ["a"]),
    ],
)
def test_members(text: str, members: list[str]) -> None:
    assert list(members_of_text(text)) == members


def test_lines_of_a_file() -> None:
    lines = [b"# a\n", b"b, c\n", b"\n", b"  #d\n", b'"|e f"']
    assert list(members_of_file(lines)) == ["b", "c", "#d", "|e f"]


def test_paths_of_lists() -> None:
    assert include_path(":Include:/l") == "/l"
    assert include_path("include:/l") is None


@given(st.binary(max_size=200))
def test_any_bytes(line: bytes) -> None:
    assert all(members_of_file([line]))
