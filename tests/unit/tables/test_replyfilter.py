from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.formats.dnsrecord import AddressRecord, MxRecord
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now
from pyfix.tables.replyfilter import reply_filter

RECORDS = (
    MxRecord("MX", "a.example", "a.example", 60, 10, "m.example"),
    AddressRecord("A", "m.example", "m.example", 60, "192.0.2.1"),
)


@pytest.mark.parametrize(
    ("rule", "left", "lines"),
    [
        ("/^nothing/ IGNORE", 2, []),
        (r"/ MX 10 m\.example\.$/ ignore", 1, ["ignoring DNS RR: a.example. 60 IN MX 10 m.example."]),
        ("/./ DROP", None, ['smtpd_dns_reply_filter: unknown DNS filter action: "DROP"']),
    ],
)  # fmt: skip
def test_actions(
    rule: str, left: int | None, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(log, "info", logged.append)
    monkeypatch.setattr(log, "warning", logged.append)
    (tmp_path / "filter").write_text(rule + "\n")
    tables = reply_filter("smtpd_dns_reply_filter", (f"regexp:{tmp_path}/filter",), Snapshot({}))
    assert tables is not None
    kept = run_now(tables.keep(RECORDS))
    assert (None if kept is None else len(kept), logged) == (left, lines)


def test_no_table_is_no_filter() -> None:
    assert reply_filter("smtpd_dns_reply_filter", (), Snapshot({})) is None


def test_a_table_that_fails(tmp_path: Path) -> None:
    tables = reply_filter("smtpd_dns_reply_filter", (f"hash:{tmp_path}/missing",), Snapshot({}))
    assert tables is not None
    assert run_now(tables.keep(RECORDS)) is None
