"""The declarations as a whole."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import pyfix.config.parameters
from pyfix.config import catalogue
from pyfix.config.errors import ConfigError
from pyfix.config.families import FAMILIES, STANDARD_SERVICES, family_default, family_parameters, service_setting
from pyfix.config.snapshot import Settings, Snapshot

FOLDER = Path(pyfix.config.parameters.__file__).parent
BUILT_IN, LEGACY = 886, 13
WITH_SERVICES = 996


def own() -> int:
    """Return the number of parameters that Postfix does not have."""
    found = [parameter.name for parameter in catalogue.all_parameters().values() if parameter.own]
    assert all(name.startswith("pyfix_") for name in found)
    return len(found)


def test_each_parameter_is_declared_once() -> None:
    seen: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = path.stem
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            constants = [k for k in node.value.keywords if isinstance(k.value, ast.Constant)]
            given = [k.value.value for k in constants if k.arg == "name" and isinstance(k.value, ast.Constant)]
            target = node.targets[0]
            assert isinstance(target, ast.Name)
            assert module in catalogue.MODULES
            name = str(given[0]) if given else target.id
            assert name not in seen, f"{name} in {module} and {seen[name]}"
            seen[name] = module
    assert len(seen) == BUILT_IN + own() == len(catalogue.all_parameters())
    assert sum(parameter.legacy for parameter in catalogue.all_parameters().values()) == LEGACY


def test_service_parameters_complete_the_number() -> None:
    services = dict.fromkeys(STANDARD_SERVICES, "smtp")
    names = catalogue.all_parameters().keys() | family_parameters(services).keys()
    assert len(names) == WITH_SERVICES + own()


def test_family_of_a_standard_service() -> None:
    found = family_default("relay_transport_rate_delay")
    assert found is not None and found.default == "$default_transport_rate_delay"
    assert family_default("relay_time_limit") is None
    assert family_default("other_transport_rate_delay") is None
    assert len({family.suffix for family in FAMILIES}) == len(FAMILIES)


def test_service_setting() -> None:
    settings = {"slow_destination_rate_delay": "2m", "default_destination_recipient_limit": "7", "x_time_limit": "3"}
    snapshot = Snapshot(settings)
    assert service_setting(snapshot, "slow", "_destination_rate_delay") == 120
    assert service_setting(snapshot, "fast", "_destination_rate_delay") == 0
    assert service_setting(snapshot, "slow", "_destination_recipient_limit") == 7
    assert service_setting(snapshot, "local", "_destination_recipient_limit") == 1
    assert service_setting(snapshot, "x", "_time_limit") == 3
    assert service_setting(snapshot, "y", "_time_limit") == 1000
    assert service_setting(snapshot, "y", "_destination_concurrency_negative_feedback") == "1"
    with pytest.raises(ConfigError, match=r"^invalid z_initial_destination_concurrency parameter value 0 < 1$"):
        service_setting(Snapshot({"z_initial_destination_concurrency": "0"}), "z", "_initial_destination_concurrency")


def every_view() -> list[type[Settings]]:
    return [
        getattr(importlib.import_module(f"pyfix.config.parameters.{module}"), name)
        for module in catalogue.MODULES
        for name in importlib.import_module(f"pyfix.config.parameters.{module}").__all__
    ]


@pytest.mark.parametrize("level", ["0", "3.11"])
def test_all_defaults_have_their_type(level: str) -> None:
    settings = {"compatibility_level": level, "virtual_mailbox_base": "/var/mail/vhosts"}  # no default will do
    for view in every_view():
        values = view(Snapshot(settings))
        for attribute in view.parameters():
            getattr(values, attribute)


def test_lmtp_view_reads_the_lmtp_names() -> None:
    from pyfix.config.parameters.lmtp_client import LmtpClientSettings
    from pyfix.config.parameters.smtp_client import SmtpClientSettings

    snapshot = Snapshot({"lmtp_lhlo_timeout": "7s", "smtp_helo_timeout": "9s"})
    assert SmtpClientSettings(snapshot).smtp_helo_timeout == 9
    assert LmtpClientSettings(snapshot).smtp_helo_timeout == 7
    left = [
        parameter.name
        for parameter in LmtpClientSettings.parameters().values()
        if parameter.name.startswith("smtp_") and not parameter.legacy
    ]
    assert sorted(left) == [
        "smtp_always_send_ehlo",
        "smtp_never_send_ehlo",
        "smtp_tls_dane_insecure_mx_policy",
        "smtp_tls_loglevel",
        "smtp_tls_session_cache_database",
        "smtp_tls_session_cache_timeout",
    ]
