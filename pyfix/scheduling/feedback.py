"""Concurrency feedback: how a destination's window grows with successes and shrinks with failures.

Source: SCHEDULER_README; postconf(5) default_destination_concurrency_positive_feedback and its relatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Feedback = Callable[[int], float]
"""From the present window to the change."""

_EPSILON: Final = 1e-7


class FeedbackError(ValueError):
    """The text is not a feedback formula."""


def parse_feedback(text: str) -> tuple[Feedback, float]:
    """Return the function and the hysteresis for ``number``, ``number / concurrency`` or ``number / sqrt_concurrency``.

    Raises FeedbackError for a number outside of 0 to 1, or another denominator.
    """
    number, slash, name = text.partition("/")
    try:
        value = float(number)
    except ValueError:
        raise FeedbackError(text) from None
    if not 0.0 <= value <= 1.0:
        raise FeedbackError(text)
    name = name.strip()
    if not slash:
        hysteresis = math.ceil(1.0 / value) * value if value else 1.0
        return lambda _window: value, max(hysteresis, 1.0)
    if name in ("concurrency", "$concurrency"):
        return lambda window: value / window, 1.0
    if name in ("sqrt_concurrency", "$sqrt_concurrency"):
        return lambda window: value / math.sqrt(window), 1.0
    raise FeedbackError(text)


@dataclass(frozen=True, slots=True)
class ConcurrencyRules:
    """What a transport's destinations start from."""

    initial: int
    limit: int
    """0 for no limit."""
    positive: Feedback
    positive_hysteresis: float
    negative: Feedback
    negative_hysteresis: float
    cohort_limit: int
    """Cohorts that fail in sequence before the destination counts as dead; 0: never."""

    def first_window(self) -> int:
        """Return the window of a destination of which nothing is known."""
        return min(self.initial, self.limit) if self.limit > 0 else self.initial


class Window:
    """How many deliveries one destination gets at a time."""

    __slots__ = ("_failed_cohorts", "_failures", "_rules", "_successes", "size")

    def __init__(self, rules: ConcurrencyRules) -> None:
        self._rules = rules
        self.reset()

    def reset(self) -> None:
        """Begin again, as for a destination of which nothing is known."""
        self.size = self._rules.first_window()
        self._successes = self._failures = self._failed_cohorts = 0.0

    def succeeded(self, busy: int) -> None:
        """Grow after a delivery; *busy* is how many are under way."""
        rules = self._rules
        self._failed_cohorts = 0.0
        size = self.size
        if (rules.limit and size >= rules.limit) or size >= busy + rules.initial:
            return
        self._successes += rules.positive(size)
        while self._successes + _EPSILON >= rules.positive_hysteresis:
            self.size += math.ceil(rules.positive_hysteresis)
            self._successes -= rules.positive_hysteresis
            self._failures = 0.0
        if rules.limit and self.size > rules.limit:
            self.size = rules.limit

    def failed(self) -> bool:
        """Shrink after the destination could not be reached; tell whether it counts as dead now."""
        rules = self._rules
        self._failed_cohorts += 1.0 / self.size
        if rules.cohort_limit and self._failed_cohorts + _EPSILON >= rules.cohort_limit:
            return True
        self._failures -= rules.negative(self.size)
        while self._failures - _EPSILON < -rules.negative_hysteresis / 2:
            self.size -= math.ceil(rules.negative_hysteresis)
            self._failures += rules.negative_hysteresis
            self._successes = 0.0
        self.size = max(self.size, 1)
        return False
