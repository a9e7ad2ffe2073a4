"""The transports that messages use, with their limits from main.cf."""

from __future__ import annotations

from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameter import parse_duration, parse_integer
from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.qmgr.intake import give_up
from pyfix.runtime.log import log
from pyfix.scheduling.feedback import ConcurrencyRules, Feedback, FeedbackError, parse_feedback
from pyfix.scheduling.transport import Transport

_RANGES: Final[dict[str, tuple[int | None, int | None]]] = {
    "_initial_destination_concurrency": (1, None),
    "_delivery_slot_discount": (None, 100),
    "_recipient_refill_limit": (1, None),
}
_UNUSED: Final = (
    "_delivery_slot_cost", "_delivery_slot_loan", "_delivery_slot_discount", "_minimum_delivery_slots",
    "_recipient_limit", "_extra_recipient_limit", "_recipient_refill_limit",
)  # fmt: skip
_UNUSED_TIMES: Final = ("_transport_rate_delay", "_recipient_refill_delay")
"""What a transport has beside these; it is checked all the same."""


class Transports:
    """All transports by name; each is made when the first message needs it."""

    def __init__(self, settings: QmgrSettings, snapshot: Snapshot) -> None:
        """*settings* are qmgr's own, *snapshot* has the parameters with a transport's name."""
        self._settings = settings
        self._snapshot = snapshot
        self._known: dict[str, Transport] = {}

    def get(self, name: str) -> Transport:
        """Return the transport *name*, which need not exist in master.cf.

        A limit of it that is no number ends the process: nobody can tell how its mail is to be delivered.
        """
        found = self._known.get(name)
        if found is None:
            try:
                found = self._known[name] = self._make(name)
            except ConfigError as error:
                give_up(str(error))
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
        delay = self._duration(name, "_destination_rate_delay")
        for suffix in _UNUSED:
            self._number(name, suffix, f"default{suffix}")
        for suffix in _UNUSED_TIMES:
            self._duration(name, suffix)
        return Transport(name, rules, recipients, delay)

    def _number(self, name: str, suffix: str, default: str) -> int:
        number = parse_integer(name + suffix, self._snapshot.service_value(name, suffix, default))
        least, most = _RANGES.get(suffix, (None, None))
        if least is not None and number < least:
            raise ConfigError(f"invalid {name}{suffix} parameter value {number} < {least}")
        if most is not None and number > most:
            raise ConfigError(f"invalid {name}{suffix} parameter value {number} > {most}")
        return number

    def _duration(self, name: str, suffix: str) -> int:
        value = self._snapshot.service_value(name, suffix, f"default{suffix}")
        return parse_duration(name + suffix, value, "s")

    def _feedback(self, name: str, sign: str) -> tuple[Feedback, float]:
        suffix = f"_destination_concurrency_{sign}_feedback"
        text = self._snapshot.service_value(name, suffix, f"default{suffix}")
        try:
            return parse_feedback(text)
        except FeedbackError:
            source = name if self._snapshot.raw(name + suffix) == text else "default"
            log.warning(f"{source}{suffix}: ignoring malformed or unreasonable feedback: {text}")
            return parse_feedback("1")
