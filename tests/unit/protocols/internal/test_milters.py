from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.internal.milters import (
    BadHandover,
    PassedMilter,
    Words,
    encode_common,
    encode_milter,
    read_common,
    read_milter,
)

LISTS = {"connect": ("j", "{daemon_name}"), "mail": ("i",)}
STAGES = ("connect", "helo", "mail", "rcpt", "data", "end_of_header", "end_of_data", "unknown")
MILTER = PassedMilter("inet:127.0.0.1:1", 6, 511, 16, 768, 4, 30, 31, 300, "shutdown", {})


def test_there_and_back() -> None:
    data = encode_common(LISTS, {"{x}": "y"}) + encode_milter(MILTER)
    words = Words(b"m1" + data, 2)
    lists, defaults = read_common(words)
    assert lists == {stage: LISTS.get(stage, ()) for stage in STAGES}
    assert defaults == {"{x}": "y"}
    assert read_milter(words) == MILTER
    assert words.position == len(data) + 2


def test_as_postfix_says_it() -> None:
    data = encode_milter(MILTER)
    assert data.startswith(b"milter_name\0inet:127.0.0.1:1\0milter_version\x006\0milter_actions\x00511\0milter_events\x0016\0")
    assert data.endswith(b"milter_action\0shutdown\0milter_macro_list\x000\0\0")
    assert encode_common({}, {}).endswith(b"unk_macros\0\0size\x000\0")


def test_macros_of_its_own() -> None:
    asked = {stage: ("i",) if stage == "data" else () for stage in STAGES}
    milter = PassedMilter("unix:x", 6, 0, 0, 0, 4, 1, 2, 3, "accept", asked)
    assert read_milter(Words(encode_milter(milter), 0)) == milter


def test_more_is_needed() -> None:
    data = encode_common(LISTS, {"{x}": "y"}) + encode_milter(MILTER)
    for end in range(len(data)):
        words = Words(data[:end], 0)
        with pytest.raises(IndexError):
            read_common(words)
            read_milter(words)


@given(st.lists(st.sampled_from(["conn_macros", "size", "{", "}", "1", "x", "", "milter_name", "9" * 30]), max_size=40))
def test_anything_else(said: list[str]) -> None:
    words = Words("".join(f"{word}\0" for word in said).encode(), 0)
    try:
        read_common(words)
        read_milter(words)
    except (BadHandover, IndexError):
        return
