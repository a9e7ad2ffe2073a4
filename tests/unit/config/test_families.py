from __future__ import annotations

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.families import FAMILIES, STANDARD_SERVICES, family_default, family_parameters, service_setting
from pyfix.config.snapshot import Snapshot


def snapshot(**main: str) -> Snapshot:
    return Snapshot({"compatibility_level": "3.11", **main})


@pytest.mark.parametrize(
    ("main", "suffix", "value"),
    [
        ({}, "_destination_concurrency_limit", 20), ({"smtp_destination_concurrency_limit": "7"}, "_destination_concurrency_limit", 7),
        ({"default_destination_concurrency_limit": "9"}, "_destination_concurrency_limit", 9),
        ({"smtp_destination_rate_delay": "2m"}, "_destination_rate_delay", 120),
        ({"smtp_destination_concurrency_positive_feedback": "1/concurrency"}, "_destination_concurrency_positive_feedback", "1/concurrency"),
    ],
)  # fmt: skip
def test_values(main: dict[str, str], suffix: str, value: object) -> None:
    assert service_setting(snapshot(**main), "smtp", suffix) == value


@pytest.mark.parametrize(
    ("name", "value"), [("smtp_initial_destination_concurrency", "0"), ("smtp_delivery_slot_discount", "101"), ("smtp_destination_rate_delay", "x")]
)
def test_values_out_of_range(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        service_setting(snapshot(**{name: value}), "smtp", name.removeprefix("smtp"))


def test_no_such_family() -> None:
    with pytest.raises(KeyError):
        service_setting(snapshot(), "smtp", "_nonsense")


def test_which_services_have_which() -> None:
    found = family_parameters({"smtp": "smtp", "maildrop": "pipe", "showq": "showq"})
    assert "smtp_destination_concurrency_limit" in found and "smtp_time_limit" not in found
    assert {"maildrop_time_limit", "maildrop_recipient_limit"} <= set(found)
    assert not any(name.startswith("showq") for name in found)


@pytest.mark.parametrize("service", STANDARD_SERVICES)
def test_defaults_lead_to_the_parameter_for_all(service: str) -> None:
    parameter = family_default(f"{service}_destination_recipient_limit")
    assert parameter is not None and parameter.name == f"{service}_destination_recipient_limit"
    assert parameter.default_text(snapshot()) == "$default_destination_recipient_limit"


@pytest.mark.parametrize("name", ["other_recipient_limit", "smtp_time_limit", "smtp", "smtp_nonsense", ""])
def test_names_that_are_none(name: str) -> None:
    assert family_default(name) is None


def test_suffixes_are_told_apart() -> None:
    suffixes = [family.suffix for family in FAMILIES]
    assert len(set(suffixes)) == len(suffixes)
