"""The queue as a picture: its numbers, and how they are drawn."""

from __future__ import annotations

import pytest

from pyfix.queue.agechart import AGES, EMPTY, AgeChart, draw

NOW = 1_000_000_000.0
HOUR = 3600
MESSAGES = [
    (NOW, ["a@busy.example", "b@BUSY.example", "c@other.example"]),
    (NOW - 20 * 60, ["a@busy.example"] * 6),
    (NOW - 3 * HOUR, ["a@busy.example"]),
    (NOW - 500 * HOUR, ["a@old.example", "plain"]),
    (NOW - 1, []),
]


def _column(line: str, width: int, cells: int) -> list[str]:
    """Return what stands in each of the last *cells* columns of a line."""
    line = line.ljust(width)
    return [line[width - size : width - size + cells] for size in range(cells * len(AGES), 0, -cells)]


def test_numbers() -> None:
    chart = AgeChart(MESSAGES, NOW)
    assert chart.messages == 5
    assert chart.total == ("all destinations", 12, [3, 6, 0, 0, 1, 0, 0, 0, 0, 2])
    assert chart.rows(10) == [
        ("busy.example", 9, [2, 6, 0, 0, 1, 0, 0, 0, 0, 0]),
        ("old.example", 1, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ("other.example", 1, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("plain", 1, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ]
    assert chart.title() == "Mail queue by age and destination: 5 messages, 12 recipients, 4 destinations"


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_rest_is_summed(most: int) -> None:
    chart = AgeChart(MESSAGES, NOW)
    rows = chart.rows(most)
    assert len(rows) == most and rows[-1][0] == f"{5 - most} others"
    assert sum(row[1] for row in rows) == 12
    assert [sum(column) for column in zip(*(row[2] for row in rows), strict=True)] == chart.total[2]


@pytest.mark.parametrize(
    ("age", "label"),
    [(0, "15m"), (899, "15m"), (900, "30m"), (1799, "30m"), (1800, "1h"), (HOUR, "2h"), (2 * HOUR, "4h"), (4 * HOUR, "8h"),
     (8 * HOUR, "16h"), (16 * HOUR, "32h"), (32 * HOUR, "64h"), (64 * HOUR, "old"), (-100, "15m")],
)
def test_labels_tell_the_age(age: int, label: str) -> None:
    chart = AgeChart([(NOW - age, ["a@x.example"])], NOW)
    assert [name for name, number in zip(AGES, chart.total[2], strict=True) if number] == [label]


@pytest.mark.parametrize("width", [80, 132, 70])
@pytest.mark.parametrize("wide", [True, False])
def test_drawn(width: int, wide: bool) -> None:
    lines = draw(AgeChart(MESSAGES, NOW), width, 10, wide=wide).splitlines()
    assert all(len(line) <= width for line in lines[2:])
    head = lines[2]
    cells = head.index("30m") - head.index("15m")
    ends = [head.index(f" {age}") + 1 + len(age) for age in AGES]
    assert [ends[at + 1] - ends[at] for at in range(len(AGES) - 1)] == [cells] * (len(AGES) - 1)
    full, half = ("█", "▂") if wide else ("@", ":")
    busy = lines[4].ljust(ends[-1])
    assert busy.split()[:2] == ["busy.example", "9"]
    assert [busy[end - 1] for end in ends] == [half, full, " ", " ", "▁" if wide else ".", *" " * 5]
    assert lines[3].split()[:3] == ["all", "destinations", "12"]
    assert lines[-1] == f"{full} is 6 in the first line, 6 below it"
    assert wide or "\n".join(lines).isascii()


def test_long_and_hostile_names() -> None:
    long = "x" * 80 + ".example"
    text = draw(AgeChart([(NOW, [f"a@{long}", "b@\x1b[2Jevil", "c@\udcff"])], NOW), 80, 10, wide=False)
    assert "+" + "x" in text and ".example" in text and "\x1b" not in text and "?[2jevil" in text
    assert all(len(line) <= 80 for line in text.splitlines()[2:])


def test_empty() -> None:
    assert draw(AgeChart([], NOW), 80, 10, wide=True) == EMPTY
    assert "0 recipients" in draw(AgeChart([(NOW, [])], NOW), 80, 10, wide=True)
