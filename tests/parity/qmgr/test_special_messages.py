"""Messages that the queue manager treats in a way of their own: probes, and those with VERP; and those of a transport that fails.

Source: postconf(5) address_verify_pending_request_limit, disable_verp_bounces, transport_retry_time.
"""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

_ROUTES = "{disc.example=discard:gone}, {bounce.example=error:5.1.6 moved}, {nowhere.example=nosuch:x}"
MAIN = {"smtpd_reject_unlisted_recipient": "no", "transport_maps": f"inline:{{{_ROUTES}}}"}


def _outcomes(mta: Instance, since: int | None = None) -> list[str]:
    found = [re.search(r": (to=<.*?>), relay=.*(dsn=.*)", line) for line in mta.log_lines(since)]
    return sorted(f"{one[1]} {one[2]}" for one in found if one)


def test_many_probes_at_a_time(exchanged: Parity) -> None:
    """More address probes than may be active are not delivered; smtpd hears that for now nothing is known."""

    def case(mta: Instance) -> list[str]:
        def ask(name: str) -> None:
            mta.dialogue("EHLO x", "MAIL FROM:<>", f"RCPT TO:<{name}@disc.example>", "QUIT", client="127.0.0.2")

        ask("first")
        mta.wait_for_log(r": to=<first@.*status=")
        mta.settle()
        pids = mta.pids_of("discard")
        assert pids
        mark = mta.log_mark()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            for number in range(3):
                ask(f"user{number}")
                mta.wait_for_log(r"queue active", count=number + 1, since=mark)
                if number:
                    mta.wait_for_log(rf": to=<user{number}@.*status=", since=mark)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        mta.wait_for_log(r": to=<user0@.*status=", since=mark)
        mta.wait_until_empty()
        mark = mta.log_mark()
        ask("last")  # the count has gone down
        mta.wait_for_log(r": to=<last@.*status=", since=mark)
        return _outcomes(mta)

    main = {
        **MAIN,
        "address_verify_pending_request_limit": "1",
        "smtpd_recipient_restrictions": "reject_unverified_recipient",
        "unverified_recipient_reject_code": "550",
        "address_verify_map": "",
        "address_verify_poll_count": "1",
    }
    assert "Too many address verification requests" in str(exchanged(case, main=main, replace={"qmgr": "pyfix"}, fresh=True).result)


@pytest.mark.parametrize("disabled", ["no", "yes"])
def test_verp_and_bounces(parity: Parity, disabled: str) -> None:
    """A notice for each recipient, to an address that names it; or one to the sender."""

    def case(mta: Instance) -> object:
        mta.run("sendmail", "-XV", "-f", "user@ours.example", "a@bounce.example", "b@bounce.example", input=b"Subject: x\n\n")
        mta.wait_until_empty()
        return sum("sender non-delivery notification" in line for line in mta.log_lines()), [*mta.deliveries()]

    main = {**MAIN, "disable_verp_bounces": disabled}
    assert parity(case, main=main).result == ((2, []) if disabled == "no" else (1, ["user/"]))


def test_a_transport_gets_another_chance(parity: Parity) -> None:
    """A transport that could not be used is left alone for a while, also when mail comes for it."""

    def case(mta: Instance) -> object:
        for name in ("first", "second"):
            mta.send_message(f"{name}@nowhere.example", sender="")
            mta.wait_for_log(rf"to=<{name}@")
        warning = "connect to transport private/nosuch"
        told = [sum(warning in line for line in mta.log_lines())]

        def tried_again() -> bool:
            mta.send_message("later@nowhere.example", sender="")
            return sum(warning in line for line in mta.log_lines()) > 1

        return told, wait_until(tried_again, 8), set(_outcomes(mta))

    main = {**MAIN, "transport_retry_time": "2s", "minimal_backoff_time": "1000s"}
    assert parity(case, main=main, fresh=True).result[:2] == ([1], True)  # type: ignore[index]  # the result of case
