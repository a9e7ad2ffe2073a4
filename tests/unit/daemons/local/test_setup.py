from __future__ import annotations

from collections.abc import Callable

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.local import LocalSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.local.setup import check_origins, delivered_headers, mailbox_locks
from tests.unit.daemons.running import System


def _settings(system: System, **main: str) -> LocalSettings:
    system.write_main(**main)
    return LocalSettings(Snapshot.read(str(system.folder), process_name="local"))


def test_defaults(system: System) -> None:
    settings = _settings(system)
    check_origins(settings)
    assert delivered_headers(settings) == {"command", "file", "forward"}
    assert mailbox_locks(settings) == {"fcntl", "dotlock"}


def test_an_old_setting(system: System) -> None:
    assert mailbox_locks(_settings(system, sun_mailtool_compatibility="yes", mailbox_delivery_lock="flock")) == {"dotlock"}


@pytest.mark.parametrize(
    ("check", "name", "value", "word"),
    [
        (delivered_headers, "prepend_delivered_header", "file alias", "alias"),
        (check_origins, "allow_mail_to_commands", "Alias", "Alias"),
        (check_origins, "allow_mail_to_files", "include, x", "x"),
        (mailbox_locks, "mailbox_delivery_lock", "fcntl none", "none"),
    ],
)
def test_unknown_words(
    system: System, check: Callable[[LocalSettings], object], name: str, value: str, word: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check(_settings(system, **{name: value}))
    assert str(caught.value) == f'unknown {name} value "{word}" in "{value}"'
