"""The load tools: how fast each side's smtp-source, smtp-sink, qmqp-source and qmqp-sink are with the reference's other end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.bench.rows import Row
from tests.kit.loadtools import seconds, sink

LEAST: Final = 0.5
MESSAGES: Final = 2000
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "smtp": ("-s", "20", "-l", "1024", "-d"),
    "qmqp": ("-s", "20", "-l", "1024"),
}


def rows() -> list[Row]:
    """Return a row for each tool."""
    return [Row(f"{protocol}-{end}", "", 20, 1024, MESSAGES, LEAST) for protocol in _OPTIONS for end in ("source", "sink")]


def tool_seconds(kind: str, row: Row) -> float:
    """Return how long *row* takes with the tool of one side; the other end is the reference's."""
    protocol, _, end = row.name.partition("-")
    source, server = (kind, "reference") if end == "source" else ("reference", kind)
    options = _OPTIONS[protocol]
    with sink(server, f"{protocol}-sink") as running:
        return seconds(source, f"{protocol}-source", running.port, "-m", str(row.messages), *options)
