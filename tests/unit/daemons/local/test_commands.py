"""Commands as mailboxes; parity is in tests/parity/delivery/test_local_commands.py."""

from __future__ import annotations

import pytest

from pyfix.daemons.local import daemon as local
from tests.unit.daemons.local.test_daemon import USER, configure, mail, ours
from tests.unit.daemons.requests import bounce_service, deliver, is_final
from tests.unit.daemons.running import System, running
from tests.unit.daemons.services import HOST, Rewrite

__all__ = ["mail"]


def test_a_command_for_all_mailboxes(mail: System) -> None:
    Rewrite(mail)
    out = mail.folder / "mail" / "out"
    configure(mail, mailbox_command=f'cat > {out}; echo "$EXTENSION $SENDER" >> {out}')
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, f"{USER}+x$y")))
    text = out.read_text()
    assert text.startswith("From s@x.example  ") and f"Delivered-To: {USER}+x$y@{HOST}\n" in text
    assert text.endswith("\nhello\nx_y s@x.example\n"), "what a shell might take for its own is not there"
    assert "status=sent (delivered to command: " in mail.logged("status=")[-1]


@pytest.mark.parametrize(
    ("command", "service", "status", "reason"),
    [
        ("exit 67", "bounce", "5.1.1", "user unknown"),
        ("echo 4.7.0 later; exit 1", "defer", "4.7.0", "later "),
        ("exit 75", "defer", "4.3.0", "temporary failure"),
    ],
)
def test_exit_statuses(mail: System, command: str, service: str, status: str, reason: str) -> None:
    Rewrite(mail)
    configure(mail, mailbox_command=command)
    told = bounce_service(mail, service)
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, USER))) is (service == "bounce")
    entry = told.next()
    assert (entry["status"], entry["reason"]) == (status, reason)


def test_a_malformed_directory(mail: System) -> None:
    Rewrite(mail)
    configure(mail, mailbox_command="true", command_execution_directory="${home")
    defer = bounce_service(mail, "defer")
    with running(local.main, mail, "local") as daemon:
        assert not is_final(deliver(daemon, ours(mail, USER)))
    assert defer.next()["status"] == "4.3.5"
