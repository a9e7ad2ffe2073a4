from __future__ import annotations

import pytest

from pyfix.formats.attributes import Attributes, Long
from pyfix.protocols.internal import bounce

HEAD = ("active", "ABC", "8bit", 1, "s@x", "id", 2)
NAMED = (
    "queue_name\0active\0queue_id\0ABC\0encoding\x008bit\0sendopts\x001\0sender\0s@x\0envelope_id\0id\0ret_flags\x002\0"
)
DETAILS = (
    "original_recipient\0o@x\0recipient\0r@x\0offset\x005\0dsn_orig_rcpt\0rfc822;o\0notify_flags\x004\0status\x005.1.1\0"
    "diag_type\0smtp\0diag_text\x00550\0mta_type\0dns\0mta_mname\0mx\0action\0failed\0reason\0why\0"
)


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (bounce.Append(1, "ABC", "o@x", "r@x", Long(5), "rfc822;o", 4, "5.1.1", "smtp", "550", "dns", "mx", "failed", "why"),
         f"nrequest\x000\0flags\x001\0queue_id\0ABC\0{DETAILS}\0".encode()),
        (bounce.Flush(bounce.FLUSH, 2, *HEAD), f"nrequest\x001\0flags\x002\0{NAMED}\0".encode()),
        (bounce.Flush37(bounce.WARN, 2, *HEAD), f"nrequest\x002\0flags\x002\0{NAMED}\0".replace("sendopts", "smtputf8").encode()),
        (bounce.FlushVerp(bounce.VERP, 0, *HEAD, "+="), f"nrequest\x003\0flags\x000\0{NAMED}verp_delimiters\0+=\0\0".encode()),
        (bounce.One(bounce.ONE, 0, *HEAD, "o@x", "r@x", Long(5), "rfc822;o", 4, "5.1.1", "smtp", "550", "dns", "mx", "failed", "why"),
         f"nrequest\x004\0flags\x000\0{NAMED}{DETAILS}\0".encode()),
        (bounce.Result(0), b"status\x000\0\0"),
    ],
)  # fmt: skip
def test_messages_as_postfix_sends_them(message: Attributes, wire: bytes) -> None:
    assert message.encode() == wire
    assert type(message).decode(wire) == message


def test_which_request_is_which() -> None:
    request = bounce.Flush(bounce.TRACE, 512, *HEAD).encode()
    assert bounce.Command.decode(request[: request.index(b"queue_name")] + b"\0") == bounce.Command(bounce.TRACE, 512)
