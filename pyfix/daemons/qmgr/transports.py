"""The transports that messages use, with their limits from main.cf."""

from __future__ import annotations

from pyfix.config.parameter import parse_duration
from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log
from pyfix.scheduling.feedback import ConcurrencyRules, Feedback, FeedbackError, parse_feedback
from pyfix.scheduling.transport import Transport


class Transports:
    """All transports by name; each is made when the first message needs it."""

    def __init__(self, settings: QmgrSettings, snapshot: Snapshot) -> None:
        """*settings* are qmgr's own, *snapshot* has the parameters with a transport's name."""
        self._settings = settings
        self._snapshot = snapshot
        self._known: dict[str, Transport] = {}

    def get(self, name: str) -> Transport:
        """Return the transport *name*, which need not exist in master.cf.  Raises ConfigError."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._make(name)
        return found

    def all(self) -> list[Transport]:
        """Return the transports that are known so far."""
        return list(self._known.values())

    def _make(self, name: str) -> Transport:
        positive, positive_hysteresis = self._feedback(name, "positive")
        negative, negative_hysteresis = self._feedback(name, "negative")
        rules = ConcurrencyRules(
            initial=self._number(name, "_initial_destination_concurrency", "initial_destination_concurrency"),
            limit=self._number(name, "_destination_concurrency_limit", "default_destination_concurrency_limit"),
            positive=positive,
            positive_hysteresis=positive_hysteresis,
            negative=negative,
            negative_hysteresis=negative_hysteresis,
            cohort_limit=self._number(
                name,
                "_destination_concurrency_failed_cohort_limit",
                "default_destination_concurrency_failed_cohort_limit",
            ),
        )
        recipients = self._number(name, "_destination_recipient_limit", "default_destination_recipient_limit")
        delay = self._snapshot.service_value(name, "_destination_rate_delay", "default_destination_rate_delay")
        return Transport(name, rules, recipients, parse_duration("default_destination_rate_delay", delay, "s"))

    def _number(self, name: str, suffix: str, default: str) -> int:
        value = self._snapshot.service_value(name, suffix, default)
        return int(value) if value.isdecimal() else int(self._snapshot.value(default))

    def _feedback(self, name: str, sign: str) -> tuple[Feedback, float]:
        suffix = f"_destination_concurrency_{sign}_feedback"
        text = self._snapshot.service_value(name, suffix, f"default{suffix}")
        try:
            return parse_feedback(text)
        except FeedbackError:
            log.warning(f"{name}: ignoring malformed or unreasonable feedback: {text}")
            return parse_feedback("1")
