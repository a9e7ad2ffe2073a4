"""Daemons that are called in another way than master.cf must have it, and their options.

Source: master(5), the manual pages of the daemons.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.kit.syslog import SystemLog

from .probing import Visitor, stable

pytestmark = [pytest.mark.reference, pytest.mark.root]

DAEMONS = (
    "smtpd", "cleanup", "qmgr", "pickup", "local", "virtual", "bounce", "trivial-rewrite", "postlogd", "showq", "anvil",
    "error", "discard", "flush", "proxymap", "scache", "tlsmgr", "verify",
)  # fmt: skip
OPTIONS = (
    ("-x",), ("-o", "abc"), ("-o",), ("-o", "{ a b }"), ("-m", "x"), ("-m", "0"), ("-i", "0"), ("-i", "1y"), ("-s", "0"),
    ("-s", "x"), ("-t", "foo"), ("-t", "unix-dgram"), ("-t", "fifo"), ("-z", "-t", "foo"), ("-l",), ("word",), ("-", "-x"),
)  # fmt: skip
TO_SYSLOG = {"maillog_file": ""}
SMTPD = "127.0.0.1:{port}"


@pytest.mark.parametrize("calls", ["daemons", "options"])
def test_not_by_master(parity: Parity, calls: str) -> None:
    """Status and log lines of daemons that miss what master gives them, or get an option that is none."""
    chosen = [(name, ()) for name in DAEMONS]
    if calls == "options":
        chosen = [("smtpd", options) for options in OPTIONS]

    def case(mta: Instance) -> dict[str, object]:
        mta.stop()
        seen: dict[str, object] = {}
        with SystemLog(mta) as syslog:
            for name, options in chosen:
                syslog.datagrams.clear()
                done = syslog.run(mta.daemon_directory / name, *options)
                seen[f"{name} {options}"] = (done.returncode, done.stdout, done.stderr, syslog.lines(mta))
        return seen

    result = parity(case, main=TO_SYSLOG, fresh=True).result
    assert all(status == 1 and lines for status, _, _, lines in result.values())


def test_by_hand(parity: Parity) -> None:
    """At a terminal."""

    def case(mta: Instance) -> tuple[int, bytes]:
        theirs, ours = pty.openpty()
        try:
            done = subprocess.run(
                [mta.daemon_directory / "smtpd", "-t", "inet", "-V"],
                stdin=ours, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=mta.environment, timeout=20, check=False,
            )  # fmt: skip
        finally:
            os.close(theirs)
            os.close(ours)
        return done.returncode, done.stderr

    status, said = parity(case).result
    assert status == 1 and b"do not run this command by hand" in said


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("pickup", "pickup unix n - n 60 2 pickup"),
        ("qmgr", "qmgr unix n - n 300 - qmgr"),
        ("cleanup", "cleanup unix n - n - 5 cleanup"),
        ("bounce", "bounce unix - - n - 1 bounce"),
        ("local", "local unix - - n - - local"),
        ("virtual", "virtual unix - y n - - virtual"),
        ("rewrite", "rewrite unix - - n - - trivial-rewrite -o local_header_rewrite_clients"),
        ("rewrite", "rewrite unix - - n - - trivial-rewrite -y"),
        (SMTPD, f"{SMTPD} inet n - n - - postlogd"),
        (SMTPD, f"{SMTPD} inet n - n - - smtpd -m none"),
    ],
    ids=lambda value: value if " " in value else "",
)
def test_service_that_cannot_work(parity: Parity, name: str, line: str) -> None:
    """The daemon says what is wrong, its end is noted, and its service rests."""

    def case(mta: Instance) -> list[str]:
        if name == SMTPD:
            Visitor(mta, mta.port).close()
        else:
            endpoint = next(mta.queue_directory.glob(f"p*/{name}"))
            Visitor(mta, str(endpoint.relative_to(mta.queue_directory))).close()
        mta.wait_for_log(r"bad command startup -- throttling", since=0)
        mta.wait_for_log(r"\]: fatal: ", since=0)
        said = [found[1] for text in mta.log_lines(0) if (found := re.search(r"\]: ((?:fatal|warning): .*)", text))]
        return sorted({stable(mta, text).replace(str(mta.daemon_directory), "<DAEMONS>") for text in said})

    assert len(parity(case, master={name: line, "tlsmgr": None}, fresh=True).result) == 3


def test_idle_processes_end(parity: Parity) -> None:
    """-i and max_idle: a process without clients ends after so many seconds, and another one comes when needed."""

    def case(mta: Instance) -> list[object]:
        mta.dialogue("NOOP", "QUIT")
        before = mta.pids_of("smtpd")
        seen = [bool(before), wait_until(lambda: not mta.pids_of("smtpd"), 10), bool(mta.pids_of("trivial-rewrite"))]
        return [*seen, mta.dialogue("NOOP", "QUIT")]

    main = {"max_idle": "50s"}
    parity(case, main=main, master={SMTPD: f"{SMTPD} inet n - n - - smtpd -i 1"}, fresh=True)


def test_debugger(parity: Parity) -> None:
    """-D: debugger_command is run, with the name and number of the process, before a client is served."""

    def case(mta: Instance) -> list[object]:
        reply = mta.dialogue("NOOP", "QUIT")[0]
        text = (mta.directory / "debugged").read_text()
        name, number, user = text.split()
        assert int(number) in mta.pids_of("smtpd")
        mta.wait_for_log(r"\]: running: \{ echo smtpd \d+; id -u; \} > ")
        return [reply, name, user]

    main = {"debugger_command": "{ echo $process_name $process_id; id -u; } > {dir}/debugged"}
    result = parity(case, main=main, master={SMTPD: f"{SMTPD} inet n - n - - smtpd -D"}, fresh=True).result
    assert result[1:] == ["smtpd", "0"]
