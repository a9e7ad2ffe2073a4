from __future__ import annotations

import pytest

from pyfix.formats import header


@pytest.mark.parametrize(
    "line, length",
    [
        (b"Subject: x", 7), (b"Subject \t: x", 7), (b"x:", 1), (b"--y: x", 3), (b": x", 0), (b"Sub ject: x", 0),
        (b"Sub\xe9: x", 0), (b"Sub\x01: x", 0), (b"no colon", 0), (b"", 0), (b" Subject: x", 0),
    ],
)  # fmt: skip
def test_name_end(line: bytes, length: int) -> None:
    assert header.header_name_end(line) == length


def test_split() -> None:
    assert header.split_header(b"To \t: a:b") == (b"To", b" a:b")


def test_known_headers() -> None:
    senders = {found.name for found in header.HEADERS.values() if found.sender and not found.drop}
    assert senders == {
        "Disposition-Notification-To", "Errors-To", "From", "Mail-Followup-To", "Reply-To", "Resent-From",
        "Resent-Sender", "Return-Receipt-To", "Sender",
    }  # fmt: skip
    recipients = {found.name for found in header.HEADERS.values() if found.recipient and not found.drop}
    assert recipients == {"Apparently-To", "Cc", "Resent-Cc", "Resent-Reply-To", "Resent-To", "To"}
    dropped = {found.name for found in header.HEADERS.values() if found.drop}
    assert dropped == {"Bcc", "Content-Length", "Resent-Bcc", "Return-Path"}


def test_any_case() -> None:
    found = header.find_header(b"mEsSaGe-iD")
    assert found is not None and found.name == "Message-Id"
    assert header.find_header(b"X-Other") is None


@pytest.mark.parametrize(
    "body, announces",
    [(b" 8bit", True), (b"BINARY", True), (b" 8bit ", False), (b" 8bit;", False), (b" 7bit", False), (b"", False)],
)
def test_announces_8bit(body: bytes, announces: bool) -> None:
    assert header.announces_8bit(body) is announces
