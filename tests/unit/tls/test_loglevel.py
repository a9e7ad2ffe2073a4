from __future__ import annotations

from pyfix.tls.loglevel import LogLevel, parse_log_level


def test_levels() -> None:
    assert parse_log_level("0") == (LogLevel(), ())
    assert parse_log_level("1") == parse_log_level("routine") == (LogLevel(summary=True), ())
    debug, _ = parse_log_level("2")
    assert debug.summary and debug.verbose and debug.states and not debug.packets
    assert parse_log_level("3")[0].packets and not parse_log_level("3")[0].all_packets and parse_log_level("4")[0].all_packets


def test_parts() -> None:
    level, unknown = parse_log_level("peercert, summary nonsense")
    assert (level.certificate, level.summary, level.verbose, unknown) == (True, True, False, ("nonsense",))
