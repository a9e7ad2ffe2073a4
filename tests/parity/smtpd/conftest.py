"""Parity of smtpd alone: a whole reference beside a reference whose smtpd is ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER
from tests.kit.parity import InstancePool, Observation, Parity
from tests.kit.smtp import Line
from tests.parity.known_differences import KNOWN_DIFFERENCES

LENIENT = {
    "smtpd_hard_error_limit": "1000",
    "smtpd_error_sleep_time": "0",
    "smtpd_junk_command_limit": "1000",
    "smtpd_authorized_xclient_hosts": "127.0.0.1",
    "smtpd_authorized_xforward_hosts": "127.0.0.1",
    "smtpd_authorized_verp_clients": "127.0.0.1",
    "fast_flush_domains": "ours.example, relay.example",
    "notify_classes": "",
}
"""Errors cost nothing and nobody is told of them; the stranger may say everything."""

Compare = Callable[..., Observation]


@pytest.fixture
def same_dialogue(instance_pool: InstancePool) -> Compare:
    """Say the same lines to both; replies and smtpd's log lines must be the same."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def compare(*lines: Line, client: str = STRANGER, log: bool = True, **arguments: Any) -> Observation:
        def case(mta: Any) -> None:
            mta.dialogue(*lines, client=client)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")

        return parity(case, replace={"smtpd": "pyfix"}, logs="smtpd" if log else False, **arguments)

    return compare


@pytest.fixture
def same_dialogues(same_dialogue: Compare) -> Callable[..., None]:
    """Do so with several dialogues in one configuration."""

    def compare(dialogues: Sequence[Sequence[Line]], **arguments: Any) -> None:
        for lines in dialogues:
            same_dialogue(*lines, **arguments)

    return compare


@pytest.fixture
def parity_of_smtpd(instance_pool: InstancePool) -> Compare:
    """Run a case against both smtpds; what it adds to the transcript and smtpd's log lines must be the same."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def compare(case: Any, *, logs: Any = "smtpd", **arguments: Any) -> Observation:
        return parity(case, replace={"smtpd": "pyfix"}, logs=logs, **arguments)

    return compare
