from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pyfix.scheduling.feedback import ConcurrencyRules, parse_feedback
from pyfix.scheduling.message import Entry
from pyfix.scheduling.transport import Transport

UP, STEP = parse_feedback("1")


def transport(*, initial: int = 2, rate_delay: int = 0) -> Transport:
    return Transport("smtp", ConcurrencyRules(initial, 20, UP, STEP, UP, STEP, 1), 50, rate_delay)


def entry(made: Transport, name: str, label: str = "") -> Entry:
    message: Any = SimpleNamespace(label=label)
    return Entry(message, made.destination(name, name), [])


def taken(made: Transport) -> list[str]:
    names = []
    while (found := made.next_entry()) is not None:
        names.append(found.destination.name)
    return names


def test_destinations_take_turns_within_their_windows() -> None:
    made = transport()
    for name in ("a", "a", "a", "a", "b", "b", "b", "c"):
        made.add(entry(made, name))
    assert taken(made) == ["a", "b", "c", "a", "b"]


def test_a_window_that_opens_lets_the_next_go() -> None:
    made = transport(initial=1)
    for label in ("first", "second"):
        made.add(entry(made, "a", label))
    first = made.next_entry()
    assert first is not None and made.next_entry() is None
    first.destination.busy -= 1
    made.offer(first.destination)
    second = made.next_entry()
    assert second is not None and second.message.label == "second"  # type: ignore[attr-defined]  # the message of this test has it


def test_what_no_agent_took_comes_first_again() -> None:
    made = transport(initial=1)
    for label in ("first", "second"):
        made.add(entry(made, "a", label))
    first = made.next_entry()
    assert first is not None
    made.put_back(first)
    assert made.next_entry() == first


def test_the_dead_get_nothing() -> None:
    made = transport()
    made.add(entry(made, "a"))
    made.destinations["a"].dead = "4.4.1 away"
    assert taken(made) == []
    made.destinations["a"].dead = ""
    made.offer(made.destinations["a"])
    assert taken(made) == ["a"]


def test_idle_destinations_are_forgotten() -> None:
    made = transport()
    found = made.destination("a", "a")
    made.forget_if_idle(found)
    assert made.destinations == {}
    found = made.destination("a", "a")
    found.dead = "4.4.1 away"
    made.forget_if_idle(found)
    assert "a" in made.destinations


def test_many_destinations_are_not_slow() -> None:
    made = transport()
    for number in range(20000):
        made.add(entry(made, f"d{number}"))
    assert len(taken(made)) == 20000
