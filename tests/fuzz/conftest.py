"""A running mail system for fuzzing, and what must be true of it whatever it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance

_MISHAPS = re.compile(r": (?:error|fatal|panic): |killed by signal|exit status|throttling")


CHANGED = {
    "relay_transport": "discard:fuzz",
    "smtpd_soft_error_limit": "1000",
    "smtpd_hard_error_limit": "1000",
    "smtpd_junk_command_limit": "1000",
    "smtpd_client_connection_count_limit": "0",
    "notify_classes": "",
    "smtpd_error_sleep_time": "0",
    # What else is said to a client depends on how fast it speaks.
    "smtpd_forbid_unauth_pipelining": "no",
    # Nonsense would end most sessions at once.
    "smtpd_forbidden_commands": "",
    "ipc_timeout": "5s",
    "smtpd_timeout": "5s",
}
"""What is different in main.cf, so that a client may make as many errors as it likes."""


@pytest.fixture(scope="session")
def _running() -> Iterator[Instance]:
    requirements.need_root()
    try:
        mta = Instance(main=CHANGED)
    except requirements.MISSING as reason:
        requirements.missing(reason)
    with mta:
        mta.start()
        mta.send_message(["user@ours.example", "mbox@ours.example", "gone@relay.example", "root@mail.ours.example"])
        mta.wait_until_empty()
        yield mta


@pytest.fixture
def fuzzed(_running: Instance) -> Iterator[Instance]:
    """A mail system that still works when the test is over, whose daemons had no mishap, with an empty queue."""
    _running.forget()
    yield _running
    _running.settle()
    mishaps = [line for line in _running.log_lines() if _MISHAPS.search(line)]
    assert not mishaps, "\n".join(mishaps[:40])
    queue_id = _running.send_message("user@ours.example")
    _running.wait_for_log(rf"{queue_id}: removed")
    _running.wait_until_empty()
