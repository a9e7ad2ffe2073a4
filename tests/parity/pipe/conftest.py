"""One mail system of each side with a service of pipe(8) for each case."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import Observation, Parity
from tests.parity.known_differences import KNOWN_DIFFERENCES
from tests.parity.pipe.services import FILES, MAIN, MASTER, SINGLE

OURS = {"pipe": "pyfix"}


@pytest.fixture
def piped(instance_pool: object) -> Callable[..., Observation]:
    """Run a case in a system of the reference and in one that has pipe(8) of pyfix, and compare all that pipe did."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))  # type: ignore[arg-type]  # twice the reference

    def run(case: Callable[[Instance], object], **changes: str) -> Observation:
        main = MAIN | {f"{name}_destination_recipient_limit": "1" for name in SINGLE} | changes
        return parity(
            case, main=main, master=MASTER, files=FILES, replace=OURS, logs=("pipe", "bounce"), deliveries=True
        )

    return run
