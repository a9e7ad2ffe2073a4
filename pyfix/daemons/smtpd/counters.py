"""The counters in the line that a session leaves in the log at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ORDER", "counters_text"]

ORDER: Final = (
    "helo", "ehlo", "xclient", "xforward", "starttls", "auth", "mail", "rcpt", "data", "bdat", "rset", "noop",
    "vrfy", "etrn", "quit", "help", "unknown",
)  # fmt: skip
"""In which order they stand there."""
_RANK: Final = {name: rank for rank, name in enumerate(ORDER)}


def counters_text(counts: Mapping[str, list[int]]) -> str:
    """Return ``name=done/tried`` for each command and for all together; *counts*: done and tried of each."""
    parts = [
        f"{name}={done}" if done == tried else f"{name}={done}/{tried}"
        for name, (done, tried) in sorted(counts.items(), key=_by_rank)
    ]
    good, total = map(sum, zip([0, 0], *counts.values(), strict=True))
    parts.append(f"commands={good}" if good == total and total else f"commands={good}/{total}")
    return " ".join(parts)


def _by_rank(count: tuple[str, list[int]]) -> int:
    return _RANK[count[0]]
