"""Where log lines go and what they look like.  Source: postconf(5) syslog_name, syslog_facility, maillog_file, debug_peer_list."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.kit.reference import reference
from tests.kit.syslog import SystemLog

pytestmark = [pytest.mark.reference, pytest.mark.root]

SMTPD = "127.0.0.1:{port}"
TO_SYSLOG = {"maillog_file": ""}


def some_mail(mta: Instance) -> None:
    mta.send_message("user@ours.example")
    mta.dialogue("EHLO x.example", "MAIL FROM:<a@b.example>", "RCPT TO:<x@y.example>", "QUIT")


@pytest.mark.parametrize(
    ("main", "service"),
    [
        ({}, "smtpd"),
        ({"syslog_facility": "local3", "syslog_name": "my post"}, "smtpd -o syslog_name=other -o syslog_facility=local5"),
        ({"syslog_name": "${multi_instance_name?{$multi_instance_name}:{mail}}", "syslog_facility": "local7"}, "smtpd"),
    ],
    ids=["default", "changed", "expanded"],
)
def test_syslog(parity: Parity, main: dict[str, str], service: str) -> None:
    """Datagrams to /dev/log: facility and severity, time, tag, process id, text; of each program, master too."""

    def case(mta: Instance) -> list[str]:
        with SystemLog(mta) as syslog:
            mta.stop()
            syslog.start()
            some_mail(mta)
            syslog.wait_for(r": removed$")
            syslog.wait_for(r": disconnect from unknown\[127\.0\.0\.1\]")
            mta.stop()
            syslog.wait_for("terminating on signal 15")
            return syslog.lines(mta)

    master = {SMTPD: f"{SMTPD} inet n - n - - {service}"}
    lines = parity(case, main=TO_SYSLOG | main, master=master, fresh=True).result
    assert len(lines) > 8


def test_system_logger_ends(parity: Parity) -> None:
    """Mail flows without it; when there is one again, it gets the lines of the processes that ran before."""

    def case(mta: Instance) -> list[str]:
        with SystemLog(mta) as syslog:
            mta.stop()
            syslog.start()
            mta.send_message("user@ours.example")
            syslog.wait_for(r": removed$")
            pids = {program: mta.pids_of(program) for program in ("qmgr", "cleanup")}
            syslog.disappear()
            mta.send_message("second@ours.example")
            assert wait_until(lambda: "second/" in mta.deliveries(), 10)
            assert wait_until(lambda: not mta.queue(), 10)
            syslog.datagrams.clear()
            syslog.appear()
            mta.send_message("user@ours.example")
            syslog.wait_for(r": removed$")
            assert pids == {program: mta.pids_of(program) for program in ("qmgr", "cleanup")}
            return sorted({re.sub(r".* postfix/(\w+)\[.*", r"\1", line) for line in syslog.lines(mta)})

    assert parity(case, main=TO_SYSLOG, fresh=True).result == ["cleanup", "qmgr", "smtpd", "virtual"]


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_postlogd_hangs_or_is_gone(new_instance: Callable[..., Instance], how: signal.Signals) -> None:
    """Nobody waits for it, and it gets the lines later: what was said meanwhile by those that live on is not lost."""
    mta = new_instance().start()
    mta.send_message("user@ours.example")
    mta.wait_for_log(": removed")
    (logger,) = mta.pids_of("postlogd")
    mark = mta.log_mark()
    os.kill(logger, how)
    ids = [mta.send_message("user@ours.example") for _ in range(40)]
    assert wait_until(lambda: len(mta.deliveries().get("user/", ())) == 41 and not mta.queue(), 10)
    if how == signal.SIGSTOP:
        assert mta.log_mark() == mark
        os.kill(logger, signal.SIGCONT)
    for queue_id in ids:
        for text in ("client=", "message-id=", "from=<", "to=<user@ours.example>", "removed"):
            mta.wait_for_log(rf"{queue_id}: {text}", since=mark)
    mta.stop()


def dialogues(mta: Instance) -> list[str]:
    """Return the lines of SMTP that the log shows."""
    shown = [line.partition("]: ")[2] for line in mta.log_lines()]
    return [line for line in shown if re.match(r"[<>] \S+: ", line)]


@pytest.mark.parametrize(
    ("peers", "level"),
    [("127.0.0.2", "1"), ("127.0.0.0/30", "3"), ("!127.0.0.2, 127.0.0.0/8", "2"), ("unknown", "2"), ("", "2")],
)
def test_debug_peer_list(parity: Parity, peers: str, level: str) -> None:
    """The session of a listed client is shown, line by line; the other daemons and clients stay quiet."""

    def case(mta: Instance) -> list[str]:
        for client in (TRUSTED, "127.0.0.1"):
            mta.dialogue("EHLO x.example", "MAIL FROM:<a@b.example>", "RCPT TO:<x@y.example>", "RSET", "QUIT", client=client)
        mta.wait_for_log(r"\]: disconnect from ", count=2)
        return dialogues(mta)

    found = parity(case, main={"debug_peer_list": peers, "debug_peer_level": level}).result
    assert bool(found) == bool(peers)


def test_verbose_service(parity: Parity) -> None:
    """-v in master.cf, or of master for all: the dialogue is in the log."""

    def case(mta: Instance) -> list[str]:
        mta.dialogue("EHLO x.example", "QUIT")
        mta.wait_for_log(r"\]: disconnect from ")
        return dialogues(mta)

    found = parity(case, master={SMTPD: f"{SMTPD} inet n - n - - smtpd -v"}).result
    assert "< unknown[127.0.0.1]: QUIT" in found


def test_no_line_is_lost_or_torn_under_load(parity: Parity) -> None:
    """Twenty clients at a time, all daemons at work: what each message leaves in the file is whole, and there once."""
    messages = 300
    kinds = {
        "connect": r"smtpd\[\d+\]: connect from ",
        "disconnect": r"smtpd\[\d+\]: disconnect from .* commands=\d+$",
        "client": r"smtpd\[\d+\]: \w+: client=",
        "message-id": r"cleanup\[\d+\]: \w+: message-id=<\S+>$",
        "active": r"qmgr\[\d+\]: \w+: from=<\S+>, size=\d+, nrcpt=1 \(queue active\)$",
        "sent": r"virtual\[\d+\]: \w+: to=<\S+>, .*status=sent \(delivered to maildir\)$",
        "removed": r"qmgr\[\d+\]: \w+: removed$",
    }

    def case(mta: Instance) -> list[int]:
        program = reference().command_directory / "smtp-source"
        mta.wait_for_log("daemon started", since=0)
        mark = mta.log_mark()
        load = ["-s", "20", "-m", str(messages), "-l", "500", "-f", "s@client.example", "-t", "user@ours.example"]
        done = subprocess.run(
            [str(program), "-4", *load, f"{mta.host}:{mta.port}"], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        mta.wait_until_empty()
        mta.settle()
        lines = mta.log_path.read_bytes()[mark:].decode().splitlines()
        found = {kind: sum(1 for line in lines if re.search(pattern, line)) for kind, pattern in kinds.items()}
        others = [line for line in lines if not any(re.search(pattern, line) for pattern in kinds.values())]
        assert not others, others
        return [found[kind] for kind in kinds]

    assert parity(case, fresh=True).result == len(kinds) * [messages]
