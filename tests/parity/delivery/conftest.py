from __future__ import annotations

import pytest

from tests.kit import requirements
from tests.kit.parity import InstancePool, Parity
from tests.parity.known_differences import KNOWN_DIFFERENCES


@pytest.fixture
def exchanged(instance_pool: InstancePool) -> Parity:
    """As ``parity``, but the second side is the reference too, with the programs of *replace* exchanged."""
    requirements.need_reference("reference")
    return Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))
