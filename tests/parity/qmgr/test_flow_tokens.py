"""postconf(5) in_flow_delay: new mail waits when qmgr(8) does not take what there is."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

_TOKENS = 5
"""What qmgr(8) has given out when it rests: default_process_limit."""


def test_new_mail_waits_when_the_tokens_are_used_up(parity: Parity) -> None:
    def case(mta: Instance) -> list[bool]:
        mta.send_message("user@ours.example")
        mta.wait_until_empty()
        mta.settle()
        (qmgr,) = mta.pids_of("qmgr")
        os.kill(qmgr, signal.SIGSTOP)
        waited = []
        try:
            for _ in range(_TOKENS + 2):
                start = time.monotonic()
                mta.send_message("user@ours.example")
                waited.append(time.monotonic() - start >= 1)
        finally:
            os.kill(qmgr, signal.SIGCONT)
        mta.wait_until_empty()
        assert len(mta.deliveries()["user/"]) == _TOKENS + 3
        # All tokens are back: nobody waits any more.
        mta.settle()
        start = time.monotonic()
        mta.send_message("user@ours.example")
        return [*waited, time.monotonic() - start >= 1]

    main = {"in_flow_delay": "1s", "default_process_limit": str(_TOKENS)}
    assert parity(case, main=main, fresh=True).result == [*_TOKENS * [False], True, True, False]
