"""Concurrency feedback: how a destination's window grows with successes and shrinks with failures.

Source: SCHEDULER_README; postconf(5) default_destination_concurrency_positive_feedback and its relatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Feedback = Callable[[int], float]
"""From the present window to the change."""

_EPSILON: Final = 1e-7


class FeedbackError(ValueError):
    """The text is not a feedback formula."""


def parse_feedback(text: str) -> tuple[Feedback, float]:
    """Return the function, and the hysteresis, which is 1, for ``number`` or ``number / concurrency``.

    Raises FeedbackError for a number outside of 0 to 1, or another denominator: of sqrt_concurrency, which manuals
    know, no release of the reference makes use.
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
        return lambda _window: value, 1.0
    if name in ("concurrency", "$concurrency"):
        return lambda window: value / window, 1.0
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
    tell: Callable[[str], None] | None = None
    """Is told each step of a window, for the log.  Source: destination_concurrency_feedback_debug."""

    def first_window(self) -> int:
        """Return the window of a destination of which nothing is known."""
        return min(self.initial, self.limit) if self.limit > 0 else self.initial


class Window:
    """How many deliveries one destination gets at a time."""

    __slots__ = ("_failed_cohorts", "_failures", "_name", "_rules", "_successes", "size")

    def __init__(self, rules: ConcurrencyRules, name: str = "") -> None:
        """*name* is what the log calls the destination."""
        self._rules = rules
        self._name = name
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
        if (not rules.limit or size < rules.limit) and size < busy + rules.initial:
            feedback = rules.positive(size)
            if rules.tell is not None:
                rules.tell(f"qmgr_queue_unthrottle: feedback {feedback:g}")
            self._grow(feedback)
        if rules.tell is not None:
            self._tell(rules.tell, "qmgr_queue_unthrottle", self.size)

    def _grow(self, feedback: float) -> None:
        rules = self._rules
        self._successes += feedback
        while feedback and self._successes + feedback / 2 >= rules.positive_hysteresis:
            self.size += int(rules.positive_hysteresis)
            self._successes -= rules.positive_hysteresis
            self._failures = 0.0
        if rules.limit and self.size > rules.limit:
            self.size = rules.limit

    def failed(self) -> bool:
        """Shrink after the destination could not be reached; tell whether it counts as dead now."""
        rules = self._rules
        self._failed_cohorts += 1.0 / self.size
        dead = bool(rules.cohort_limit) and self._failed_cohorts + _EPSILON >= rules.cohort_limit
        if not dead:
            feedback = rules.negative(self.size)
            if rules.tell is not None:
                rules.tell(f"qmgr_queue_throttle: feedback {feedback:g}")
            self._shrink(feedback)
        if rules.tell is not None:
            self._tell(rules.tell, "qmgr_queue_throttle", 0 if dead else self.size)
        return dead

    def _shrink(self, feedback: float) -> None:
        hysteresis = self._rules.negative_hysteresis
        self._failures -= feedback
        while feedback and self._failures - feedback / 2 < 0:
            self.size -= int(hysteresis)
            self._failures += hysteresis
            self._successes = 0.0
        self.size = max(self.size, 1)

    def _tell(self, tell: Callable[[str], None], step: str, size: int) -> None:
        tell(
            f"{step}: queue {self._name}: limit {self._rules.limit} window {size} success {self._successes:g}"
            f" failure {self._failures:g} fail_cohorts {self._failed_cohorts:g}"
        )
