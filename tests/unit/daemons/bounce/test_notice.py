"""What a notice is made of, and what of the message goes back; its texts are compared in tests/parity/bounce."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.daemons.bounce import daemon as bounce
from pyfix.formats.attributes import Long
from pyfix.protocols.internal.bounce import FLUSH, WARN, Append, Flush
from pyfix.protocols.internal.cleanup import MAP_OK, REQUIRE_TLS, SMTPUTF8
from tests.kit.cleanup import Taken
from tests.unit.daemons.requests import queued
from tests.unit.daemons.running import System, running
from tests.unit.daemons.services import Cleanup

CONTENT = b"Subject: original\nMessage-Id: <x@y>\n\nbody of it\n"


@pytest.fixture
def cleanup(system: System) -> Iterator[Cleanup]:
    yield Cleanup(system)


def notice(
    system: System, cleanup: Cleanup, *, command: int = FLUSH, ret: int = 0, options: int = 0, envelope_id: str = "",
    service: str = "bounce", content: bytes | None = CONTENT,
) -> Taken:  # fmt: skip
    """Have a notice made of one failure."""
    if content is not None:
        queued(system, "a@x.example", content=content)
    with running(bounce.main, system, service, "-z") as daemon:
        entry = Append(
            flags=0, queue_id="ABC123", original_recipient="o@x.example", recipient="a@x.example", offset=Long(0),
            dsn_orig_rcpt="rfc822;o@x.example", notify_flags=0, status="5.1.1", diag_type="smtp", diag_text="550 no",
            mta_type="dns", mta_name="mx.x", action="failed", reason="host mx.x said: 550 no",
        )  # fmt: skip
        for request in (entry, Flush(command, 0, "active", "ABC123", "8bit", options, "s@x.example", envelope_id, ret)):
            client = daemon.greeted("delivery_status_protocol")
            client.socket.sendall(request.encode())
            assert client.receive() == [("status", "0")]
            client.close()
    return cleanup.next()


def test_a_whole_notice(system: System, cleanup: Cleanup) -> None:
    """The request says who is told; the sender that is spoken of is the queue file's."""
    taken = notice(system, cleanup, envelope_id="id123")
    assert (taken.flags, taken.values("S"), taken.values("R")) == (MAP_OK, [""], ["s@x.example"])
    lines = taken.lines()
    for line in (
        "From: Mail Delivery System <MAILER-DAEMON>", "Subject: Undelivered Mail Returned to Sender",
        "To: s@x.example", "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
        "<a@x.example> (expanded from <o@x.example>): host mx.x said: 550 no", "Reporting-MTA: dns; mail.ours.example",
        "Original-Envelope-Id: id123", "X-Postfix-Queue-ID: ABC123", "X-Postfix-Sender: rfc822; s@x",
        "Final-Recipient: rfc822; a@x.example", "Original-Recipient: rfc822;o@x.example", "Action: failed", "Status: 5.1.1",
        "Remote-MTA: dns; mx.x", "Diagnostic-Code: smtp; 550 no", "Content-Type: message/rfc822",
        "Return-Path: <s@x>", "Subject: original", "body of it",
    ):  # fmt: skip
        assert line in lines, f"{line} is not in {lines}"
    assert lines[-1].startswith("--") and lines[-1].endswith("--")


@pytest.mark.parametrize(
    ("ret", "options", "main"),
    [(2, 0, {}), (0, 0, {"bounce_size_limit": "10"}), (0, 32, {"requiretls_redact_dsn": "yes"})],
)
def test_only_the_header_goes_back(system: System, cleanup: Cleanup, ret: int, options: int, main: dict[str, str]) -> None:
    system.write_main(**main)
    lines = notice(system, cleanup, ret=ret, options=options).lines()
    assert "Subject: original" in lines and "body of it" not in lines
    assert any("rfc822-headers" in line for line in lines)


def test_a_delay_notice_never_has_the_body(system: System, cleanup: Cleanup) -> None:
    lines = notice(system, cleanup, command=WARN, service="defer").lines()
    assert "body of it" not in lines and "Subject: Delayed Mail (still being retried)" in lines
    assert any(line.startswith("Will-Retry-Until: ") for line in lines)


def test_a_message_that_is_gone(system: System, cleanup: Cleanup) -> None:
    lines = notice(system, cleanup, content=None).lines()
    assert "Status: 5.1.1" in lines and "Subject: original" not in lines


def test_threads(system: System, cleanup: Cleanup) -> None:
    system.write_main(enable_threaded_bounces="yes")
    lines = notice(system, cleanup).lines()
    assert not any(line.startswith("References: ") for line in lines), "the queue file tells no message id"


@pytest.mark.parametrize(
    ("options", "redact", "flags"),
    [(1, "yes", MAP_OK | SMTPUTF8), (32, "no", MAP_OK | REQUIRE_TLS), (32, "yes", MAP_OK), (33, "yes", MAP_OK | SMTPUTF8)],
)
def test_demands_of_the_message(system: System, cleanup: Cleanup, options: int, redact: str, flags: int) -> None:
    """What must not go without TLS does not go back at all, or by TLS only."""
    system.write_main(requiretls_redact_dsn=redact)
    taken = notice(system, cleanup, options=options)
    assert taken.flags == flags
    assert ("body of it" in taken.lines()) == (redact == "no" or not options & 32)


@pytest.mark.parametrize(("options", "optional"), [(0, False), (16, True), (32, False), (48, False)])
def test_mail_that_may_go_without_tls(system: System, cleanup: Cleanup, options: int, optional: bool) -> None:
    """So may what is said about it, unless the message must have it."""
    assert ("TLS-Required: no" in notice(system, cleanup, options=options).lines()) == optional


def test_a_long_message_goes_back_whole(system: System, cleanup: Cleanup) -> None:
    lines = [f"line {number} " + "x" * 900 for number in range(2000)]
    content = b"Subject: original\n\n" + "\n".join(lines).encode() + b"\n"
    system.write_main(bounce_size_limit="10000000")
    found = notice(system, cleanup, content=content).lines()
    assert found[found.index(lines[0]) : found.index(lines[-1]) + 1] == lines


def test_other_texts(system: System, cleanup: Cleanup, tmp_path: Path) -> None:
    path = system.folder / "bounce.cf"
    path.write_text(
        "failure_template = <<EOF\nCharset: us-ascii\nFrom: Postmaster <p@x.example>\nSubject: No luck\n\n"
        "It waited $maximal_queue_lifetime_days days at $myhostname.\nEOF\n"
    )
    path.chmod(0o644)
    system.write_main(bounce_template_file=path)
    lines = notice(system, cleanup).lines()
    assert "Subject: No luck" in lines and "From: Postmaster <p@x.example>" in lines
    assert "It waited 5 days at mail.ours.example." in lines
