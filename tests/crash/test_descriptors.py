"""Few descriptors: a process takes as many clients as it has room for, and others serve the rest."""

from __future__ import annotations

import resource
from contextlib import ExitStack

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance

pytestmark = [pytest.mark.root]

DESCRIPTORS, CLIENTS = 170, 120


def test_more_clients_than_a_process_has_descriptors_for() -> None:
    """All of them are in the middle of a message, each with a connection to cleanup(8)."""
    requirements.need_root()
    main = {"smtpd_client_connection_count_limit": "0"}
    with Instance("pyfix", main=main) as mta, ExitStack() as open_sessions:
        mta.start()
        assert isinstance(mta.master_pid, int)
        resource.prlimit(mta.master_pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        sessions = [open_sessions.enter_context(mta.connect()) for _ in range(CLIENTS)]
        for session in sessions:
            said = [session.say(line) for line in ("EHLO c", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>")]
            assert said[-1] == ["250 2.1.5 Ok"]
        assert len(mta.pids_of("smtpd")) > 1
        for session in sessions:
            assert session.say("DATA")[0].startswith("354")
            assert session.say("x\r\n.")[0].startswith("250 2.0.0 Ok: queued as ")
        mta.wait_until_empty()
        assert sum(map(len, mta.deliveries().values())) == CLIENTS
