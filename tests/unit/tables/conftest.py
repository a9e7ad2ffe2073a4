from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyfix.tables.notice import report_to
from pyfix.tables.source import forget_tables


class Notices(list[str]):
    """What tables had to say, as log lines show it."""

    def take(self) -> list[str]:
        """Return what was said, and forget it."""
        said = self[:]
        self.clear()
        return said


@pytest.fixture(autouse=True)
def notices() -> Iterator[Notices]:
    said = Notices()
    before = report_to(lambda severity, text: said.append(text if severity == "info" else f"{severity}: {text}"))
    yield said
    report_to(before)
    forget_tables()


class Parameters:
    """A configuration of a few parameters."""

    def __init__(self, **values: str) -> None:
        self._values = {"smtputf8_enable": "yes", "parent_domain_matches_subdomains": "", **values}

    def value(self, name: str) -> str:
        return self._values.get(name, "")


@pytest.fixture
def parameters() -> type[Parameters]:
    return Parameters
