"""Lists in lists; parity is in tests/parity/delivery/test_local_aliases.py."""

from __future__ import annotations

import pytest

from pyfix.daemons.local import daemon as local
from tests.unit.daemons.local.test_daemon import USER, configure, mail, ours
from tests.unit.daemons.requests import Recorder, bounce_service, deliver, is_final
from tests.unit.daemons.running import System, running
from tests.unit.daemons.services import HOST, Cleanup, Rewrite

__all__ = ["mail"]


@pytest.mark.parametrize(
    ("members", "status", "reason"),
    [
        ('"|/bin/true"', "5.7.1", "mail to command is restricted"),
        ("/dev/null", "5.7.1", "mail to file is restricted"),
        ("~/x", "5.3.5", "mail system configuration error"),
        (":include:x", "5.3.5", "mail system configuration error"),
        (":include:/nosuch", "5.3.5", "mail system configuration error"),
    ],
)
def test_members_that_are_refused(mail: System, members: str, status: str, reason: str) -> None:
    Rewrite(mail)
    configure(
        mail,
        alias_maps="inline:{{l=" + members + "}}", allow_mail_to_commands="forward", allow_mail_to_files="forward"
    )
    bounce = bounce_service(mail, "bounce")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, "l")))
    told = bounce.next()
    assert (told["status"], told["reason"]) == (status, reason)


def test_a_list_in_a_file(mail: System) -> None:
    Rewrite(mail)
    cleanup = Cleanup(mail)
    path = mail.folder / "mail" / "list"
    path.write_text(f"# us\n{USER}, a@z.example\n{USER}\n:include:{path}\n")
    configure(mail, alias_maps="inline:{{l=:include:" + str(path) + "}}")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, "l")))
    assert cleanup.next().values("R") == [f"{USER}@{HOST}", "a@z.example"]


def test_the_owner_of_a_command_hears_of_its_failure(mail: System) -> None:
    Rewrite(mail)
    configure(mail, alias_maps='inline:{{l="|exit 69"}, {owner-l=a@z.example}}')
    bounce = Recorder(mail, "private/bounce", "delivery_status_protocol")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, "l+x")))
    told = bounce.next()
    assert (told["nrequest"], told["sender"], told["reason"]) == ("4", f"owner-l@{HOST}", "service unavailable")


def test_nobody_owns_the_table(mail: System) -> None:
    Rewrite(mail)
    defer = bounce_service(mail, "defer")
    configure(mail, alias_maps="fail:x")
    with running(local.main, mail, "local") as daemon:
        assert not is_final(deliver(daemon, ours(mail, "l")))
    assert defer.next()["reason"] == "alias database unavailable"
