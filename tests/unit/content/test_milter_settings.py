from __future__ import annotations

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.content.milter_settings import MilterSpec, parse_milters


def parse(text: str) -> tuple[MilterSpec, ...]:
    settings = SmtpdSettings(Snapshot({"smtpd_milters": text, "milter_command_timeout": "7s", "compatibility_level": "3.11"}))
    return parse_milters(settings.smtpd_milters, settings)


def test_endpoints() -> None:
    first, second = parse("inet:127.0.0.1:8891, unix:/run/milter")
    assert (first.name, first.command_timeout, first.default_action) == ("inet:127.0.0.1:8891", 7, "shutdown")
    assert second.name == "unix:/run/milter"


def test_settings_of_one() -> None:
    (found,) = parse("{ inet:a:1, connect_timeout=1s, content_timeout=2m, {default_action = accept}, protocol=4 }")
    assert found == MilterSpec("inet:a:1", 1, 7, 120, "accept", "4")


@pytest.mark.parametrize("text", ["{ }", "{ inet:a:1, foo=bar }", "{ inet:a:1, foo }", "{ inet:a:1, command_timeout=x }"])
def test_mistakes(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text)
