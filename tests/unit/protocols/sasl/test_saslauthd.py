from __future__ import annotations

import pytest

from pyfix.protocols.sasl.saslauthd import accepts, question


def test_question() -> None:
    assert question(b"joe", b"pw", b"smtp", b"") == b"\0\x03joe\0\x02pw\0\x04smtp\0\0"
    with pytest.raises(ValueError, match="too long"):
        question(b"joe", b"x" * 70000, b"smtp", b"")


@pytest.mark.parametrize(("answer", "right"), [(b"OK", True), (b"OK success", True), (b"NO", False), (b"", False), (b"ok", False)])
def test_answers(answer: bytes, right: bool) -> None:
    assert accepts(answer) is right
