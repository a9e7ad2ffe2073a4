"""local(8): users, aliases and what becomes of failures; parity is in tests/parity/delivery/test_local.py."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator

import pytest

from pyfix.daemons.local import daemon as local
from tests.unit.daemons.requests import Queued, Recorder, bounce_service, deliver, is_final, queued
from tests.unit.daemons.running import Running, System, running, start
from tests.unit.daemons.services import HOST, Cleanup, Rewrite

USER = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
ALIASES = (
    "inline:{{one = " + USER + "}, {far = a@elsewhere.example}, {both = " + USER + ", a@elsewhere.example}, {list = b@z.example},"
    "{owner-list = admin}, {self = self}, {cmd = \"|/bin/cat\"}, {loop1 = loop2}, {loop2 = loop1}, {" + USER + "2 = \\" + USER + "}}"
)  # fmt: skip


@pytest.fixture
def mail(system: System) -> System:
    spool = system.folder / "mail"
    spool.mkdir()
    spool.chmod(0o1777)
    configure(system)
    return system


def configure(system: System, **changes: str) -> None:
    """Write main.cf with *changes* to what all these tests have."""
    system.write_main(
        **{"mail_spool_directory": system.folder / "mail", "alias_maps": ALIASES, "recipient_delimiter": "+"} | changes
    )


@pytest.fixture
def daemon(mail: System) -> Iterator[Running]:
    Rewrite(mail)
    with running(local.main, mail, "local") as found:
        yield found


def ours(system: System, *names: str, content: bytes = b"Subject: x\n\nhello\n") -> Queued:
    return queued(system, *(f"{name}@{HOST}" for name in names), nexthop=HOST, content=content)


@pytest.mark.parametrize("name", [USER, USER.upper(), f"{USER}+extension"])
def test_a_user(daemon: Running, name: str) -> None:
    message = ours(daemon.system, name)
    assert is_final(deliver(daemon, message))
    mailbox = daemon.system.folder / "mail" / USER
    text = mailbox.read_bytes()
    assert text.startswith(b"From s@x.example  ") and text.endswith(b"\n\nhello\n\n")
    assert f"Delivered-To: {name}@{HOST}\n".encode() in text
    assert mailbox.stat().st_uid == pwd.getpwnam(USER).pw_uid
    assert daemon.system.logged("status=")[-1].endswith(", dsn=2.0.0, status=sent (delivered to mailbox)")
    assert message.recipients_left() == []


def test_an_unknown_user(daemon: Running) -> None:
    bounce = bounce_service(daemon.system, "bounce")
    assert is_final(deliver(daemon, ours(daemon.system, "NoSuch+x")))
    told = bounce.next()
    assert (told["status"], told["reason"]) == ("5.1.1", 'unknown user: "nosuch"')


@pytest.mark.parametrize("name", ["postmaster", "MAILER-DAEMON"])
def test_names_that_must_exist(daemon: Running, name: str) -> None:
    assert is_final(deliver(daemon, ours(daemon.system, name)))
    lines = daemon.system.logged("status=")
    assert f"local: warning: required alias not found: {name.lower()}" in lines
    assert lines[-1].endswith("status=sent (discarded)")


def test_mail_that_comes_back(daemon: Running) -> None:
    bounce = bounce_service(daemon.system, "bounce")
    message = ours(daemon.system, USER, content=f"Delivered-To: {USER}@{HOST}\n\nx\n".encode())
    assert is_final(deliver(daemon, message))
    told = bounce.next()
    assert (told["status"], told["reason"]) == ("5.4.6", f"mail forwarding loop for {USER}@{HOST}")
    assert not (daemon.system.folder / "mail" / USER).exists()


def test_an_alias_for_a_user(daemon: Running) -> None:
    message = ours(daemon.system, "one")
    assert is_final(deliver(daemon, message))
    assert f"Delivered-To: one@{HOST}\n".encode() in (daemon.system.folder / "mail" / USER).read_bytes()
    assert daemon.system.logged("status=")[-1].startswith(f"local: ABC123: to=<{USER}@{HOST}>, orig_to=<one@{HOST}>, ")
    assert message.recipients_left() == []


def test_an_alias_for_somebody_elsewhere(daemon: Running) -> None:
    cleanup = Cleanup(daemon.system)
    message = ours(daemon.system, "far")
    assert is_final(deliver(daemon, message))
    forwarded = cleanup.next()
    assert (forwarded.values("R"), forwarded.values("S")) == (["a@elsewhere.example"], ["s@x.example"])
    assert f"Delivered-To: far@{HOST}" in forwarded.lines()
    assert daemon.system.logged("status=")[-1].endswith("status=sent (forwarded as NEW456)")
    assert message.recipients_left() == []


def test_an_alias_for_both(daemon: Running) -> None:
    cleanup = Cleanup(daemon.system)
    assert is_final(deliver(daemon, ours(daemon.system, "both")))
    assert cleanup.next().values("R") == ["a@elsewhere.example"] and cleanup.is_silent
    assert (daemon.system.folder / "mail" / USER).exists()


def test_a_list_with_an_owner(daemon: Running) -> None:
    cleanup = Cleanup(daemon.system)
    assert is_final(deliver(daemon, ours(daemon.system, "list")))
    assert cleanup.next().values("S") == [f"owner-list@{HOST}"]


def test_a_cleanup_that_does_not_take_it(daemon: Running) -> None:
    Cleanup(daemon.system, status=2)
    defer = bounce_service(daemon.system, "defer")
    message = ours(daemon.system, "far")
    assert not is_final(deliver(daemon, message))
    assert (told := defer.next())["status"] == "4.3.0" and told["reason"] == "unable to forward message"
    assert message.recipients_left() == [f"far@{HOST}"]


def test_an_alias_in_a_circle_ends(daemon: Running) -> None:
    bounce = bounce_service(daemon.system, "bounce")
    assert is_final(deliver(daemon, ours(daemon.system, "loop1")))
    assert bounce.next()["status"] == "5.4.6"
    assert any("recipient nesting limit exceeded" in line for line in daemon.system.logged("nesting"))


def test_probes(daemon: Running) -> None:
    verify = Recorder(daemon.system, "private/verify", "address_verification_prrotocol")
    for name, text in ((USER, "delivers to mailbox"), ("far", "aliased to a@elsewhere.example")):
        assert is_final(deliver(daemon, ours(daemon.system, name).changed(flags=1 | 256)))
        assert verify.next()["reason"] == text
    assert not (daemon.system.folder / "mail" / USER).exists()


@pytest.mark.root
def test_a_maildir_at_home(mail: System) -> None:
    """Whose home is not there: nobody's."""
    mail.write_main(home_mailbox="Maildir/", mail_spool_directory=mail.folder / "mail")
    bounce = bounce_service(mail, "bounce")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, USER)))
    assert bounce.next()["status"] == "5.2.0"


@pytest.mark.parametrize(
    ("main", "text"),
    [
        ({"mailbox_delivery_lock": "magic"}, 'unknown mailbox_delivery_lock value "magic" in "magic"'),
        ({"mailbox_size_limit": "1000"}, "configuration error: mailbox_size_limit is smaller than message_size_limit"),
    ],
)
def test_fatal_errors(mail: System, main: dict[str, str], text: str) -> None:
    mail.write_main(**main)
    assert start(local.main, mail, "local").wait() == 1
    assert f"local: fatal: {text}" in mail.logged("fatal")
