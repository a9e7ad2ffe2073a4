from __future__ import annotations

import random
from typing import Any

import pytest

from pyfix.scheduling.feedback import ConcurrencyRules, parse_feedback
from pyfix.scheduling.jobs import JobTransport, SlotRules
from pyfix.scheduling.message import ActiveMessage, Entry

UP, STEP = parse_feedback("1")


def transport(window: int = 1000, slots: SlotRules | None = None, recipients: int = 1) -> JobTransport:
    rules = ConcurrencyRules(window, 0, UP, STEP, UP, STEP, 1)
    return JobTransport("smtp", rules, recipients, 0, slots)


def message(label: str, active_time: float = 0.0) -> ActiveMessage:
    made = ActiveMessage.__new__(ActiveMessage)
    made.queue_id = label
    made.active_time = active_time
    return made


def post(made: JobTransport, label: str, *destinations: str, active_time: float = 0.0, unread: int = 0) -> ActiveMessage:
    """Let a message wait that has one entry for each of *destinations*."""
    found = message(label, active_time)
    found.outstanding = len(destinations)
    found.unread = unread
    for name in destinations:
        made.add(Entry(found, made.destination(name, name), []))
    return found


def taken(made: JobTransport, most: int = 1 << 30) -> list[Any]:
    found: list[Any] = []
    while len(found) < most and (entry := made.next_entry()) is not None:
        found.append(entry)
    return found


def labels(entries: list[Any]) -> str:
    return "".join(entry.message.queue_id for entry in entries)


def done(made: JobTransport, entries: list[Any]) -> None:
    for entry in entries:
        entry.destination.busy -= 1
        made.offer(entry.destination)


def test_small_messages_make_no_jobs() -> None:
    made = transport()
    found = [post(made, "a", "x", "y"), post(made, "b", "x")]
    assert labels(taken(made)) == "aab"
    assert all(one.jobs is None for one in found)


def test_a_job_after_the_other_where_nobody_may_go_before() -> None:
    made = transport(slots=SlotRules(cost=0))
    post(made, "A", *["x"] * 40)
    post(made, "b", "x")
    post(made, "c", "y")
    # The transport has no job when "A" cannot be interrupted; destinations take turns.
    assert labels(taken(made)).count("A") == 40


def test_destinations_of_a_job_take_turns() -> None:
    made = transport()
    post(made, "A", *["x"] * 10, *["y"] * 10)
    assert "".join(entry.destination.name for entry in taken(made)) == "xy" * 10


@pytest.mark.parametrize("place", ["x", "other"])
def test_a_small_message_goes_before_a_big_one(place: str) -> None:
    made = transport()
    post(made, "A", *["x"] * 100)
    assert labels(taken(made, 10)) == "A" * 10
    post(made, "b", place)
    assert labels(taken(made, 3)) == "bAA"


def test_slots_have_to_be_earned() -> None:
    """Without loan and discount a job goes before another as often as one in five deliveries pays for."""
    made = transport(slots=SlotRules(loan=0, discount=0))
    post(made, "A", *["x"] * 50)
    for _ in range(5):
        post(made, "b", "x")
    assert labels(taken(made, 21)) == "AAAAAbAAAAAbAAAAAbAAA"


def test_a_message_that_is_as_large_waits() -> None:
    made = transport()
    post(made, "A", *["x"] * 50)
    post(made, "B", *["x"] * 50)
    assert labels(taken(made)) == "A" * 50 + "B" * 50


def test_the_one_that_has_waited_longest_for_its_size_goes_first() -> None:
    made = transport()
    post(made, "A", *["x"] * 100)
    post(made, "b", "x", "x", active_time=1e9)
    post(made, "c", "x", active_time=1e9)
    post(made, "d", "x", "x", "x", "x", active_time=-1e12)
    assert labels(taken(made, 5)) == "Adddd"


def test_one_that_went_before_may_be_gone_before() -> None:
    made = transport(slots=SlotRules(loan=50))
    post(made, "A", *["x"] * 400)
    post(made, "B", *["x"] * 40)
    assert labels(taken(made, 3)) == "ABB"
    post(made, "c", "x")
    assert labels(taken(made, 40)) == "c" + "B" * 38 + "A"


def test_a_loan_is_paid_back_first() -> None:
    made = transport(slots=SlotRules(loan=3, discount=0))
    post(made, "A", *["x"] * 50)
    post(made, "b", "x")
    post(made, "c", "x")
    assert labels(taken(made, 9)) == "AbAAAAAcA"


def test_slots_are_whole() -> None:
    """Half of a slot is what a job of one delivery needs with the usual discount, but there are no halves."""
    made = transport(slots=SlotRules(loan=0))
    post(made, "A", *["x"] * 50)
    post(made, "b", "x")
    assert labels(taken(made, 7)) == "AAAAAbA"


def test_a_job_whose_destination_is_full_lets_others_go() -> None:
    made = transport(window=3)
    post(made, "A", *["x"] * 20)
    post(made, "B", *["x"] * 20, "y")
    first = taken(made)
    assert labels(first) == "AAAB"
    done(made, first[:2])
    assert labels(taken(made)) == "AA"


def test_recipients_that_are_not_read_yet_count() -> None:
    made = transport(recipients=50)
    big = post(made, "A", "x", "x", unread=5000)
    post(made, "b", "x")
    assert labels(taken(made)) == "AbA"
    assert big.jobs is not None
    made.add(Entry(big, made.destination("x", "x"), []))
    assert labels(taken(made)) == "A"
    assert len(big.jobs) == 1


def test_what_no_agent_took_comes_first_again() -> None:
    made = transport()
    post(made, "A", *["x"] * 20)
    one, two = taken(made, 2)
    made.put_back(two)
    made.put_back(one)
    assert taken(made, 2) == [one, two]
    small = transport()
    post(small, "b", "x")
    (entry,) = taken(small)
    small.put_back(entry)
    assert taken(small) == [entry]


def test_what_waits_for_a_dead_destination_can_be_taken_away() -> None:
    made = transport()
    post(made, "b", "x")
    post(made, "A", *["x"] * 20)
    destination = made.destinations["x"]
    assert destination.waiting == 21
    destination.dead = "4.4.1 away"
    assert taken(made) == []
    found = [made.take(destination) for _ in range(21)]
    assert labels(found) == "b" + "A" * 20
    assert destination.waiting == 0
    destination.dead = ""
    made.offer(destination)
    assert taken(made) == []
    made.forget_if_idle(destination)
    assert made.destinations == {}


def test_nothing_is_lost_or_done_twice() -> None:
    chance = random.Random(7)
    made = transport(window=4)
    wanted: list[str] = []
    got: list[str] = []
    busy: list[Any] = []
    for number in range(600):
        if chance.random() < 0.3:
            names = [f"d{chance.randrange(6)}" for _ in range(chance.choice([1, 1, 1, 2, 5, 30, 80]))]
            post(made, f"m{number}", *names, active_time=float(number))
            wanted += [f"m{number}"] * len(names)
        found = taken(made, chance.randrange(30))
        if found and chance.random() < 0.2:
            made.put_back(found.pop())
        got += [entry.message.queue_id for entry in found]
        busy += found
        chance.shuffle(busy)
        part, busy = busy[:25], busy[25:]
        done(made, part)
    while busy or (more := taken(made)):
        done(made, busy)
        busy = taken(made) if busy else more
        got += [entry.message.queue_id for entry in busy]
    assert sorted(got) == sorted(wanted)
    assert all(destination.waiting == 0 for destination in made.destinations.values())


def test_many_messages_behind_a_big_one_are_not_slow() -> None:
    made = transport(window=50)
    post(made, "A", *["x"] * 5000)
    for number in range(20000):
        post(made, "b", f"d{number % 1000}")
    count = 0
    while found := taken(made):
        count += len(found)
        done(made, found)
    assert count == 25000
