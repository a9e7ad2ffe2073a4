"""What tests of deliveries to files share: a loop of turns only, and a delivery without a request."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from pyfix.delivery.filebatch import FileBatch, FileTarget
from pyfix.delivery.mailbox import MailboxRules, MailboxStore
from pyfix.delivery.outcome import Outcome
from pyfix.queue.message import Message
from pyfix.runtime.identity import Owner
from pyfix.runtime.loop import Expiring
from pyfix.runtime.task import Waiter

ME = Owner(os.geteuid(), os.getegid())
CONTENT = b"Subject: x\n\nFrom here\nhello\n"


class FakeDelivery:
    """As much of a Delivery as an Output reads."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.request: Any = type("Request", (), {"offset": message.sizes.data_offset})


class Turns:
    """A loop of which only the ends of turns and the timers are wanted."""

    def __init__(self) -> None:
        self.ends: list[Callable[[], None]] = []
        self.timers: list[Callable[[], None]] = []
        self.expiring: list[Expiring] = []
        self.now = 0.0

    def at_turn_end(self, call: Callable[[], None]) -> None:
        self.ends.append(call)

    def later(self, _seconds: float, call: Callable[..., None], *arguments: object) -> None:
        self.timers.append(lambda: call(*arguments))

    def expire_at(self, what: Expiring, deadline: float) -> None:
        what.deadline = deadline
        self.expiring.append(what)

    def expire_never(self, what: Expiring) -> None:
        self.expiring = [one for one in self.expiring if one is not what]

    def soon(self, call: Callable[[], None]) -> None:
        call()

    def turn(self) -> None:
        timers, self.timers = self.timers, []
        for call in timers:
            call()
        expiring, self.expiring = self.expiring, []
        for one in expiring:
            one.expired()
        ends, self.ends = self.ends, []
        for call in ends:
            call()


def deliver(turns: Turns, *targets: FileTarget) -> list[Outcome]:
    """Deliver all targets in one turn."""
    batch = FileBatch(1.0)
    for target in targets:
        target.waiter = Waiter()
        batch._enqueue(target)
    for _ in range(20):
        if all(target.waiter.done for target in targets):
            break
        turns.turn()
    return [target.waiter._value for target in targets]  # type: ignore[misc]  # all are done


def store(**changes: Any) -> MailboxStore:
    rules: dict[str, Any] = {
        "locks": frozenset(("fcntl", "dotlock")), "limit": 0, "stale_lock_time": 500, "lock_attempts": 2,
        "strict_ownership": True,
    }  # fmt: skip
    return MailboxStore(MailboxRules(**(rules | changes)))
