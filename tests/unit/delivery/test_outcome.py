from __future__ import annotations

from pyfix.delivery.outcome import BOUNCED, DEFERRED, Bounced, Deferred, Sent, changed, fitting, misfit


def test_codes_must_fit_the_outcome() -> None:
    assert misfit(Sent("ok")) is None
    assert misfit(Deferred("4.1.1", "x")) is None
    assert misfit(Bounced("5.1.1", "x")) is None
    assert misfit(Deferred("5.1.1", "x")) == 'defer_append: ignoring dsn code "5.1.1"'
    assert misfit(Bounced("2.1.1", "x")) == 'bounce_append: ignoring dsn code "2.1.1"'
    assert misfit(Sent("x", "4.0.1")) == 'sent: ignoring dsn code "4.0.1"'
    assert fitting(Bounced("2.1.1", "x")) == Bounced("5.0.0", "x")


def test_soft_bounce_turns_a_bounce_into_a_deferral() -> None:
    assert changed(Bounced("5.1.1", "x"), DEFERRED) == Deferred("4.1.1", "x")
    assert changed(Deferred("4.1.1", "x"), BOUNCED) == Bounced("5.1.1", "x")
