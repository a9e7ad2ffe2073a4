"""What the bench prints."""

from __future__ import annotations

from collections import Counter
from statistics import median

from tests.bench.costs import Times
from tests.bench.rows import Row


def summary(row: Row, sides: tuple[str, str], seconds: tuple[list[float], list[float]]) -> tuple[str, float]:
    """Return a line with both rates (median and range), and the ratio of the medians."""
    first, second = ([row.messages / value for value in values] for values in seconds)
    ratio = median(second) / median(first)
    verdict = "ok" if ratio >= row.least else "MISSED"
    text = f"{row.name:16} {sides[0]} {_rates(first)}   {sides[1]} {_rates(second)}   "
    return f"{text}{ratio:5.2f}x  (at least {row.least}) {verdict}", ratio


def _rates(rates: list[float]) -> str:
    return f"{median(rates):7.1f}/s [{min(rates):7.1f} - {max(rates):7.1f}]"


def costs(side: str, messages: int, times: Times, calls: Counter[str] | None) -> list[str]:
    """Return lines with what a message cost, by daemon."""
    names = sorted(times.user.keys() | times.system.keys() | (calls or Counter()).keys())
    lines = [f"    {side:12} {'us user':>9} {'us system':>9} {'calls':>8}   a message"]
    for name in names:
        user, system = times.user[name] / messages, times.system[name] / messages
        count = calls[name] / messages if calls else 0.0
        if user + system + count >= 0.5:
            lines.append(f"      {name:20} {user:9.0f} {system:9.0f} {f'{count:8.1f}' if calls else '       -'}")
    total_calls = f"{calls.total() / messages:8.1f}" if calls else "       -"
    user, system = times.user.total() / messages, times.system.total() / messages
    lines.append(f"      {'all':20} {user:9.0f} {system:9.0f} {total_calls}")
    return lines


def limit(name: str, value: float, most: float, unit: str, wanted: bool) -> str:
    """Return a line that says whether *value* is low enough."""
    verdict = ("ok" if value <= most else "MISSED") if wanted else ""
    return f"  {name:44} {value:10.1f} {unit:4}{f'  (at most {most:.1f}) {verdict}' if wanted else ''}"
