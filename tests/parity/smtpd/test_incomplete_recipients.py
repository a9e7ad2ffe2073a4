"""Recipients without a domain, or with half of one: whether they are ours is asked of what rewriting makes of them."""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference]

RECIPIENTS = ("user", "user@host", '"a b"', "user%far.example", "user%ours.example@mail.ours.example", "far.example!user", "@far.example:user@ours.example", "postmaster", "user@ours")


@pytest.mark.parametrize("origin", ["far.example", "$myhostname", "relay.example", "{dir}/etc/mailname"])
def test_incomplete_recipients(parity: Parity, origin: str) -> None:
    def case(mta: Instance) -> None:
        mta.dialogue("HELO c.example", "MAIL FROM:<a@b.example>", *[f"RCPT TO:<{one}>" for one in RECIPIENTS], "QUIT")

    main = {"myorigin": origin, "smtpd_reject_unlisted_recipient": "no", "smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "100"}
    parity(case, main=main, files={"mailname": "far.example\n"}, logs="smtpd")
