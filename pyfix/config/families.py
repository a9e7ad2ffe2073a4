"""Parameters named after a service: ``<service>_destination_concurrency_limit`` and its kin.

The first part of such a name is the first field of a master.cf entry whose program reads the family; a built-in
parameter of the same name wins.  Source: postconf(5), the ``transport_*`` parameters.
"""

from __future__ import annotations

from pyfix.config.parameter import Duration, Integer, Parameter, Text

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Any

    from pyfix.config.snapshot import Snapshot

__all__ = [
    "FAMILIES",
    "STANDARD_SERVICES",
    "Family",
    "family_default",
    "family_parameters",
    "service_setting",
]


_SCHEDULED = ("local", "error", "virtual", "smtp", "lmtp", "pipe")


class Family:
    """One suffix, the parameter that gives the default, and the programs whose services have it."""

    __slots__ = ("default", "maximum", "minimum", "programs", "suffix", "type")

    def __init__(
        self,
        suffix: str,
        default: str,
        type: type[Parameter[Any]] = Integer,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        programs: tuple[str, ...] = _SCHEDULED,
    ) -> None:
        self.suffix = suffix
        self.default = default
        self.type = type
        self.minimum = minimum
        self.maximum = maximum
        self.programs = programs

    def parameter(self, service: str) -> Parameter[Any]:
        """Return the declaration for one service."""
        name = service + self.suffix
        declaration = self.type(f"${self.default}", name=name, minimum=self.minimum, maximum=self.maximum)
        declaration.attribute = declaration.name
        return declaration


FAMILIES = (
    Family("_time_limit", "command_time_limit", Duration, minimum=1, programs=("pipe", "spawn")),
    Family("_recipient_limit", "default_recipient_limit"),
    Family("_extra_recipient_limit", "default_extra_recipient_limit"),
    Family("_recipient_refill_limit", "default_recipient_refill_limit", minimum=1),
    Family("_recipient_refill_delay", "default_recipient_refill_delay", Duration, minimum=1),
    Family("_delivery_slot_cost", "default_delivery_slot_cost"),
    Family("_delivery_slot_loan", "default_delivery_slot_loan"),
    Family("_delivery_slot_discount", "default_delivery_slot_discount", maximum=100),
    Family("_minimum_delivery_slots", "default_minimum_delivery_slots"),
    Family("_initial_destination_concurrency", "initial_destination_concurrency", minimum=1),
    Family("_destination_concurrency_limit", "default_destination_concurrency_limit"),
    Family("_destination_recipient_limit", "default_destination_recipient_limit"),
    Family("_destination_concurrency_positive_feedback", "default_destination_concurrency_positive_feedback", Text),
    Family("_destination_concurrency_negative_feedback", "default_destination_concurrency_negative_feedback", Text),
    Family("_destination_concurrency_failed_cohort_limit", "default_destination_concurrency_failed_cohort_limit"),
    Family("_destination_rate_delay", "default_destination_rate_delay", Duration),
    Family("_transport_rate_delay", "default_transport_rate_delay", Duration),
)
"""All families, in the order of qmgr(8)'s manual page."""

_BY_SUFFIX = {family.suffix: family for family in FAMILIES}

STANDARD_SERVICES = ("error", "lmtp", "local", "relay", "retry", "smtp", "virtual")
"""The services of the distributed master.cf whose programs read the families of qmgr(8)."""


def service_setting(snapshot: Snapshot, service: str, suffix: str) -> Any:
    """Return the typed value of ``<service><suffix>`` for any service, checked against the family's range.

    A number or seconds, or a text for the feedback families.  Raises ConfigError for a bad value, KeyError for a
    suffix that is no family.
    """
    family = _BY_SUFFIX[suffix]
    return family.parameter(service).convert(snapshot.service_value(service, suffix, family.default), snapshot)


def family_parameters(services: dict[str, str]) -> dict[str, Parameter[Any]]:
    """Return the parameters of *services* (name to program) by name."""
    return {
        service + family.suffix: family.parameter(service)
        for service, program in services.items()
        for family in FAMILIES
        if program in family.programs
    }


def family_default(name: str) -> Parameter[Any] | None:
    """Return the declaration of a family parameter of a standard service, or None."""
    service, underscore, _ = name.partition("_")
    if not underscore or service not in STANDARD_SERVICES:
        return None
    suffix = name[len(service) :]
    for family in FAMILIES:
        if family.suffix == suffix and "local" in family.programs:
            return family.parameter(service)
    return None
