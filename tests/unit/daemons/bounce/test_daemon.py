"""bounce(8), as bounce, defer and trace; parity is in tests/parity/bounce."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.daemons.bounce import daemon as bounce
from pyfix.formats import records
from pyfix.formats.attributes import Attributes, Long
from pyfix.formats.records import read_records
from pyfix.protocols.internal.bounce import (
    DELETE_RECIPIENTS,
    FLUSH,
    TRACE,
    VERP,
    WARN,
    Append,
    Flush,
    Flush37,
    FlushVerp,
    One,
)
from tests.unit.daemons.requests import Queued, queued
from tests.unit.daemons.running import Running, System, running, start
from tests.unit.daemons.services import Cleanup

OK, FAILED = [("status", "0")], [("status", "4294967295")]


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    with running(bounce.main, system, "bounce", "-z") as found:
        yield found


@pytest.fixture
def message(system: System) -> Queued:
    return queued(system, "a@x.example", "b@x.example")


def ask(daemon: Running, request: Attributes) -> object:
    client = daemon.greeted("delivery_status_protocol")
    client.socket.sendall(request.encode())
    found = client.receive()
    client.close()
    return found


def append(recipient: str = "a@x.example", *, offset: int = 0, notify: int = 0, queue_id: str = "ABC123") -> Append:
    return Append(
        flags=0, queue_id=queue_id, original_recipient=recipient, recipient=recipient, offset=Long(offset),
        dsn_orig_rcpt="", notify_flags=notify, status="5.1.1", diag_type="smtp", diag_text="550 no", mta_type="dns",
        mta_name="mx.x", action="failed", reason="unknown user",
    )  # fmt: skip


def flush(command: int = FLUSH, *, sender: str = "s@x.example", flags: int = 0, ret: int = 0) -> Flush:
    return Flush(command, flags, "active", "ABC123", "8bit", 0, sender, "", ret)


def logfile(system: System, service: str = "bounce") -> Path:
    return system.queue / service / ("A/ABC123" if service == "defer" else "ABC123")


def test_a_log_is_kept_until_the_sender_is_told(daemon: Running, message: Queued) -> None:
    cleanup = Cleanup(daemon.system)
    assert ask(daemon, append()) == OK
    assert b"recipient=a@x.example\n" in logfile(daemon.system).read_bytes()
    assert logfile(daemon.system).stat().st_mode & 0o777 == 0o600
    assert ask(daemon, append("b@x.example")) == OK
    assert ask(daemon, flush()) == OK
    notice = cleanup.next()
    assert (notice.values("S"), notice.values("R")) == ([""], ["s@x.example"])
    text = "\n".join(notice.lines())
    assert "<a@x.example>: unknown user" in text and "<b@x.example>: unknown user" in text
    assert not logfile(daemon.system).exists()
    assert "bounce: ABC123: sender non-delivery notification: NEW456" in daemon.system.logged("notification")


def test_a_client_that_was_killed_is_not_listened_to(daemon: Running) -> None:
    """Its message may be gone by now: the log would stay for ever."""
    assert ask(daemon, append(queue_id="ABC122")) == OK  # it is waiting for clients
    os.kill(daemon.pid, signal.SIGSTOP)
    client = daemon.connect()
    client.socket.sendall(append(queue_id="ABC123").encode())
    client.close()
    os.kill(daemon.pid, signal.SIGCONT)
    assert ask(daemon, append(queue_id="ABC124")) == OK
    assert sorted(path.name for path in (daemon.system.queue / "bounce").iterdir()) == ["ABC122", "ABC124"]


def test_no_log(daemon: Running, message: Queued) -> None:
    """The sender is told that no more is known; mail is never lost in silence."""
    cleanup = Cleanup(daemon.system)
    assert ask(daemon, flush()) == OK
    notice = cleanup.next()
    assert notice.values("R") == ["s@x.example"]
    assert "\t--- Delivery report unavailable ---" in notice.lines()
    assert "bounce: ABC123: sender non-delivery notification: NEW456" in daemon.system.logged("notification")


@pytest.mark.parametrize("status", [1, 2])
def test_a_notice_that_cannot_be_sent(system: System, message: Queued, status: int) -> None:
    """The log stays: the message does too, and is tried again."""
    Cleanup(system, status)
    with running(bounce.main, system, "bounce", "-z") as daemon:
        ask(daemon, append())
        assert ask(daemon, flush()) == FAILED
    assert logfile(system).exists()


def test_no_cleanup(daemon: Running, message: Queued) -> None:
    ask(daemon, append())
    assert ask(daemon, flush()) == FAILED
    assert logfile(daemon.system).exists()


def test_recipients_are_marked_done(daemon: Running, message: Queued) -> None:
    Cleanup(daemon.system)
    offset = message.recipients[0].offset
    ask(daemon, append(offset=offset))
    assert ask(daemon, flush(flags=DELETE_RECIPIENTS)) == OK
    assert message.recipients_left() == ["b@x.example"]
    done = [record.data for record in read_records(message.path.read_bytes()) if record.kind == records.DONE]
    assert done == [b"a@x.example"]


@pytest.mark.parametrize(("notify", "told"), [(0, True), (4, True), (1, False), (8, False), (5, True)])
def test_senders_who_do_not_want_to_hear(daemon: Running, message: Queued, notify: int, told: bool) -> None:
    cleanup = Cleanup(daemon.system)
    ask(daemon, append(notify=notify))
    assert ask(daemon, flush()) == OK
    assert not logfile(daemon.system).exists()
    if told:
        cleanup.next()
    daemon.system.logged("notification")
    assert cleanup.is_silent


def test_notices_about_notices(system: System, message: Queued) -> None:
    """Only the postmaster hears of them, if that is wanted; and nobody of those to the postmaster."""
    cleanup = Cleanup(system)
    system.write_main(notify_classes="2bounce", **{"2bounce_notice_recipient": "postmaster"})
    with running(bounce.main, system, "bounce", "-z") as daemon:
        ask(daemon, append())
        assert ask(daemon, flush(sender="")) == OK
        notice = cleanup.next()
        assert (notice.values("S"), notice.values("R")) == (["double-bounce@mail.ours.example"], ["postmaster"])
        ask(daemon, append())
        assert ask(daemon, flush(sender="double-bounce@mail.ours.example")) == OK
        assert "bounce: warning: ABC123: undeliverable postmaster notification discarded" in system.logged("discarded")
    assert cleanup.is_silent


def test_nobody_hears_of_undeliverable_notices_by_default(daemon: Running, message: Queued) -> None:
    ask(daemon, append())
    assert ask(daemon, flush(sender="")) == OK
    assert not logfile(daemon.system).exists()


def test_copies_for_the_postmaster(system: System, message: Queued) -> None:
    cleanup = Cleanup(system)
    system.write_main(notify_classes="bounce", bounce_notice_recipient="boss@x.example")
    with running(bounce.main, system, "bounce", "-z") as daemon:
        ask(daemon, append())
        assert ask(daemon, flush()) == OK
        notices = [cleanup.next(), cleanup.next()]
    assert "notify_flags=1" in notices[1].values("A"), "nobody is told of what becomes of a copy"
    assert [notice.values("R") for notice in notices] == [["s@x.example"], ["boss@x.example"]]
    assert "hello" in notices[0].lines() and "hello" not in notices[1].lines(), "a copy has the header only"


def test_one_notice_a_recipient(daemon: Running, message: Queued) -> None:
    cleanup = Cleanup(daemon.system)
    ask(daemon, append())
    ask(daemon, append("b@x.example"))
    request = FlushVerp(VERP, 0, "active", "ABC123", "8bit", 0, "list@x.example", "", 0, "+=")
    assert ask(daemon, request) == OK
    assert sorted(cleanup.next().values("R")[0] for _ in range(2)) == ["list+a=x.example@x.example", "list+b=x.example@x.example"]


def test_a_notice_without_a_log(daemon: Running, message: Queued) -> None:
    cleanup = Cleanup(daemon.system)
    request = One(
        4, 0, "active", "ABC123", "8bit", 0, "s@x.example", "", 0, "a@x.example", "a@x.example", Long(0), "", 0, "5.1.1",
        "", "", "", "", "failed", "unknown user",
    )  # fmt: skip
    assert ask(daemon, request) == OK
    assert "<a@x.example> (expanded from <a@x.example>): unknown user" in cleanup.next().lines()
    assert not logfile(daemon.system).exists()


def test_delays(system: System, message: Queued) -> None:
    """The log of defer stays after a delay notice, for the end may still come."""
    cleanup = Cleanup(system)
    with running(bounce.main, system, "defer", "-z") as daemon:
        ask(daemon, append())
        assert ask(daemon, flush(WARN)) == OK
        assert "Subject: Delayed Mail (still being retried)" in cleanup.next().lines()
        assert logfile(system, "defer").exists()
        assert ask(daemon, flush(WARN, sender="")) == OK
        assert "bounce: ABC123: sender delay notification: NEW456" in system.logged("delay notification")
    assert cleanup.is_silent, "the null sender is told nothing"


@pytest.mark.parametrize(("flags", "template"), [(512, "Mail Delivery Status Report"), (0, "Successful Mail Delivery Report")])
def test_traces(system: System, message: Queued, flags: int, template: str) -> None:
    cleanup = Cleanup(system)
    with running(bounce.main, system, "trace", "-z") as daemon:
        ask(daemon, append(notify=2))
        assert ask(daemon, flush(TRACE, flags=flags)) == OK
    assert f"Subject: {template}" in cleanup.next().lines()
    assert not logfile(system, "trace").exists()


def test_the_form_of_postfix_3_7(daemon: Running, message: Queued) -> None:
    cleanup = Cleanup(daemon.system)
    ask(daemon, append())
    assert ask(daemon, Flush37(FLUSH, 0, "active", "ABC123", "8bit", 0, "s@x.example", "", 0)) == OK
    cleanup.next()


_NUMBER = "malformed numerical data from bounce socket while reading input attribute value: x"


@pytest.mark.parametrize(
    ("data", "warnings"),
    [
        (b"nrequest\x0099\0flags\x000\0\0", ["unknown command: 99"]),
        (b"nrequest\x000\0flags\x000\0\0", ["missing attribute queue_id in input from bounce socket", "malformed request"]),
        (b"x\0y\0\0", ["unexpected attribute x from bounce socket (expecting: nrequest)", "malformed request"]),
        (b"\0", ["missing attribute nrequest in input from bounce socket", "malformed request"]),
        (b"nrequest\0x\0flags\x000\0\0", [_NUMBER, "malformed request"]),
    ],
)
def test_nonsense(daemon: Running, data: bytes, warnings: list[str]) -> None:
    client = daemon.greeted("delivery_status_protocol")
    client.socket.sendall(data)
    assert client.receive() == FAILED
    found = daemon.system.logged(re.escape(warnings[-1]))
    assert [line for line in found if "warning" in line] == [f"bounce: warning: {warning}" for warning in warnings]


@pytest.mark.parametrize(
    ("queue_name", "delimiters", "warning"),
    [
        ("../x", "+=", "malformed queue name: ../x"),
        ("", "+=", "malformed queue name: "),
        ("active", "+", "malformed verp delimiter string: +"),
    ],
)
def test_what_cannot_be_obeyed(daemon: Running, queue_name: str, delimiters: str, warning: str) -> None:
    ask(daemon, append())
    assert ask(daemon, FlushVerp(VERP, 0, queue_name, "ABC123", "8bit", 0, "s@x.example", "", 0, delimiters)) == FAILED
    assert f"bounce: warning: {warning}" in daemon.system.logged("malformed")
    assert logfile(daemon.system).exists()


def test_bad_queue_ids(daemon: Running) -> None:
    assert ask(daemon, append(queue_id="../x")) == FAILED
    assert "bounce: warning: malformed queue id: ../x" in daemon.system.logged("malformed")


@pytest.mark.parametrize(
    ("main", "options", "text"),
    [
        ({}, [], "service bounce requires a process limit of 0"),
        ({"bounce_template_file": "/nowhere/x"}, ["-z"], "open /nowhere/x: No such file or directory"),
    ],
)
def test_fatal_errors(system: System, main: dict[str, str], options: list[str], text: str) -> None:
    system.write_main(**main)
    assert start(bounce.main, system, "bounce", *options).wait() == 1
    assert f"bounce: fatal: {text}" in system.logged("fatal")
