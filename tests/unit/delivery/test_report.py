"""What is logged of each outcome, who is told, and whether the recipient is finished."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.delivery import report as module
from pyfix.delivery.outcome import Bounced, Deferred, Outcome, Sent
from pyfix.delivery.report import Delivery, Reporter, is_probe
from pyfix.formats.attributes import Long
from pyfix.protocols.internal.delivery import (
    MTA_VERIFY,
    RECORD,
    RECORD_DELAY_SENT,
    SUCCESS,
    USER_VERIFY,
    DeliveryRequest,
    MessageStats,
    Recipient,
)
from pyfix.runtime.log import log
from tests.unit.clients.server import lists, null_list, run, serving

NOTIFY_SUCCESS = 2
PROTOCOLS = {"verify": "address_verification_prrotocol", "flush": "queue_flush_protocol"}
MAIN = {"myhostname": "mail.ours.example", "compatibility_level": "3.11", "relay_domains": "slow.example"}


class Message:
    """Notes which records are marked done."""

    def __init__(self) -> None:
        self.done: list[int] = []

    def mark_done(self, offset: int) -> None:
        self.done.append(offset)


class Case:
    """One recipient's outcome: who hears of it, what is logged, and what is marked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.told: list[tuple[str, dict[str, str]]] = []
        self.lines: list[str] = []
        self.message = Message()
        self.failing: set[str] = set()
        self.stack = ExitStack()
        monkeypatch.setattr(log, "info", self.lines.append)
        monkeypatch.setattr(log, "warning", lambda text: self.lines.append(f"warning: {text}"))
        monkeypatch.setattr(module.time, "time", lambda: 1002.0)

    def serve(self, *names: str) -> None:
        for name in names:
            def answer(connection: socket.socket, name: str = name) -> None:
                connection.sendall(null_list("protocol", PROTOCOLS.get(name, "delivery_status_protocol")))
                for pairs in lists(connection):
                    self.told.append((name, dict(pairs)))
                    connection.sendall(null_list("status", "4294967295" if name in self.failing else "0"))

            self.stack.enter_context(serving(self.folder, f"{'public' if name == 'flush' else 'private'}/{name}", answer))

    def report(
        self, outcome: Outcome, *, flags: int = SUCCESS, notify: int = 0, address: str = "r@x.example", original: str = "",
        relay: str = "none", main: dict[str, str] | None = None, **named: Any,
    ) -> bool:  # fmt: skip
        request = DeliveryRequest(
            flags=flags, queue_name="active", queue_id="ABC123", offset=Long(0), size=Long(0), nexthop="x", encoding="",
            sendopts=0, sender="s@x", envelope_id="", ret_flags=0, time=b"", client_name="", client_address="",
            client_port="", protocol_name="", helo_name="", sasl_method="", sasl_username="", sasl_sender="",
            log_ident="", rewrite_context="", recipient_count=1,
        )  # fmt: skip
        recipient = Recipient(original, address, Long(77), "rfc822;r@x", notify)
        stats = MessageStats(1000.0, 1000.5)
        delivery = Delivery(request, [recipient], self.message, stats)  # type: ignore[arg-type]  # a fake with what it needs
        reporter = Reporter(MailSettings(Snapshot({**MAIN, **(main or {})})))
        found: bool = run(reporter.report(delivery, recipient, outcome, relay, **named))
        return found


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    made = Case(tmp_path, monkeypatch)
    with made.stack:
        yield made


TO = "ABC123: to=<r@x.example>, relay=none, delay=2, delays=0.5/1.5/0/0, "


def test_sent_mail_is_nobodys_business(case: Case) -> None:
    assert case.report(Sent("delivered to mailbox")) is True
    assert case.lines == [f"{TO}dsn=2.0.0, status=sent (delivered to mailbox)"]
    assert case.message.done == [77]


def test_a_recipient_that_is_not_to_be_marked(case: Case) -> None:
    assert case.report(Sent("x"), flags=0) is True
    assert case.message.done == []


@pytest.mark.parametrize(
    ("address", "original", "shown"),
    [
        ("r@x", "o@x", "to=<r@x>, orig_to=<o@x>, "), ("r@x", "R@X", "to=<r@x>, "), ("r@x", "", "to=<r@x>, "),
        ("a b@x", "c d@x", 'to=<"a b"@x>, orig_to=<"c d"@x>, '), ("", "", "to=<>, "),
    ],
)  # fmt: skip
def test_addresses_in_the_log(case: Case, address: str, original: str, shown: str) -> None:
    case.report(Sent("x"), address=address, original=original)
    assert case.lines[0].startswith(f"ABC123: {shown}relay=none, ")


def test_details_of_a_connection(case: Case) -> None:
    case.report(Sent("250 ok"), relay="mx.x[192.0.2.1]:25", connected=1002.0, reuse_count=2, tls="tls=x, ")
    assert case.lines[0].startswith("ABC123: to=<r@x.example>, relay=mx.x[192.0.2.1]:25, conn_use=3, delay=2, delays=")
    assert case.lines[0].endswith(", tls=x, dsn=2.0.0, status=sent (250 ok)")


@pytest.mark.parametrize(("flags", "notify"), [(RECORD, 0), (RECORD_DELAY_SENT, 0), (0, NOTIFY_SUCCESS)])
def test_success_that_somebody_asked_for(case: Case, flags: int, notify: int) -> None:
    case.serve("trace")
    assert case.report(Sent("there"), flags=SUCCESS | flags, notify=notify, relay="mx.x") is True
    ((service, entry),) = case.told
    assert (service, entry["action"], entry["reason"]) == ("trace", "delivered", "delivery via mx.x: there")
    assert case.lines[-1].endswith("status=sent (there)")
    assert case.message.done == [77]


def test_success_that_cannot_be_told_is_deferred(case: Case) -> None:
    case.failing.add("trace")
    case.serve("trace", "defer")
    assert case.report(Sent("there"), flags=SUCCESS, notify=NOTIFY_SUCCESS) is False
    assert [service for service, _entry in case.told] == ["trace", "defer"]
    assert case.lines[-1].endswith("dsn=4.3.0, status=deferred (ABC123: trace service failed)")
    assert case.message.done == []


def test_a_bounce(case: Case) -> None:
    case.serve("bounce")
    assert case.report(Bounced("5.1.1", "unknown user"), original="o@x") is True
    ((service, entry),) = case.told
    assert service == "bounce"
    assert entry == {
        "nrequest": "0", "flags": "0", "queue_id": "ABC123", "original_recipient": "o@x", "recipient": "r@x.example",
        "offset": "77", "dsn_orig_rcpt": "rfc822;r@x", "notify_flags": "0", "status": "5.1.1", "diag_type": "",
        "diag_text": "", "mta_type": "", "mta_mname": "", "action": "failed", "reason": "unknown user",
    }  # fmt: skip
    assert case.lines[-1].endswith("dsn=5.1.1, status=bounced (unknown user)")
    assert case.message.done == [77]


def test_soft_bounce(case: Case) -> None:
    case.serve("defer")
    assert case.report(Bounced("5.1.1", "unknown user"), main={"soft_bounce": "yes"}) is False
    ((service, entry),) = case.told
    assert (service, entry["status"], entry["action"]) == ("defer", "4.1.1", "delayed")
    assert case.lines[-1].endswith("dsn=4.1.1, status=SOFTBOUNCE (unknown user)")
    assert case.message.done == []


def test_a_bounce_that_bounce_does_not_take(case: Case) -> None:
    case.failing.add("bounce")
    case.serve("bounce", "defer")
    assert case.report(Bounced("5.1.1", "unknown user")) is False
    assert case.lines[-1].endswith("dsn=4.3.0, status=deferred (bounce or trace service failure)")
    assert case.message.done == []


def test_a_delay(case: Case) -> None:
    case.serve("defer")
    assert case.report(Deferred("4.4.1", "timeout")) is False
    ((service, entry),) = case.told
    assert (service, entry["status"], entry["action"], entry["reason"]) == ("defer", "4.4.1", "delayed", "timeout")
    assert case.lines == [f"{TO}dsn=4.4.1, status=deferred (timeout)"]


def test_a_delay_of_which_nobody_hears(case: Case) -> None:
    case.failing.add("defer")
    case.serve("defer")
    assert case.report(Deferred("4.4.1", "timeout")) is False
    assert case.lines == ["warning: ABC123: defer service failure", f"{TO}dsn=4.4.1, status=deferred (timeout)"]


def test_flush_hears_of_delays_of_its_sites(case: Case) -> None:
    case.serve("defer", "flush")
    case.report(Deferred("4.4.1", "timeout"), address="r@slow.example")
    case.report(Deferred("4.4.1", "timeout"), address="r@x.example")
    assert [entry for service, entry in case.told if service == "flush"] == [
        {"request": "add", "site": "slow.example", "queue_id": "ABC123"}
    ]


@pytest.mark.parametrize(
    ("outcome", "code", "warning"),
    [
        (Bounced("4.1.1", "x"), "5.0.0", 'bounce_append: ignoring dsn code "4.1.1"'),
        (Deferred("5.1.1", "x"), "4.0.0", 'defer_append: ignoring dsn code "5.1.1"'),
        (Sent("x", "5.1.1"), "2.0.0", 'sent: ignoring dsn code "5.1.1"'),
    ],
)
def test_codes_of_another_class(case: Case, outcome: Outcome, code: str, warning: str) -> None:
    case.serve("bounce", "defer")
    case.report(outcome)
    assert case.lines[0] == f"warning: {warning}"
    assert f"dsn={code}, " in case.lines[-1]


@pytest.mark.parametrize(
    ("outcome", "status", "word"),
    [
        (Sent("ok"), "0", "deliverable"), (Deferred("4.1.1", "later"), "1", "undeliverable"),
        (Bounced("5.1.1", "no"), "2", "undeliverable"),
    ],
)  # fmt: skip
def test_probes_of_smtpd(case: Case, outcome: Outcome, status: str, word: str) -> None:
    case.serve("verify")
    assert case.report(outcome, flags=SUCCESS | MTA_VERIFY, original="o@x") is True
    assert [(entry["address"], entry["recipient_status"]) for _service, entry in case.told] == [
        ("o@x", status), ("r@x.example", status),
    ]  # fmt: skip
    assert case.lines[-1].endswith(f"status={word} ({outcome.text})")
    assert case.message.done == [77]


def test_failures_of_probes_that_are_not_to_be_remembered(case: Case) -> None:
    main = {"address_verify_negative_cache": "no"}
    assert case.report(Bounced("5.1.1", "no"), flags=SUCCESS | MTA_VERIFY, main=main) is True
    assert case.lines[-1].endswith("status=undeliverable-but-not-cached (no)")


def test_probes_of_users(case: Case) -> None:
    case.serve("trace")
    assert case.report(Bounced("5.1.1", "no"), flags=SUCCESS | USER_VERIFY) is True
    ((service, entry),) = case.told
    assert (service, entry["action"], entry["flags"]) == ("trace", "undeliverable", str(USER_VERIFY))


def test_a_probe_whose_result_is_lost(case: Case) -> None:
    case.failing.add("verify")
    case.serve("verify")
    assert case.report(Sent("ok"), flags=SUCCESS | MTA_VERIFY) is False
    assert case.lines == ["warning: ABC123: verify service failure"]
    assert case.message.done == []


def test_what_is_a_probe() -> None:
    def request(flags: int) -> Any:
        return type("Request", (), {"flags": flags})

    assert [is_probe(request(flags)) for flags in (SUCCESS, MTA_VERIFY, USER_VERIFY, RECORD)] == [False, True, True, False]
