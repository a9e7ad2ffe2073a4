from __future__ import annotations

import pytest

from pyfix.scheduling.feedback import ConcurrencyRules, FeedbackError, Window, parse_feedback


def rules(
    *, initial: int = 5, limit: int = 20, positive: str = "1", negative: str = "1", cohort: int = 1
) -> ConcurrencyRules:
    up, up_step = parse_feedback(positive)
    down, down_step = parse_feedback(negative)
    return ConcurrencyRules(initial, limit, up, up_step, down, down_step, cohort)


def test_the_window_grows_with_successes_up_to_the_limit() -> None:
    window = Window(rules())
    assert window.size == 5
    sizes = []
    for _ in range(30):
        window.succeeded(window.size)
        sizes.append(window.size)
    assert sizes[:3] == [6, 7, 8] and sizes[-1] == 20


def test_the_window_does_not_grow_beyond_what_is_used() -> None:
    window = Window(rules())
    for _ in range(10):
        window.succeeded(1)
    assert window.size == 6


def test_feedback_in_parts_of_the_window() -> None:
    window = Window(rules(positive="1/concurrency"))
    for _ in range(5):
        window.succeeded(window.size)
    assert window.size == 6


def test_a_whole_cohort_of_failures_is_death() -> None:
    window = Window(rules(initial=2))
    assert window.failed() is False
    assert window.size == 1
    assert window.failed() is True
    window.reset()
    assert window.size == 2


def test_a_success_between_forgets_the_failures() -> None:
    window = Window(rules(initial=3, negative="0"))
    for _ in range(20):
        assert window.failed() is False
        window.succeeded(window.size)


def test_no_limit_of_cohorts_never_dies() -> None:
    window = Window(rules(cohort=0))
    assert not any(window.failed() for _ in range(100))
    assert window.size == 1


@pytest.mark.parametrize("text", ["", "x", "2", "-1", "1/", "1/other", "1/2", "0.5 / sqrt_concurrency"])
def test_what_is_no_feedback(text: str) -> None:
    with pytest.raises(FeedbackError):
        parse_feedback(text)
