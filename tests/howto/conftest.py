from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.howto.machine import HowtoMachine


@pytest.fixture(scope="session")
def machine() -> Iterator[HowtoMachine]:
    found = HowtoMachine()
    yield found
    found.close()
