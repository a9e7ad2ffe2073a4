from __future__ import annotations

from pyfix.daemons.smtpd.counters import counters_text


def test_each_command_and_all_together() -> None:
    counts = {"quit": [1, 1], "data": [0, 1], "ehlo": [2, 2]}
    assert counters_text(counts) == "ehlo=2 data=0/1 quit=1 commands=3/4"


def test_a_session_without_a_command() -> None:
    assert counters_text({}) == "commands=0/0"
