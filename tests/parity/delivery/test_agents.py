"""discard(8), error(8) and retry under the real master: what qmgr gets back, the log, bounce, defer and trace.

Source: discard(8), error(8); bounce(8); RFC 3464 section 2.3.3.
"""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"discard": "pyfix", "error": "pyfix"}
_ROUTES = {
    "disc": "discard:gone", "disc2": "discard:2.1.7 gone as asked", "odd": "discard:5.1.1 misfit",
    "bounce": "error:5.1.6 moved", "plain": "error:no code here", "misfit": "error:4.1.1 not for a bounce",
    "later": "retry:4.4.1 not now", "later2": "retry:no code here", "later3": "retry:5.1.1 not for a deferral",
    "only": "error:5.7.1", "none": "error:", "dnone": "discard:", "laternone": "retry:", "laterwide": "retry:4.3.0 caf\u00e9 ferm\u00e9",
    "wide": "error:5.1.6 caf\u00e9 ferm\u00e9", "dwide": "discard:caf\u00e9", "blanks": "error:   5.1.6    far   apart", "short": "error:5.1 moved",
    "large": "error:5.1234.1 moved", "glued": "error:5.1.6moved", "long": "error:5.1.6 " + 300 * "moved ", "colon": "error:5.1.6 a: b: <c> (d)",
    "dcode": "discard:2.0.0", "latercode": "retry:4.7.1", "percent": "error:5.1.6 %s %n %d",
}  # fmt: skip
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": f"inline:{{{', '.join(f'{{{name}.example={route}}}' for name, route in _ROUTES.items())}}}",
    "bounce_queue_lifetime": "5d",
}


def _logs_of(mta: Instance, queue_id: str) -> str:
    """Return the bounce, defer and trace logs of a message."""
    texts = []
    for kind in ("bounce", "defer", "trace"):
        for path in sorted((mta.queue_directory / kind).rglob(queue_id)):
            texts.append(f"{kind}:\n{path.read_text()}")
    return "\n".join(line for line in "\n".join(texts).splitlines() if not line.startswith("offset="))


def _status_lines(mta: Instance) -> str:
    """Return what was logged of each delivery, in the order of recipients: those of different requests have none."""
    lines = [line.partition(": to=")[2] for line in mta.log_lines() if ": to=<" in line]
    return "\n".join(sorted(re.sub(r"delay=.*?, dsn=", "dsn=", line) for line in lines))


@pytest.mark.parametrize("name", sorted(_ROUTES))
def test_outcomes(exchanged: Parity, name: str) -> None:
    """The nexthop's status code and text, in the log line and in what bounce, defer or trace keep."""

    def case(mta: Instance) -> str:
        queue_id = mta.send_message([f"User@{name}.example", f"second@{name}.example"], sender="")
        mta.wait_for_log(rf"{queue_id}: to=<", count=2)
        mta.wait_for_log(rf"{queue_id}: removed" if not name.startswith("later") else "")
        return _logs_of(mta, queue_id) if name.startswith("later") else ""

    exchanged(case, main=MAIN, replace=OURS, logs=("discard", "error"))


def test_many_recipients_in_several_requests(exchanged: Parity) -> None:
    """postconf(5) default_destination_recipient_limit."""

    def case(mta: Instance) -> int:
        recipients = [f"user{number}@disc.example" for number in range(120)]
        queue_id = mta.send_message(recipients, sender="back@disc.example")
        mta.wait_for_log(rf"{queue_id}: removed")
        return sum(f"{queue_id}: to=<" in line for line in mta.log_lines())

    assert exchanged(case, main=MAIN, replace=OURS).result == 120


def test_success_is_reported_when_asked_for(exchanged: Parity) -> None:
    """DSN NOTIFY=SUCCESS: trace(8) hears of it."""

    def case(mta: Instance) -> str:
        recipients = ["a@disc.example", "b@bounce.example", "c@later.example"]
        mta.run("sendmail", "-f", "back@disc.example", "-N", "success,failure", *recipients, input=b"Subject: x\n\nx\n")
        mta.wait_for_log(r"to=<back@disc.example>.*status=sent", count=2)
        return _status_lines(mta)

    exchanged(case, main=MAIN, replace=OURS, fresh=True)


def test_what_if_deliveries_and_verbose_ones(exchanged: Parity) -> None:
    """sendmail -bv and -v."""

    def case(mta: Instance) -> str:
        recipients = ["a@disc.example", "b@bounce.example", "c@later.example"]
        for option in ("-bv", "-v"):
            mark = mta.log_mark()
            mta.run("sendmail", "-f", "back@disc.example", option, *recipients, input=b"Subject: x\n\nx\n")
            count = 1 if option == "-bv" else 2
            mta.wait_for_log(r"to=<back@disc.example>.*status=sent", count=count, since=mark)
        return _status_lines(mta)

    exchanged(case, main=MAIN, replace=OURS, fresh=True)


def test_soft_bounce(exchanged: Parity) -> None:
    """postconf(5) soft_bounce."""

    def case(mta: Instance) -> str:
        queue_id = mta.send_message("a@bounce.example", sender="back@disc.example")
        mta.wait_for_log(rf"{queue_id}: to=<")
        return _logs_of(mta, queue_id)

    exchanged(case, main={**MAIN, "soft_bounce": "yes"}, replace=OURS, logs=("discard", "error"))


def test_an_address_probe(exchanged: Parity) -> None:
    """smtpd's reject_unverified_recipient: verify(8) hears of the outcome."""

    def case(mta: Instance) -> list[str]:
        addresses = ("a@disc.example", "b@bounce.example", "c@later.example")
        recipients = [f"RCPT TO:<{address}>" for address in addresses]
        lines = ["EHLO client.example", "MAIL FROM:<x@disc.example>", *recipients]
        return mta.dialogue(*lines, "QUIT", client="127.0.0.2")[2:5]

    main = {
        **MAIN,
        "smtpd_recipient_restrictions": "reject_unverified_recipient",
        "address_verify_map": "",
        "unverified_recipient_reject_code": "550",
    }
    exchanged(case, main=main, replace=OURS, logs=("discard", "error"))
