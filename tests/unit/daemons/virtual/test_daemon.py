"""virtual(8): who gets mail where; parity is in tests/parity/delivery/test_virtual.py."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pyfix.daemons.virtual import daemon as virtual
from tests.unit.daemons.requests import Recorder, bounce_service, deliver, is_final, queued
from tests.unit.daemons.running import Running, System, running, start

MAILBOXES = "inline:{a@x.example=box/,b@x.example=mbox,d@x.example=../up,e@x.example=nobody}"
OWNER = 65534 if os.getuid() == 0 else os.getuid()


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    base = system.folder / "mail"
    base.mkdir()
    system.give(base)
    system.write_main(
        virtual_mailbox_maps=MAILBOXES, virtual_mailbox_base=base, virtual_mailbox_domains="x.example",
        virtual_uid_maps="inline:{a@x.example=65534,b@x.example=65534,e@x.example=5}", virtual_gid_maps="static:65534",
    )  # fmt: skip
    with running(virtual.main, system, "virtual") as found:
        yield found


def test_a_maildir(daemon: Running) -> None:
    message = queued(daemon.system, "A@x.example", content=b"Subject: x\n\nhello\n")
    assert is_final(deliver(daemon, message))
    (file,) = (daemon.system.folder / "mail/box/new").iterdir()
    assert file.read_bytes() == (
        b"Return-Path: <s@x.example>\nX-Original-To: A@x.example\nDelivered-To: A@x.example\nSubject: x\n\nhello\n"
    )
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (OWNER, 0o600)
    assert message.recipients_left() == []
    line = daemon.system.logged("status=")[-1]
    assert line.startswith("virtual: ABC123: to=<A@x.example>, relay=virtual, delay=")
    assert line.endswith(", dsn=2.0.0, status=sent (delivered to maildir)")


def test_a_mailbox_file(daemon: Running) -> None:
    assert is_final(deliver(daemon, queued(daemon.system, "b@x.example")))
    path = daemon.system.folder / "mail/mbox"
    assert path.read_bytes().startswith(b"From s@x.example  ") and path.read_bytes().endswith(b"\n\nhello\n\n")
    assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (OWNER, 0o600)


def test_unknown_users_bounce(daemon: Running) -> None:
    bounce = bounce_service(daemon.system, "bounce")
    message = queued(daemon.system, "C@x.example", "a@x.example")
    assert is_final(deliver(daemon, message))
    told = bounce.next()
    assert (told["recipient"], told["status"], told["reason"]) == ("C@x.example", "5.1.1", 'unknown user: "c@x.example"')
    assert message.recipients_left() == [], "the other one got it"


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("d@x.example", "recipient d@x.example: bad mailbox path ../up in virtual_mailbox_maps"),
        ("e@x.example", "recipient e@x.example: bad uid 5 in virtual_uid_maps"),
    ],
)
def test_bad_entries_are_deferred(daemon: Running, address: str, line: str) -> None:
    defer = bounce_service(daemon.system, "defer")
    message = queued(daemon.system, address)
    assert not is_final(deliver(daemon, message))
    told = defer.next()
    assert (told["status"], told["reason"]) == ("4.3.5", "mail system configuration error")
    assert f"virtual: warning: {line}" in daemon.system.logged("warning")
    assert message.recipients_left() == [address]


@pytest.mark.parametrize(("address", "text"), [("a@x.example", "delivers to maildir"), ("b@x.example", "delivers to mailbox")])
def test_probes_deliver_nothing(daemon: Running, address: str, text: str) -> None:
    verify = Recorder(daemon.system, "private/verify", "address_verification_prrotocol")
    assert is_final(deliver(daemon, queued(daemon.system, address).changed(flags=1 | 256)))
    assert (verify.next()["reason"], list((daemon.system.folder / "mail").iterdir())) == (text, [])


@pytest.mark.root
def test_a_mailbox_of_somebody_else(daemon: Running) -> None:
    (daemon.system.folder / "mail/mbox").touch(0o666)
    defer = bounce_service(daemon.system, "defer")
    assert not is_final(deliver(daemon, queued(daemon.system, "b@x.example")))
    told = defer.next()
    assert told["status"] == "4.2.0"
    assert (daemon.system.folder / "mail/mbox").read_bytes() == b""


@pytest.mark.parametrize(
    ("main", "options", "text"),
    [
        ({"virtual_mailbox_lock": "magic"}, [], 'unknown mailbox_delivery_lock value "magic" in "magic"'),
        ({"virtual_mailbox_limit": "1000"}, [], "configuration error: virtual_mailbox_limit is smaller than message_size_limit"),
        ({}, ["-u"], "service virtual requires privileged operation"),
    ],
)  # fmt: skip
def test_fatal_errors(system: System, main: dict[str, str], options: list[str], text: str) -> None:
    system.write_main(virtual_mailbox_base="/tmp", **main)
    assert start(virtual.main, system, "virtual", *options).wait() == 1
    assert f"virtual: fatal: {text}" in system.logged("fatal")
