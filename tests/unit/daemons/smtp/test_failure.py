from __future__ import annotations

from pyfix.daemons.smtp.failure import Failure, refusal
from pyfix.delivery.outcome import BOUNCED, DEFERRED
from pyfix.protocols.smtp.client_reply import Reply


def test_the_first_digit_decides() -> None:
    assert Failure("4.4.1", "x").outcome().kind == DEFERRED
    outcome = Failure("5.1.1", "x", "host.example", "550 no").outcome()
    assert outcome.kind == BOUNCED
    assert (outcome.diag_type, outcome.diag_text, outcome.mta_type, outcome.mta_name) == (
        "smtp", "550 no", "dns", "host.example",
    )  # fmt: skip


def test_what_is_no_refusal_is_an_error_in_the_protocol() -> None:
    failure = refusal("host.example", Reply(250, "2.0.0", "250 ok"), "host said: 250 ok")
    assert failure[:2] == ("5.5.0", "Protocol error: host said: 250 ok")
    assert refusal("h", Reply(554, "5.3.2", "554-a\n554 b"), "x", status="4.3.2")[:4:3] == ("4.3.2", "554-a 554 b")


def test_loops() -> None:
    assert Failure("5.4.6", "x").loops and not Failure("5.4.4", "x").loops
