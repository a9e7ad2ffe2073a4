"""The queue as a picture: how many recipients wait for each destination, and for how long.

The numbers are those of ``AgeCount``; here they are put in rows and drawn with letters.  Source: postqueue(1) --plot.
"""

from __future__ import annotations

from pyfix.queue.agecount import TOTAL, AgeCount

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable

AGES = ("15m", "30m", "1h", "2h", "4h", "8h", "16h", "32h", "64h", "old")
"""Up to which age each range goes; the last has no end."""
_FIRST_MINUTES = 15

EMPTY = "Mail queue is empty\n"
_ALL = "all destinations"
_LEVELS = {True: " ▁▂▃▄▅▆▇█", False: " .:-=+*#@"}
_MIN_NAME, _MAX_NAME, _MIN_CELL, _MAX_CELL = 12, 40, 4, 12

Row = tuple[str, int, list[int]]
"""A destination, its recipients, and how many of them are in each of AGES."""


class AgeChart:
    """What is shown: numbers of messages, recipients and destinations, and the rows."""

    def __init__(self, messages: Iterable[tuple[float, list[str]]], now: float) -> None:
        """*messages*: when each arrived (seconds since the epoch, as *now*), and the addresses that wait."""
        count = AgeCount(now, len(AGES), _FIRST_MINUTES, linear=False, parents=False)
        self.messages = 0
        for arrived, recipients in messages:
            self.messages += 1
            for recipient in recipients:
                count.add(arrived, recipient.encode("utf-8", "surrogateescape"))
        total = count.counts.pop(TOTAL)
        self.total: Row = (_ALL, total[0], total[1:])
        self._rows: list[Row] = sorted(
            [(_printable(name), numbers[0], numbers[1:]) for name, numbers in count.counts.items()],
            key=lambda row: (-row[1], row[0]),
        )

    def rows(self, most: int) -> list[Row]:
        """Return the destinations with the most recipients first; those beyond *most* rows are summed in the last."""
        if len(self._rows) <= most:
            return self._rows
        shown, rest = self._rows[: most - 1], self._rows[most - 1 :]
        numbers = [sum(column) for column in zip(*[row[2] for row in rest], strict=True)]
        return [*shown, (f"{len(rest)} others", sum(numbers), numbers)]

    def title(self) -> str:
        """Return what the picture shows, in a line."""
        return (
            f"Mail queue by age and destination: {_counted(self.messages, 'message')}, "
            f"{_counted(self.total[1], 'recipient')}, {_counted(len(self._rows), 'destination')}"
        )


def draw(chart: AgeChart, width: int, most: int, *, wide: bool) -> str:
    """Return the picture as lines of at most *width* columns where that is possible, with *most* destinations.

    *wide*: with the block elements of Unicode instead of ASCII.
    """
    if not chart.messages:
        return EMPTY
    rows = chart.rows(most)
    digits = max(len(str(chart.total[1])), len("all")) + 1
    longest = max(len(row[0]) for row in (chart.total, *rows))
    name = min(max(width - digits - len(AGES) * _MIN_CELL, _MIN_NAME), max(longest, _MIN_NAME), _MAX_NAME)
    cell = min(max((width - digits - name) // len(AGES), _MIN_CELL), _MAX_CELL)
    most_here = max(max(row[2]) for row in rows) if rows else 0
    head = "".join([age.rjust(cell) for age in AGES])
    lines = [chart.title(), "", f"{'':{name}}{'all':>{digits}}{head}"]
    for row, full in [(chart.total, max(chart.total[2])), *[(row, most_here) for row in rows]]:
        bars = "".join([" " + _bar(number, full, wide=wide) * (cell - 1) for number in row[2]])
        lines.append(f"{_shortened(row[0], name):{name}}{row[1]:>{digits}}{bars}".rstrip())
    mark = _LEVELS[wide][-1]
    lines += ["", f"{mark} is {max(chart.total[2])} in the first line, {most_here} below it"]
    return "\n".join(lines) + "\n"


def _bar(number: int, full: int, *, wide: bool) -> str:
    """Return the letter for a share of *full*: blank only for none."""
    levels = _LEVELS[wide]
    if not number:
        return levels[0]
    return levels[max(1, number * (len(levels) - 1) // full)]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _shortened(name: str, width: int) -> str:
    """Return a name that fits; its end says more than its start."""
    return name if len(name) <= width else "+" + name[len(name) - width + 1 :]


def _printable(name: bytes) -> str:
    """Return a domain without what would command a terminal."""
    text = name.decode("utf-8", "replace")
    return "".join([letter if letter.isprintable() else "?" for letter in text])
