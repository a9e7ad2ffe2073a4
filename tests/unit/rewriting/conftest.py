"""Settings and lookups for tests of address rewriting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.rewriting.domains import OwnDomains
from pyfix.rewriting.lookup import AddressLookup
from pyfix.rewriting.standard import StandardForm
from pyfix.tables.source import forget_tables

MAIN = {
    "myhostname": "mail.ours.example",
    "mydomain": "ours.example",
    "mydestination": "mail.ours.example, local.example",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "compatibility_level": "3.11",
    "recipient_delimiter": "+",
}

MakeSettings = Callable[..., CleanupSettings]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[MakeSettings]:
    """Return a function that makes settings; a parameter given as a dictionary becomes a table."""

    def make(**main: str | dict[str, str]) -> CleanupSettings:
        values = dict(MAIN)
        for name, value in main.items():
            if isinstance(value, dict):
                path = tmp_path / name
                path.write_text("".join(f"{key} {result}\n" for key, result in value.items()))
                values[name] = f"texthash:{path}"
            else:
                values[name] = value
        return CleanupSettings(Snapshot(values))

    yield make
    forget_tables()


async def _ask(_context: str, address: str) -> str:
    return address if "@" in address else f"{address}@mail.ours.example"


def lookup_for(settings: CleanupSettings) -> AddressLookup:
    """Return a lookup whose trivial-rewrite appends the host name."""
    return AddressLookup(settings.recipient_delimiter, OwnDomains(settings), StandardForm(_ask))


MakeLookup = Callable[[CleanupSettings], AddressLookup]


@pytest.fixture
def lookup() -> MakeLookup:
    """Return ``lookup_for``."""
    return lookup_for
