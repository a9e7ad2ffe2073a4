from __future__ import annotations

from typing import Any

import pytest

from pyfix.daemons.cleanup.origin import describe, log_action, log_refusal, origin
from pyfix.runtime.log import log


def message(sender: str | None = "s x@y", recipient: str | None = "r@x", **attributes: str) -> Any:
    return type("Message", (), {
        "queue_id": "ID", "sender": sender, "last_recipient": recipient,
        "attributes": {name.encode(): value.encode() for name, value in attributes.items()},
    })  # fmt: skip


CLIENT = {"log_message_origin": "c.example[192.0.2.1]", "log_protocol_name": "ESMTP", "log_helo_name": "h"}


@pytest.mark.parametrize(
    ("what", "protocol", "text"),
    [
        (message(), False, 'local; from=<"s x"@y> to=<r@x>'),
        (message(None), False, "local;"),
        (message("", None), False, "local; from=<> to=<unknown>"),
        (message("", None), True, "local; from=<>"),
        (message(""), False, "local; from=<> to=<r@x>"),
        (message(**CLIENT), False, 'c.example[192.0.2.1]; from=<"s x"@y> to=<r@x>'),
        (message(**CLIENT), True, 'c.example[192.0.2.1]; from=<"s x"@y> to=<r@x> proto=ESMTP helo=<h>'),
        (message(), True, 'local; from=<"s x"@y> to=<r@x>'),
    ],
)
def test_origin(what: Any, protocol: bool, text: str) -> None:
    assert origin(what, protocol=protocol) == text


def test_long_content_is_cut() -> None:
    assert describe(message(None), b"x" * 300) == "x" * 200 + " from local;"


@pytest.mark.parametrize(
    ("verb", "argument", "line"),
    [
        ("WARN", "look", "ID: warning: header Subject: x from local; from=<s> to=<r@x>: look"),
        ("REJECT", "5.7.1 no", "ID: reject: header Subject: x from local; from=<s> to=<r@x>: 5.7.1 no"),
        ("INFO", "", "ID: info: header Subject: x from local; from=<s> to=<r@x>"),
    ],
)
def test_lines(monkeypatch: pytest.MonkeyPatch, verb: str, argument: str, line: str) -> None:
    lines: list[str] = []
    monkeypatch.setattr(log, "info", lines.append)
    log_action(message("s"), verb, "header", b"Subject: x", argument)
    log_refusal(message("s"), "mime-error x", b"text")
    assert lines == [line, "ID: reject: mime-error x: text from local; from=<s> to=<r@x>"]
