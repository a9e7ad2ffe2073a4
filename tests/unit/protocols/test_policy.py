from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.policy import MOST_BYTES, ReplyFault, cut_off, encode_request, parse_reply


def test_request() -> None:
    assert encode_request([("request", "smtpd_access_policy"), ("size", 12), ("sender", "\udce9@x")]) == (
        b"request=smtpd_access_policy\nsize=12\nsender=\xe9@x\n\n"
    )


@pytest.mark.parametrize(
    ("data", "action"),
    [
        (b"action=dunno\n\n", "dunno"), (b"extra=1\naction=reject a=b\n\n", "reject a=b"), (b"action=a\naction=b\n\nrest", "a"),
        (b"action=\n\n", ""), (b"action=x\xe9\n\n", "x\udce9"), (b"", None), (b"action=dunno\n", None), (b"action=d\r\n\r\n", None),
    ],
)  # fmt: skip
def test_replies(data: bytes, action: str | None) -> None:
    assert parse_reply(data) == action


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\n", "missing attribute action"), (b"nonsense\n\n", "missing attribute action"), (b"action\n\n", "missing value for"),
        (b" action=x\n\n", "missing attribute action"), (b"x" * (MOST_BYTES + 1), "too long"),
    ],
)  # fmt: skip
def test_faults(data: bytes, fault: str) -> None:
    with pytest.raises(ReplyFault, match=fault):
        parse_reply(data)


@pytest.mark.parametrize(("data", "text"), [(b"", ""), (b"act", "name"), (b"action=x", "value"), (b"action=x\n", "name")])
def test_what_is_cut_off(data: bytes, text: str) -> None:
    assert cut_off(data) == (f"premature end-of-input on {{server}} while reading input attribute {text}" if text else "")


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        action = parse_reply(data)
    except ReplyFault:
        return
    assert action is None or b"\n\n" in data
