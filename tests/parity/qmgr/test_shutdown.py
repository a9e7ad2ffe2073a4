"""What stays on disk when the mail system ends in the middle of its work, and that the next one goes on with it."""

from __future__ import annotations

import fcntl
import os
import signal

import pytest

from tests.kit.instance import MAILBOX_OWNER, TRUSTED, Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]


@pytest.mark.parametrize("how", ["stop", "abort", "signal"])
def test_end_within_a_delivery_and_a_session(parity: Parity, how: str) -> None:
    """The message in delivery stays active, the unfinished one leaves nothing that is sent, no process stays."""

    def case(mta: Instance) -> list[object]:
        box = mta.mail_directory / "mbox"
        box.touch()
        os.chown(box, MAILBOX_OWNER, MAILBOX_OWNER)
        with box.open("ab") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            queue_id = mta.send_message("mbox@ours.example", sender="")
            client = mta.connect(TRUSTED)
            replies = [client.say(line) for line in ("HELO x", "MAIL FROM:<>", "RCPT TO:<user@ours.example>", "DATA")]
            assert wait_until(lambda: bool(mta.pids_of("virtual")), 5)
            mta.settle()
            if how == "signal":
                pid = mta.master_pid
                assert pid is not None
                os.kill(pid, signal.SIGTERM)
            else:
                assert mta.run("postfix", how).returncode == 0
            gone = wait_until(lambda: not mta.pids(), 5)
            client.close()
            active = mta.queue().get("active") == [queue_id]
        mta.start()
        mta.wait_for_log(f"{queue_id}: removed")
        delivered = {name: len(messages) for name, messages in mta.deliveries().items()}
        return [replies[-1], gone, active, delivered]

    main = {"deliver_lock_delay": "1s", "deliver_lock_attempts": "20", "virtual_mailbox_lock": "fcntl"}
    assert parity(case, main=main, fresh=True).result == [["354 End data with <CR><LF>.<CR><LF>"], True, True, {"mbox": 1}]
