"""discard(8), and what every delivery agent does with a request; parity is in tests/parity/delivery."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyfix.daemons.discard import daemon as discard
from tests.unit.daemons.requests import deliver, is_final, queued
from tests.unit.daemons.running import Running, System, running


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    with running(discard.main, system, "discard") as found:
        yield found


@pytest.mark.parametrize(
    ("nexthop", "code", "text"),
    [
        ("silently", "2.0.0", "silently"), ("2.1.7 gone with the wind", "2.1.7", "gone with the wind"),
        ("5.1.1 not a success", "5.1.1", "not a success"), ("2.1.7", "2.1.7", ""),
    ],
)  # fmt: skip
def test_reasons(daemon: Running, nexthop: str, code: str, text: str) -> None:
    message = queued(daemon.system, "a@x.example", nexthop=nexthop)
    assert is_final(deliver(daemon, message))
    assert message.recipients_left() == []
    (line,) = [line for line in daemon.system.logged("status=") if "status=" in line]
    if code[0] == "2":
        assert line.startswith("discard: ABC123: to=<a@x.example>, relay=none, delay=")
        assert line.endswith(f", dsn={code}, status=sent ({text})")
    else:
        assert line.endswith(f", dsn=2.0.0, status=sent ({text})"), "a failure's code is no success"


def test_all_recipients(daemon: Running) -> None:
    names = [f"user{number}@x.example" for number in range(200)]
    message = queued(daemon.system, *names)
    assert is_final(deliver(daemon, message))
    assert message.recipients_left() == []
    lines = daemon.system.logged("user199")
    assert [line.partition("to=<")[2].partition(">")[0] for line in lines] == names


def test_a_message_for_whose_recipients_somebody_else_answers(daemon: Running) -> None:
    message = queued(daemon.system, "a@x.example").changed(flags=0)
    assert is_final(deliver(daemon, message))
    assert message.recipients_left() == ["a@x.example"]
