"""pyfix_drain_time: an end that lets sessions and deliveries finish, as a container engine's SIGTERM should."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.processes import wait_until
from tests.kit.smtp import CLOSED

pytestmark = pytest.mark.root

Make = Callable[..., Instance]
CONTENT = b"Subject: drained\r\n\r\nbody\r\n.\r\n"
TO = "RCPT TO:<user@ours.example>"


def test_work_is_finished(new_instance: Make) -> None:
    """A session in the middle of its second message ends as it would have, with a cleanup started for it; nobody new is served."""
    mta = new_instance(main={"pyfix_drain_time": "60s"})
    mta.start()
    pid = mta.master_pid
    assert pid is not None
    with mta.connect(TRUSTED) as client:
        for line in ("EHLO x", "MAIL FROM:<a@x.example>", TO, "DATA", CONTENT, "MAIL FROM:<b@x.example>"):
            client.say(line)
        os.kill(pid, signal.SIGTERM)
        mta.wait_for_log(r"master\[\d+\]: draining on signal 15, for 60s at most")
        os.kill(pid, signal.SIGHUP)  # changes nothing
        time.sleep(0.5)
        with pytest.raises(OSError):
            mta.connect(TRUSTED)
        heard = [client.say(line)[0] for line in (TO, "DATA", CONTENT)]
        assert [reply[:3] for reply in heard] == ["250", "354", "250"], heard
        assert mta.is_running()
        client.say("QUIT")
    assert wait_until(lambda: not mta.pids(), 15)
    assert "terminating on signal 15" in mta.log_path.read_text()
    mta.start()
    mta.wait_until_empty()
    assert sum(map(len, mta.deliveries().values())) == 2


def test_patience_ends(new_instance: Make) -> None:
    """A client that says nothing more is given up after the time, or at once by another signal."""
    mta = new_instance(main={"pyfix_drain_time": "1s"})
    mta.start()
    for impatient in (False, True):
        if impatient:
            mta.stop()
            mta.run("postconf", "pyfix_drain_time=60s")
            mta.start()
        pid = mta.master_pid
        assert pid is not None
        with mta.connect(TRUSTED) as client:
            client.say("EHLO x")
            began = time.monotonic()
            os.kill(pid, signal.SIGTERM)
            if impatient:
                mta.wait_for_log(r"draining on signal 15, for 60s at most")
                os.kill(pid, signal.SIGTERM)
            assert wait_until(lambda: not mta.pids(), 10)
            assert time.monotonic() - began < 8
            assert client.say("NOOP") == [CLOSED]


def test_nothing_to_finish(new_instance: Make) -> None:
    """The end comes at once."""
    mta = new_instance(main={"pyfix_drain_time": "60s"})
    mta.start()
    pid = mta.master_pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    assert wait_until(lambda: not mta.pids(), 10)
