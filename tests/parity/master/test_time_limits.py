"""What ends a process, or is given up, when time is over: max_use, max_idle, the watchdogs, ipc_timeout.

Source: postconf(5) max_use, max_idle, daemon_timeout, qmgr_daemon_timeout, ipc_timeout.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from tests.kit import requirements, smtp
from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity
from tests.kit.processes import program_name, wait_until
from tests.parity.services.asking import ask, pairs

from .probing import master_lines

pytestmark = [pytest.mark.reference, pytest.mark.root]

SITE = "site.example"


def test_processes_end_after_max_use(parity: Parity) -> None:
    """Another process takes their place, and no message is lost.  pyfix counts clients for each that it serves at a time."""
    count = 110

    def case(mta: Instance) -> list[object]:
        with mta.connect(TRUSTED) as client:
            client.say("EHLO client.example")
            for _ in range(count):
                for line in ("MAIL FROM:<>", "RCPT TO:<x@gone.example>", "DATA", b".\r\n"):
                    assert client.say(line)[0][:1] in "23"
        mta.wait_for_log(r": removed", count=count)
        mta.settle()
        pids = re.findall(r"/discard\[(\d+)\]: \w+: to=", "\n".join(mta.log_lines()))
        ended = {pid for pid in pids if not os.path.exists(f"/proc/{pid}")}
        return [len(pids), len(set(pids)) > 1, bool(ended), master_lines(mta)]

    main = {"max_use": "1", "transport_maps": "inline:{gone.example=discard:}"}
    parity(case, main=main, master={"discard": "discard unix - - n - 1 discard"}, fresh=True)


def test_processes_end_after_max_idle(parity: Parity) -> None:
    """All that were needed for a message, but the queue manager and what waits for master's word."""

    def running(mta: Instance) -> set[str]:
        return {program_name(pid) for pid in mta.pids()}

    def case(mta: Instance) -> list[object]:
        mta.wait_for_log(rf"{mta.send_message(['user@ours.example', 'nobody@mail.ours.example'])}: removed")
        begun = sorted({"smtpd", "cleanup", "trivial-rewrite", "virtual", "local"} & running(mta))
        gone = wait_until(lambda: not running(mta) & {*begun, "pickup"}, 10)
        left = sorted(running(mta) - {"postlogd"})  # which has something to write whenever another one speaks
        mta.wait_for_log(rf"{mta.send_message()}: removed")
        return [begun, gone, left]

    master = {"pickup": "pickup unix n - n 600 1 pickup"}
    result = parity(case, main={"max_idle": "2s"}, master=master, fresh=True).result
    assert result == [["cleanup", "local", "smtpd", "trivial-rewrite", "virtual"], True, ["master", "qmgr"]]


def test_a_stuck_process_is_ended_by_its_watchdog(parity: Parity) -> None:
    """flush(8) waits for ever for the lock of a log: a fatal line, master's line, and the next process serves."""

    def case(mta: Instance) -> list[object]:
        request = pairs(f"request=add site={SITE} queue_id=BADBEEF1")
        assert ask(mta, "public/flush", request)[0]
        settled = master_lines(mta)
        assert settled == []
        with next(path for path in (mta.queue_directory / "flush").rglob("site_*")).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            begin = time.monotonic()
            unanswered = ask(mta, "public/flush", request)
            seconds = time.monotonic() - begin
        fault = mta.wait_for_log(r"/flush\[\d+\]: (.*watchdog.*)")[1]
        mta.wait_for_log(r"master\[\d+\]: warning: process \S+ pid \d+ ")
        lines = [line.replace(str(mta.daemon_directory), "<DAEMONS>") for line in master_lines(mta)]
        return [unanswered, 1.5 < seconds < 10, fault, lines, ask(mta, "public/flush", request)]

    main = {"daemon_timeout": "3s", "service_throttle_time": "1s", "fast_flush_domains": SITE}
    result = parity(case, main=main, fresh=True).result
    assert result[2] == "fatal: watchdog timeout"


def test_a_process_that_was_stopped_goes_on(parity: Parity) -> None:
    """Its clock has run out once meanwhile, which does not count."""

    def case(mta: Instance) -> list[object]:
        mta.dialogue("NOOP", "QUIT")
        stopped = mta.pids_of("smtpd")
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(4.0)  # longer than daemon_timeout
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.3)
        return [mta.dialogue("NOOP", "QUIT"), mta.pids_of("smtpd") == stopped, master_lines(mta)]

    parity(case, main={"daemon_timeout": "3s"}, fresh=True)


@pytest.mark.parametrize(("program", "seconds"), [("qmgr", 2), ("trivial-rewrite", 4)])
def test_the_time_of_the_watchdog(parity: Parity, program: str, seconds: int) -> None:
    """qmgr's is qmgr_daemon_timeout, the others' is daemon_timeout; the clock is set to a third of it."""
    if shutil.which("strace") is None:
        requirements.missing("strace is not installed")

    def case(mta: Instance) -> int:
        mta.wait_for_log(rf"{mta.send_message()}: removed")
        (pid,) = mta.pids_of(program)
        output = mta.directory / "trace"
        with subprocess.Popen(
            ["strace", "-qq", "-e", "trace=alarm,setitimer", "-o", output, "-p", str(pid)], stderr=subprocess.DEVNULL
        ) as tracer:
            try:
                assert wait_until(lambda: output.exists() and _clock(output.read_text()), 10), output.read_text()
            finally:
                tracer.terminate()
        return _clock(output.read_text())

    main = {"qmgr_daemon_timeout": "6s", "daemon_timeout": "12s", "ipc_idle": "1s", "in_flow_delay": "0"}
    assert parity(case, main=main, fresh=True).result == seconds


def _clock(trace: str) -> int:
    found = re.search(r"alarm\((\d+)\)|ITIMER_REAL, \{.*?it_value=\{tv_sec=(\d+)", trace)
    return int(found[1] or found[2]) if found else 0


def test_a_server_that_does_not_answer(parity: Parity) -> None:
    """smtpd gives cleanup up after ipc_timeout.  What its client hears then differs: see known_differences.py."""

    def case(mta: Instance) -> list[object]:
        mta.wait_for_log(rf"{mta.send_message()}: removed")
        time.sleep(2.2)  # no connection is left
        stopped = mta.pids_of("cleanup")
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            with mta.connect() as client:
                for line in ("EHLO x", "MAIL FROM:<a@b.example>"):
                    assert client.say(line)[0].startswith("250")
                begin = time.monotonic()
                reply = client.say("RCPT TO:<user@ours.example>")[0]
                seconds = time.monotonic() - begin
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        answer = smtp.CLOSED if mta.kind == "reference" else "451 4.3.0 Error: queue file write error"
        return [bool(stopped), reply == answer, seconds > 1.5]

    assert parity(case, main={"ipc_timeout": "2s", "ipc_idle": "1s"}, fresh=True).result == [True, True, True]
