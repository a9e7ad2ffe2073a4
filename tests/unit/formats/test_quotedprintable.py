from __future__ import annotations

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.quotedprintable import QuotedPrintableEncoder


def encode(*pieces: bytes) -> list[bytes]:
    """Return the output lines of one line that comes in pieces."""
    encoder = QuotedPrintableEncoder()
    lines: list[bytes] = []
    for number, piece in enumerate(pieces, 1):
        lines += encoder.encode(piece, ends=number == len(pieces))
    return lines


@pytest.mark.parametrize(
    "text, encoded",
    [
        (b"", b""), (b"Hi there", b"Hi there"), (b"a=b", b"a=3Db"), (b"\xc3\xa9", b"=C3=A9"), (b"a\tb", b"a\tb"),
        (b"x ", b"x=20"), (b"x\t", b"x=09"), (b"  ", b" =20"), (b"~\x7f", b"~=7F"), (b"\0\r", b"=00=0D"), (b".", b"."),
    ],
)  # fmt: skip
def test_lines(text: bytes, encoded: bytes) -> None:
    assert encode(text) == [encoded]


def test_long_lines_are_broken() -> None:
    assert encode(b"x" * 72) == [b"x" * 72]
    assert encode(b"x" * 73) == [b"x" * 73]
    assert encode(b"x" * 74) == [b"x" * 73 + b"=", b"x"]
    assert encode(b"x" * 72 + b"\xe9") == [b"x" * 72 + b"=E9"]


def test_pieces_are_one_line() -> None:
    assert encode(b"caf", b"\xe9 ", b"") == [b"caf=E9=20"]


@given(pieces=st.lists(st.one_of(st.binary(max_size=90), st.text("ab =\t", max_size=90).map(str.encode)), min_size=1, max_size=4))
def test_it_can_be_decoded_and_is_narrow(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    lines = encode(*pieces)
    assert lines == encode(whole)
    assert all(len(line) <= 76 and line.isascii() and not line.endswith((b" ", b"\t")) for line in lines)
    assert quopri.decodestring(b"\n".join(lines)) == whole
