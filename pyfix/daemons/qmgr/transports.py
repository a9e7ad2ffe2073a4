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
from pyfix.scheduling.jobs import JobTransport, SlotRules
from pyfix.scheduling.transport import RecipientMemory, Transport

_RANGES: Final[dict[str, tuple[int | None, int | None]]] = {
    "_initial_destination_concurrency": (1, None),
    "_delivery_slot_discount": (None, 100),
    "_recipient_refill_limit": (1, None),
    "_recipient_refill_delay": (1, None),
}


class Transports:
    """All transports by name; each is made when the first message needs it."""

    def __init__(self, settings: QmgrSettings, snapshot: Snapshot, *, by_turns: bool = False) -> None:
        """*settings* are qmgr's own, *snapshot* has the parameters with a transport's name.

        *by_turns*: destinations take turns, as in oqmgr(8), rather than jobs go one before the other.
        """
        self._by_turns = by_turns
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
        delay = self._duration(name, "_destination_rate_delay")
        limit = self._number(name, "_destination_concurrency_limit", "default_destination_concurrency_limit")
        positive, positive_hysteresis = self._feedback(name, "positive")
        negative, negative_hysteresis = self._feedback(name, "negative")
        rules = ConcurrencyRules(
            initial=self._number(name, "_initial_destination_concurrency", "initial_destination_concurrency"),
            limit=1 if delay > 0 else limit,
            positive=positive,
            positive_hysteresis=positive_hysteresis,
            negative=negative,
            negative_hysteresis=negative_hysteresis,
            cohort_limit=self._number(
                name,
                "_destination_concurrency_failed_cohort_limit",
                "default_destination_concurrency_failed_cohort_limit",
            ),
            tell=log.info if self._settings.destination_concurrency_feedback_debug else None,
        )
        recipients = self._number(name, "_destination_recipient_limit", "default_destination_recipient_limit")
        made = Transport if self._by_turns else self._by_jobs
        transport = made(name, rules, recipients, delay)
        transport.pause = self._duration(name, "_transport_rate_delay")
        return transport

    def _by_jobs(self, name: str, rules: ConcurrencyRules, recipients: int, delay: int) -> Transport:
        slots = SlotRules(
            cost=self._number(name, "_delivery_slot_cost"),
            loan=self._number(name, "_delivery_slot_loan"),
            discount=self._number(name, "_delivery_slot_discount"),
            minimum=self._number(name, "_minimum_delivery_slots"),
        )
        transport = JobTransport(name, rules, recipients, delay, slots)
        transport.memory = RecipientMemory(
            limit=self._number(name, "_recipient_limit"),
            extra=self._number(name, "_extra_recipient_limit"),
            refill_limit=self._number(name, "_recipient_refill_limit"),
            refill_delay=self._duration(name, "_recipient_refill_delay"),
        )
        return transport

    def _number(self, name: str, suffix: str, default: str = "") -> int:
        value = self._snapshot.service_value(name, suffix, default or f"default{suffix}")
        number = parse_integer(name + suffix, value)
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
        source = name if self._snapshot.raw(name + suffix) == text else "default"
        try:
            made = parse_feedback(text)
        except FeedbackError:
            log.warning(f"{source}{suffix}: ignoring malformed or unreasonable feedback: {text}")
            text = "1"
            made = parse_feedback(text)
        if self._settings.destination_concurrency_feedback_debug:
            first = self._number(name, "_initial_destination_concurrency", "initial_destination_concurrency")
            kind, value = int("/" in text), made[0](first)
            log.info(f"{name}: {source}{suffix} feedback type {kind} value at {first}: {value:g}")
        return made
