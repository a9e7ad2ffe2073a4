from __future__ import annotations

import pytest

from pyfix.access.tempfail import TempfailActions
from pyfix.access.verdict import DeferIfPermit, Reject
from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot

REJECT = Reject(450, "4.1.1", "x")


def actions(**main: str) -> TempfailActions:
    return TempfailActions(SmtpdSettings(Snapshot(main)))


def test_actions() -> None:
    assert actions().unknown_address(REJECT) == DeferIfPermit(REJECT)
    found = actions(reject_tempfail_action="defer", unverified_sender_tempfail_action="defer_if_permit")
    assert found.unknown_helo_hostname(REJECT) is REJECT
    assert found.unverified_recipient(REJECT) is REJECT
    assert found.unverified_sender(REJECT) == DeferIfPermit(REJECT)


def test_a_word_that_is_none() -> None:
    with pytest.raises(ConfigError, match=r"^bad configuration: unknown_address_tempfail_action = later$"):
        actions(unknown_address_tempfail_action="later")
