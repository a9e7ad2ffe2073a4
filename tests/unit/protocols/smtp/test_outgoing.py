from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.smtp.outgoing import ContentEncoder


def encoded(*blocks: bytes, limit: int = 998) -> tuple[bytes, int]:
    breaks: list[int] = []
    encoder = ContentEncoder(limit, lambda: breaks.append(1))
    return b"".join([encoder.encode(block) for block in blocks]) + encoder.end(), len(breaks)


def test_line_ends_and_dots() -> None:
    assert encoded(b"a\n.b\n..\nc\n") == (b"a\r\n..b\r\n...\r\nc\r\n", 0)
    assert encoded(b".a\n", b".\n") == (b"..a\r\n..\r\n", 0)
    assert encoded(b"a\r\n") == (b"a\r\r\n", 0)
    assert encoded(b"") == (b"", 0)


def test_pieces_of_lines() -> None:
    assert encoded(b"a\n.", b".b", b"\n.c") == (b"a\r\n...b\r\n..c\r\n", 0)


def test_long_lines_are_broken() -> None:
    assert encoded(b"x" * 25 + b"\nshort\n", limit=10) == (b"xxxxxxxxxx\r\n xxxxxxxxx\r\n xxxxxx\r\nshort\r\n", 1)
    assert encoded(b"x" * 10 + b"\n", limit=10) == (b"xxxxxxxxxx\r\n", 0)
    assert encoded(b"x" * 5000 + b"\n", limit=0) == (b"x" * 5000 + b"\r\n", 0)


@given(st.lists(st.text("ab.\n", max_size=30).map(str.encode), max_size=6))
def test_blocks_make_no_difference(blocks: list[bytes]) -> None:
    whole = b"".join(blocks)
    assert encoded(*blocks, limit=7)[0] == encoded(whole, limit=7)[0]
    plain, _ = encoded(*blocks)
    lines = plain.split(b"\r\n")
    assert b"\n".join([line.removeprefix(b".") for line in lines]).removesuffix(b"\n") == whole.removesuffix(b"\n")
