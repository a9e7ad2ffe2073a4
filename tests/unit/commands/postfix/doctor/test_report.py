from __future__ import annotations

import json

from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity
from pyfix.commands.postfix.doctor.registry import CHECKS
from pyfix.commands.postfix.doctor.report import as_json, as_text

FOUND = [
    ("tables", Finding(Severity.WARNING, Place("/m", 2), "old", "It is old. " * 20, ("postmap hash:/x", "reload"))),
    ("host_names", Finding(Severity.NOTE, Place("/m"), "short", "Why.")),
    ("table_rights", Finding(Severity.ERROR, Place("/m", 3), "open", "Why not.")),
]


def test_text() -> None:
    text = as_text(FOUND, color=False)
    lines = text.splitlines()
    assert lines[0] == "Lookup tables"
    assert [line for line in lines if line.startswith("  ") and line[2] != " "] == [
        "  error: open", "  warning: old", "  note: short",
    ]  # fmt: skip
    assert "    at /m:2" in lines
    assert "        postmap hash:/x" in lines
    assert max(map(len, lines)) <= 100
    assert lines[-1] == f"Found in {len(CHECKS)} checks: 1 error, 1 warning, 1 note."
    assert "\033" not in text


def test_colors() -> None:
    assert "\033[31;1merror\033[0m: open" in as_text(FOUND, color=True)


def test_paths_stay_whole() -> None:
    path = f"/{'long-name/' * 15}x"
    text = as_text([("tables", Finding(Severity.ERROR, Place("/m"), f"the file {path} is missing", "Why."))], color=False)
    assert f"    {path} is missing\n" in text or f"    {path}\n" in text


def test_nothing() -> None:
    assert as_text([], color=True) == f"Nothing found in {len(CHECKS)} checks.\n"


def test_json() -> None:
    told = json.loads(as_json(FOUND, "/etc/postfix"))
    assert told["config_directory"] == "/etc/postfix"
    assert told["counts"] == {"note": 1, "warning": 1, "error": 1}
    assert told["checks"] == list(CHECKS)
    assert told["findings"][0] == {
        "check": "tables",
        "severity": "warning",
        "file": "/m",
        "line": 2,
        "what": "old",
        "why": "It is old. " * 20,
        "instead": ["postmap hash:/x", "reload"],
    }
    assert told["findings"][1]["line"] is None
