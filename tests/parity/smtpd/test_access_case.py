"""The case of what access tables are asked: addresses are folded before, also for pattern tables.

Source: access(5); regexp_table(5).
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

CHECKS = ("check_recipient_access", "check_sender_access", "check_helo_access")


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_asked(parity: Parity, check: str) -> None:
    def case(mta: Instance) -> None:
        words = [
            "EHLO HELO.Example", "MAIL FROM:<Sender+X@Client.Example>", "RCPT TO:<User@Fail.Example>", "RSET",
            "MAIL FROM:<Sender+X>", "RCPT TO:<User>", "RSET", "MAIL FROM:<SÄnder@Äther.example> SMTPUTF8", "RCPT TO:<ÜSER@Öl.example>", "QUIT",
        ]  # fmt: skip
        mta.dialogue(*words)

    main = {
        "smtpd_recipient_restrictions": f"{check} regexp:{{dir}}/etc/asked, permit",
        "smtpd_relay_restrictions": f"{check} fail:x, reject",
    }
    parity(case, main=main, files={"asked": "/fail/ DUNNO\n/^(.*)$/ REJECT found $1\n"}, logs="smtpd")
    parity(case, main=main | {"smtpd_recipient_restrictions": f"{check} fail:x, permit"}, logs="smtpd")
