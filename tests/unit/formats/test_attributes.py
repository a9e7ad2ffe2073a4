"""Attribute lists: both encodings, order, repeated names, damaged input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.attributes import (
    AttributeListError,
    Attributes,
    Encoding,
    Long,
    decode_pairs,
    encode_pairs,
    end_of_list,
)


@dataclass(frozen=True, slots=True)
class Reply(Attributes):
    request: Literal["resolve"] = field(default="resolve", init=False)
    flags: int
    address: str
    offset: Long
    data: bytes
    more_flags: int = field(metadata={"wire": "flags"})


@dataclass(frozen=True, slots=True)
class PlainReply(Attributes):
    ENCODING: ClassVar[Encoding] = "plain"
    status: int
    count: int


def test_null_encoding_has_postfix_form() -> None:
    reply = Reply(flags=-1, address="a@b", offset=Long(5), data=b"xyz", more_flags=3)
    expected = (
        b"request\0resolve\0flags\x004294967295\0address\0a@b\0offset\x005\0data\0eHl6\0flags\x003\0\0"
    )
    assert reply.encode() == expected
    assert Reply.decode(expected) == reply


def test_repeated_names_keep_their_places() -> None:
    data = encode_pairs([("request", "resolve"), ("flags", "1"), ("address", ""), ("offset", "0"), ("data", ""), ("flags", "2")])
    reply = Reply.decode(data)
    assert (reply.flags, reply.more_flags) == (1, 2)


def test_unknown_attributes_are_skipped_and_missing_ones_refused() -> None:
    assert PlainReply.decode(b"status=0\nnews=1\ncount=2\n\n") == PlainReply(0, 2)
    with pytest.raises(AttributeListError, match="missing attribute count"):
        PlainReply.decode(b"status=0\n\n")


@pytest.mark.parametrize(
    ("data", "strict", "complaint"),
    [
        (b"status=0\n\n", False, "missing attribute count in input from x socket"),
        (b"status=0\n\n", True, "missing attribute count in input from x socket"),
        (b"status=0\nnews=1\n\n", False, "missing attribute count in input from x socket"),
        (b"status=0\nnews=1\n\n", True, "unexpected attribute news from x socket (expecting: count)"),
    ],
)
def test_complaint_of_a_missing_attribute(data: bytes, strict: bool, complaint: str) -> None:
    with pytest.raises(AttributeListError) as found:
        PlainReply.decode(data)
    assert found.value.complaint("x socket", strict=strict) == complaint


def test_malformed_number_is_refused() -> None:
    with pytest.raises(AttributeListError, match="malformed value of attribute status") as found:
        PlainReply.decode(b"status=x\ncount=1\n\n")
    assert found.value.complaint("x socket", strict=True) == (
        "malformed numerical data from x socket while reading input attribute value: x"
    )


def test_empty_values_do_not_end_a_list() -> None:
    data = b"a\0\0b\0\0\0rest"
    assert end_of_list(data) == len(data) - 4
    assert decode_pairs(data[:-4]) == [("a", ""), ("b", "")]


def test_incomplete_list_has_no_end() -> None:
    whole = encode_pairs([("name", "value"), ("other", "")])
    for cut in range(len(whole)):
        assert end_of_list(whole[:cut]) == -1


def test_nested_list_is_part_of_the_outer_one() -> None:
    data = b"before\x001\0{\0name\0value\0}\0after\x002\0\0"
    assert end_of_list(data) == len(data)


_names = st.text(st.characters(codec="ascii", min_codepoint=33, exclude_characters="={}"), min_size=1, max_size=20)
_values = st.text(st.characters(exclude_characters="\0\n", exclude_categories=("Cs",)), max_size=50)


@given(st.lists(st.tuples(_names, _values), max_size=10), st.sampled_from(["null", "plain"]))
def test_pairs_survive_the_wire(pairs: list[tuple[str, str]], encoding: Encoding) -> None:
    data = encode_pairs(pairs, encoding)
    assert end_of_list(data, 0, encoding) == len(data)
    assert decode_pairs(data, encoding) == pairs


@given(st.binary(max_size=200), st.sampled_from(["null", "plain"]))
def test_any_bytes_are_a_list_or_an_error(data: bytes, encoding: Encoding) -> None:
    end = end_of_list(data, 0, encoding)
    assert -1 <= end <= len(data)
    if end > 0:
        try:
            decode_pairs(data[:end], encoding)
        except AttributeListError:
            pass
