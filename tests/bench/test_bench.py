"""The bench itself, with few messages and the reference on both sides."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from pyfix.tables.python import PythonTable
from pyfix.tables.source import TABLE_TYPES
from pyfix.tables.sqlite import SqliteTable
from pyfix.tables.table import Table
from tests.bench import report, stalls, tables
from tests.bench.__main__ import main
from tests.bench.commands import ALL_PARAMETERS, COMMANDS, IN_TURN
from tests.bench.costs import Times, _total_calls
from tests.bench.rows import ROWS

TABLE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600           2       300        10 read
 40.00    0.000400           4       100           write
------ ----------- ----------- --------- --------- ----------------
100.00    0.001000           2       400        10 total
"""


def test_total_of_strace() -> None:
    assert _total_calls(TABLE) == 400
    assert _total_calls("") == 0


def test_a_ratio_below_the_least_is_missed() -> None:
    row = ROWS[0]
    text, ratio = report.summary(row, ("a", "b"), ([2.0, 2.0], [1.0, 1.2]))
    assert 1.8 < ratio < 2.0 and text.endswith("MISSED")
    text, _ = report.summary(row, ("a", "b"), ([2.0, 2.0], [0.9, 1.0]))
    assert text.endswith("ok")


def test_costs_a_message() -> None:
    times = Times(Counter(smtpd=1000), Counter(smtpd=3000, qmgr=100))
    lines = report.costs("pyfix", 10, times, Counter(smtpd=50))
    assert any(line.split() == ["smtpd", "100", "300", "5.0"] for line in lines)
    assert lines[-1].split() == ["all", "100", "310", "5.0"]


@pytest.mark.reference
@pytest.mark.parametrize("name", ["maildir-1", "auth-1000"])
def test_one_row(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    output = tmp_path / "figures"
    arguments = ["--quick", "--sides", "reference,reference", "--rows", name, "--json", str(output)]
    status = main(arguments)
    figures = json.loads(output.read_text())[name]
    least = next(row.least for row in ROWS if row.name == name)
    assert [len(rounds) for rounds in figures["seconds"]] == [3, 3]
    assert status == (0 if figures["ratio"] >= least else 1)
    assert f"{name} " in capsys.readouterr().out


@pytest.mark.reference
def test_lookups_of_every_type() -> None:
    """There is a row for each type that pyfix has and can be asked quickly."""
    without = {"debug", "fail", "mongodb", "nis", "python"}
    assert set(tables.LOOKUPS) == set(TABLE_TYPES) - without


@pytest.mark.timeout(300)
def test_no_lookup_keeps_an_event_loop_from_its_next_turn(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--quick", "--shared-disk", "--rows", "stalls"])
    said = capsys.readouterr().out
    assert status == 0 and said.count("  ok") == len(stalls.KINDS), said


def test_a_loop_that_waits_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that computes, by what its thread takes."""
    with stalls.prepared(tmp_path) as name:
        for kind in (PythonTable, SqliteTable):
            monkeypatch.setattr(kind, "find", waiting)
        assert stalls.longest("python", name("python"), tmp_path)[1] >= stalls.WAITED
        assert stalls.longest("sqlite", name("sqlite"), tmp_path)[2] > stalls.LIMIT


async def waiting(table: Table, key: str) -> str | None:
    """Ask as a command would."""
    return table.find_now(key)


@pytest.mark.reference
def test_commands(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--sides", "reference,reference", "--rows", "commands"])
    said = capsys.readouterr().out
    for name in [*COMMANDS, *IN_TURN, *ALL_PARAMETERS]:
        assert len([line for line in said.splitlines() if f"reference, {name}, median of 6" in line]) == 2, said
