from __future__ import annotations

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtp.setup import Setup, default_level


def settings(**values: str) -> SmtpClientSettings:
    return SmtpClientSettings(Snapshot({"compatibility_level": "3.11", **values}, process_name="smtp"))


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ({}, "may"),
        ({"compatibility_level": "3.6"}, "none"),
        ({"smtp_tls_security_level": "Encrypt"}, "encrypt"),
        ({"compatibility_level": "3.6", "smtp_use_tls": "yes"}, "may"),
        ({"compatibility_level": "3.6", "smtp_enforce_tls": "yes"}, "verify"),
        ({"compatibility_level": "3.6", "smtp_enforce_tls": "yes", "smtp_tls_enforce_peername": "no"}, "encrypt"),
    ],
)
def test_levels(values: dict[str, str], level: str) -> None:
    assert default_level(settings(**values), "smtp") == level


def test_what_is_none() -> None:
    with pytest.raises(ConfigError, match='Invalid TLS level "much"'):
        default_level(settings(smtp_tls_security_level="much"), "smtp")
    with pytest.raises(ConfigError, match='bad protocol stage: "smtp_address_verify_target = helo"'):
        Setup(settings(smtp_address_verify_target="helo"), lmtp=False, service="smtp", ipv4=True, ipv6=False)
