from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.daemons.smtp.checks import CheckFailed, Checks
from pyfix.runtime.log import log
from tests.unit.daemons.smtp.test_setup import settings

TABLE = "/a$/ REPLACE Y: b\n/b$/ PREPEND Z: c\n/c$/ STRIP\n/d$/ REJECT no\n/e$/ WARN it\n/f$/ IGNORE\n"


def test_actions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "table").write_text(TABLE)
    said: list[str] = []
    monkeypatch.setattr(log, "info", said.append)
    monkeypatch.setattr(log, "warning", said.append)
    checks = Checks(settings(smtp_header_checks=f"regexp:{tmp_path}/table"), "smtp")
    assert checks and not checks.of_body
    found = [
        checks.header("ABC", "header", text) for text in (b"X: a", b"X: b", b"X: c", b"X: d", b"X: e", b"X: f", b"X: g")
    ]
    assert found == [[b"Y: b"], [b"Z: c", b"X: b"], [], [b"X: d"], [b"X: e"], [], [b"X: g"]]
    assert said == [
        "ABC: replace: header X: a: Y: b", "ABC: prepend: header X: b: Z: c", "ABC: strip: header X: c",
        "unsupported command in smtp_header_checks map: REJECT no", "ABC: warning: header X: e: it",
    ]  # fmt: skip
    assert checks.header("ABC", "mime", b"X: a") == [b"X: a"] and checks.line("ABC", b"X: a") == [b"X: a"]


def test_a_table_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(log, "warning", said.append)
    monkeypatch.setattr(log, "error", said.append)
    checks = Checks(settings(smtp_body_checks="fail:it"), "smtp")
    assert checks.of_body
    with pytest.raises(CheckFailed):
        checks.line("ABC", b"x")
    assert said[-1] == "ABC: smtp body checks lookup error"
