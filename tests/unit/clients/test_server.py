from __future__ import annotations

import pytest

from pyfix.runtime import task
from tests.unit.clients.server import run


def test_loop_helper_raises() -> None:
    async def fail() -> None:
        await task.sleep(0.01)
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        run(fail())
