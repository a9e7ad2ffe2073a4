from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.daemons.running import System
from tests.unit.daemons.smtp.serving import Serving, serving


@pytest.fixture
def agent(system: System) -> Iterator[Serving]:
    """smtp(8) with a server on loopback."""
    with serving(system) as found:
        yield found
