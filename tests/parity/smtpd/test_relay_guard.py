"""What smtpd says at its start of lists of restrictions that leave the relay open.  Source: SMTPD_ACCESS_README."""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.kit.smtp import Dialogue

pytestmark = [pytest.mark.reference, pytest.mark.root]

LISTS = (
    ("permit_mynetworks, permit, reject", "reject, permit, defer", ""),
    ("reject_unauth_destination", "permit, warn_if_reject reject, permit, reject_unauth_destination", ""),
    ("one, reject_unauth_destination", "", "permit, reject"),
    ("", "PERMIT, reject", ""),
    ("one", "one, permit, x", "permit, reject"),
    ("one, one", "", "permit, reject"),
    ("warn_if_reject one", "", "reject"),
    ("warn_if_reject warn_if_reject reject", "", ""),
    ("", "permit, permit_mynetworks", " "),
)
"""Relay list, recipient list, and the restriction class one; a class may not be empty."""


@pytest.mark.parametrize(("relay", "recipient", "one"), LISTS)
def test_lists(parity: Parity, relay: str, recipient: str, one: str) -> None:
    def case(mta: Instance) -> list[str]:
        mark = mta.log_mark()
        try:
            with Dialogue(mta.host, mta.port, timeout=0.5) as client:
                client.say("QUIT")
        except OSError:
            pass  # it did not even greet
        said: list[str] = []

        def ended() -> bool:
            said[:] = [line.partition("]: ")[2] for line in mta.log_lines(mark) if "/smtpd[" in line]
            return any("disconnect from" in line or line.startswith("fatal:") for line in said)

        assert wait_until(ended, 20.0)
        return [line for line in said if line.startswith(("warning: restriction", "fatal:"))]

    main = {
        "smtpd_restriction_classes": "one" if one else "",
        "one": one,
        "smtpd_relay_restrictions": relay,
        "smtpd_recipient_restrictions": recipient,
    }
    parity(case, main=main, fresh=True)
