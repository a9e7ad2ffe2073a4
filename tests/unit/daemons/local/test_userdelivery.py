"""Users who are none, and mail for them; parity is in tests/parity/delivery/test_local_forward.py."""

from __future__ import annotations

import pytest

from pyfix.daemons.local import daemon as local
from tests.unit.daemons.local.test_daemon import USER, configure, mail, ours
from tests.unit.daemons.requests import bounce_service, deliver, is_final
from tests.unit.daemons.running import System, running
from tests.unit.daemons.services import Rewrite

__all__ = ["mail"]


def test_mail_for_nobody_goes_to_somebody(mail: System) -> None:
    Rewrite(mail)
    configure(mail, luser_relay=f"{USER}+$local")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, "nosuch")))
    assert f"to=<{USER}+nosuch@" in mail.logged("status=")[-1]


@pytest.mark.parametrize("relay", ["nobody1", "nosuch"])
def test_who_is_unknown_himself_is_told_of(mail: System, relay: str) -> None:
    """Nothing may be lost because a relay address leads to itself."""
    Rewrite(mail)
    configure(mail, luser_relay=relay)
    bounce = bounce_service(mail, "bounce")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, "nosuch")))
    assert bounce.next()["reason"] == f'unknown user: "{relay}"'


def test_a_table_that_fails(mail: System) -> None:
    Rewrite(mail)
    configure(mail, mailbox_command_maps="fail:x")
    defer = bounce_service(mail, "defer")
    with running(local.main, mail, "local") as daemon:
        assert not is_final(deliver(daemon, ours(mail, USER)))
    assert defer.next()["status"] == "4.3.0"


def test_forwarding_where_the_owner_says_so(mail: System) -> None:
    Rewrite(mail)
    (mail.folder / "mail" / ".forward").write_text("\"|exit 67\"\n")
    configure(mail, forward_path=f"{mail.folder}/mail/.forward")
    bounce = bounce_service(mail, "bounce")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, USER)))
    assert bounce.next()["reason"] == "user unknown"
    assert not (mail.folder / "mail" / USER).exists()
