from __future__ import annotations

import pytest

from pyfix.daemons.anvil.counters import Counters


def test_connections_and_rates() -> None:
    counters = Counters(60)
    assert [counters.connect("a", 0), counters.connect("a", 10), counters.connect("b", 10)] == [(1, 1), (2, 2), (1, 1)]
    counters.disconnect("a", 20)
    assert counters.connections("a") == 1
    assert counters.connect("a", 60) == (2, 3)
    assert counters.connect("a", 61) == (3, 1)


def test_disconnecting_more_often_than_connecting() -> None:
    counters = Counters(60)
    counters.connect("a", 0)
    for _ in range(3):
        counters.disconnect("a", 1)
    counters.disconnect("never seen", 1)
    assert counters.connections("a") == 0 and counters.connections("never seen") == 0


def test_events() -> None:
    counters = Counters(60)
    with pytest.raises(KeyError):
        counters.count("a", "message", 0)
    counters.connect("a", 0)
    assert [counters.count("a", "message", 1), counters.count("a", "message", 2), counters.count("a", "auth", 2)] == [1, 2, 1]
    assert [counters.current("a", what, 3) for what in ("message", "auth", "newtls")] == [2, 1, 0]
    assert counters.current("a", "message", 61) == 0
    assert counters.current("b", "message", 0) == 0


def test_idle_clients_are_forgotten() -> None:
    counters = Counters(60)
    counters.connect("gone", 0)
    counters.disconnect("gone", 1)
    counters.connect("here", 0)
    counters.forget_idle(50)
    assert counters.knows("gone")
    counters.forget_idle(61)
    assert not counters.knows("gone") and counters.knows("here")


def test_peaks() -> None:
    counters = Counters(60)
    for ident in ("a", "b", "b"):
        counters.connect(ident, 5)
    peaks = counters.peaks
    assert (peaks["connect"].value, peaks["connect"].ident) == (2, "b")
    assert (peaks["count"].value, peaks["cache"].value) == (2, 2)
