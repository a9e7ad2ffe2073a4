"""What came of the mail of other people's programs, without what these make up anew for each message."""

from __future__ import annotations

import re

from tests.kit.instance import Instance

_MADE_UP = (
    (re.compile(r"(?im)^(Message-ID|Content-ID): <(?!\d{14}\.[0-9A-F]+@)[^>]*>"), r"\1: <MADE UP>"),
    (re.compile(r'(?i)(boundary=")[^"]+"'), r'\1B"'),
    (re.compile(r"(?m)^--[^ \n]{16,}?(--)?$"), r"--B\1"),
    (re.compile(r"(?m)^\s*#+ Logwatch.*#+$|Processing Initiated: .*"), ""),
    (re.compile(r"message-id=<(?!\d{14}\.[0-9A-F]+@)[^>]*>"), "message-id=<MADE UP>"),
    (re.compile(r"message-id=<\d{14}\.[0-9A-F]+@"), "message-id=<MADE HERE@"),
    (re.compile(r"(?<=, )size=\d+"), "size=N"),
    (re.compile(r"X-PHP-Originating-Script: .*\n"), ""),
)
"""What the programs themselves make up for each message."""


_QUEUE_ID = re.compile(r"\b[0-9A-F]{8,12}\b")
"""By which messages are in no order."""


def steady(text: str) -> str:
    """Return *text* without what a program makes up."""
    for pattern, replacement in _MADE_UP:
        text = pattern.sub(replacement, text)
    return text


def lines_of(mta: Instance, programs: str = "pickup|cleanup|qmgr|virtual|local") -> list[str]:
    """Return what was delivered, and logged by *programs*, but for what the clients make up; in no order of messages."""
    found = []
    for name, messages in mta.deliveries().items():
        texts = sorted((steady(message.decode("utf-8", "backslashreplace")) for message in messages), key=lambda text: _QUEUE_ID.sub("", text))
        found += [f"{name}: {text}" for text in texts]
    wanted = re.compile(rf"/(?:{programs})\[\d+\]: (?!statistics)(.*)")
    logged = sorted(re.sub(r"^\w+: ", "", steady(match[1])) for line in mta.log_lines() if (match := wanted.search(line)))
    return "\n".join([*found, *logged]).splitlines()
