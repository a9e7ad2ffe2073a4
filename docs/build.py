"""What mkdocs does besides: examples come from their files, known differences from the tests that allow them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def on_page_markdown(markdown: str, *, page: Any, **_more: Any) -> str:
    """Return the text of a page, complete.  Source: mkdocs' hooks."""
    if page.file.src_path == "differences.md":
        return f"{markdown}\n{differences()}"
    return re.sub(r"\{(examples/\w+\.py)\}", lambda found: (ROOT / "docs" / found[1]).read_text().rstrip(), markdown)


def differences() -> str:
    """Return all known differences as a list, by the program that they begin with."""
    sys.path.insert(0, str(ROOT))
    try:
        from tests.parity.known_differences import KNOWN_DIFFERENCES, UNCOMPARED
    finally:
        sys.path.remove(str(ROOT))
    reasons = {*UNCOMPARED, *(difference.reason for difference in KNOWN_DIFFERENCES)}
    return "\n".join(f"- {_escaped(reason)}" for reason in sorted(reasons, key=str.lower))


def _escaped(text: str) -> str:
    return re.sub(r"([*_`<>\[\]|\\])", r"\\\1", text)
