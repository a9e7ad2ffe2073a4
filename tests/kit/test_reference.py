"""The kit with the reference on both sides: what it compares must be the same, and what differs must be seen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit import processes
from tests.kit.instance import STRANGER, TRUSTED, Instance
from tests.kit.parity import InstancePool, Parity
from tests.kit.programs import CHECKOUT

pytestmark = pytest.mark.reference


@pytest.fixture
def same(instance_pool: InstancePool) -> Parity:
    return Parity(instance_pool, (), ("reference", "reference"))


def test_the_reference_equals_itself(same: Parity) -> None:
    def case(mta: Instance) -> None:
        replies = mta.dialogue(
            "HELO client.example",
            "MAIL FROM:<user@client.example>",
            "RCPT TO:<user@elsewhere.example>",
            "RCPT TO:<user@ours.example>",
            "QUIT",
        )
        assert replies[2] == "554 5.7.1 <user@elsewhere.example>: Relay access denied"
        assert replies[3] == "250 2.1.5 Ok"
        mta.send_message(["user@ours.example", "mbox@ours.example", "root@mail.ours.example"])
        mta.wait_for_log(": removed", count=2)

    seen = same(case, logs=True, deliveries=True)
    assert sorted(seen.delivered) == ["mbox", "root", "user/"]
    assert "connect from unknown[127.0.0.1]" in seen.log["postfix/smtpd"]


def test_what_differs_is_seen(same: Parity) -> None:
    names = iter(["one", "two"])

    def case(mta: Instance) -> None:
        mta.send_message(content=f"Subject: {next(names)}\n\nHello.\n")
        mta.wait_for_log(": removed")

    with pytest.raises(AssertionError, match="Subject: one"):
        same(case, deliveries=True)


def test_queue_files_are_compared(same: Parity) -> None:
    def case(mta: Instance) -> None:
        mta.send_message("held@elsewhere.example")
        mta.wait_for_log("status=deferred")

    seen = same(case, main={"defer_transports": "smtp"}, queue=True)
    assert any("R held@elsewhere.example" in lines for lines in seen.queue.values())


def test_started_by_command_and_stopped(new_instance: Callable[..., Instance]) -> None:
    mta = new_instance("reference").start(command=True)
    assert mta.master_pid in mta.pids()
    assert mta.pids_of("qmgr")
    mta.reload()
    mta.send_message()
    mta.wait_until_empty()
    assert mta.run("mailq").stdout == b"Mail queue is empty\n"
    mta.stop()
    assert mta.pids() == []


def test_single_programs_from_the_other_side(new_instance: Callable[..., Instance]) -> None:
    mta = new_instance("reference", replace={"smtpd": "reference37"}).start()
    assert (mta.daemon_directory / "smtpd").resolve() != (mta.daemon_directory / "cleanup").resolve().with_name("smtpd")
    assert mta.dialogue("EHLO x", client=TRUSTED)[0].startswith("250-mail.ours.example")
    assert mta.dialogue("EHLO x", client=STRANGER)[0].startswith("250-mail.ours.example")
    mta.send_message()
    mta.wait_until_empty()
    mta.stop()


def test_unknown_program(new_instance: Callable[..., Instance]) -> None:
    with pytest.raises(KeyError):
        new_instance("reference", replace={"smptd": "pyfix"})


def test_a_killed_test_leaves_nothing() -> None:
    """Not even SIGKILL of the test process leaves an instance behind."""
    code = (
        "import time\nfrom tests.kit.instance import Instance\n"
        "mta = Instance('reference').start()\nprint(mta.directory, flush=True)\ntime.sleep(60)\n"
    )
    test = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
    assert test.stdout is not None
    directory = Path(test.stdout.readline().strip())
    assert processes.pids_inside(directory)
    test.kill()
    test.wait()
    test.stdout.close()
    assert processes.wait_until(lambda: not directory.exists() and not processes.pids_inside(directory), 10.0)
