from __future__ import annotations

import pytest

from pyfix.formats import status


@pytest.mark.parametrize(
    "text, code",
    [
        ("5.1.1 text", "5.1.1"), ("4.2.999", "4.2.999"), ("2.0.0\ttext", "2.0.0"), ("5.1", ""), ("6.1.1 x", ""),
        ("5.1.1000 x", ""), ("5.1.1x", ""), ("", ""), ("5..1 x", ""), ("5.1.1.1 x", ""), (" 5.1.1 x", ""),
    ],
)  # fmt: skip
def test_prefix(text: str, code: str) -> None:
    assert status.status_prefix(text) == code


def test_split() -> None:
    assert status.split_status("5.1.1  user unknown", "4.0.0") == ("5.1.1", "user unknown")
    assert status.split_status("user unknown", "4.0.0") == ("4.0.0", "user unknown")
    assert status.update_class("5.1.1", "4") == "4.1.1"


def test_exit_statuses() -> None:
    assert status.exit_status_detail(75) == ("4.3.0", "temporary failure")
    assert status.exit_status_detail(67) == ("5.1.1", "user unknown")
    assert status.exit_status_detail(1) is None


def test_cleanup_detail_is_that_of_the_most_serious_bit() -> None:
    assert status.cleanup_detail(status.WRITE | status.DEFER) == (status.DEFER, 451, "4.7.1", "service unavailable")
    assert status.cleanup_detail(status.CONTENT)[1:] == (550, "5.7.1", "message content rejected")
    assert status.cleanup_detail(1 << 20).text == "internal protocol error"
