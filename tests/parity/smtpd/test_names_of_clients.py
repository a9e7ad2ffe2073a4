"""Names of clients, as the DNS or XCLIENT gives them: good ones, forged ones, none, and none for now; and who waits for them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.kit import processes
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance

from .conftest import LENIENT, Compare
from .dnsnames import CLIENTS, SCRIPTS, ZONES

pytestmark = [pytest.mark.reference, pytest.mark.root]


@pytest.fixture(scope="module")
def world() -> Iterator[DnsWorld]:
    with DnsWorld(ZONES, SCRIPTS) as world:
        yield world


@pytest.mark.parametrize("lookup", ["yes", "no"])
def test_names_of_clients(parity_of_smtpd: Compare, world: DnsWorld, lookup: str) -> None:
    """In the log, in Received: and in tables: good names, forged ones, none, and none for now."""
    main = LENIENT | {
        "smtpd_peername_lookup": lookup,
        "smtpd_client_restrictions": "check_client_access inline:{{listed.client.example=REJECT by name}, {.client.example=WARN parent}},"
        " check_reverse_client_hostname_access inline:{{forged.client.example=WARN reverse}}",
    }

    def case(mta: Instance) -> None:
        for client in CLIENTS:
            lines = ["EHLO c.test", "MAIL FROM:<a@b.c>", "RCPT TO:<user@ours.example>", "DATA", b"Subject: x\r\n\r\nx\r\n.\r\n", "QUIT"]
            mta.dialogue(*lines, client=client)
            mta.wait_until_empty()
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=len(CLIENTS))

    parity_of_smtpd(case, main=main, mounts=world.mounts, deliveries=True)


@pytest.mark.parametrize("lookup", ["yes", "no"])
def test_names_that_xclient_gives(parity_of_smtpd: Compare, world: DnsWorld, lookup: str) -> None:
    """Names that are unknown, for good or for now, as somebody else has found out; and no look-up at all."""
    main = LENIENT | {
        "smtpd_peername_lookup": lookup,
        "unknown_client_reject_code": "550",
        "smtpd_restriction_classes": "name, reverse",
        "name": "reject_unknown_client_hostname, reject_rhsbl_client dbl.example",
        "reverse": "reject_unknown_reverse_client_hostname, reject_rhsbl_reverse_client dbl.example",
        "smtpd_recipient_restrictions": "check_recipient_access inline:{name@ours.example=name, reverse@ours.example=reverse}",
        "smtpd_reject_unlisted_recipient": "no",
    }
    known = ("", "NAME=[UNAVAILABLE]", "NAME=[TEMPUNAVAIL]", "NAME=[UNAVAILABLE] REVERSE_NAME=host.example",
             "NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL]", "NAME=host.example REVERSE_NAME=[UNAVAILABLE]", "NAME=host.example")  # fmt: skip

    def case(mta: Instance) -> None:
        for words in known:
            lines = [f"XCLIENT {words} ADDR=192.0.2.1"] if words else []
            lines += ["EHLO c.test", "MAIL FROM:<a@b.c>", "RCPT TO:<name@ours.example>", "RCPT TO:<reverse@ours.example>", "QUIT"]
            mta.dialogue(*lines)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=len(known))

    parity_of_smtpd(case, main=main, mounts=world.mounts)


def test_nobody_waits_for_the_dns_of_others(new_instance: Callable[..., Instance]) -> None:
    """One process serves them all: while name servers keep many clients waiting, another one is served."""
    main = LENIENT | {
        "smtpd_peername_lookup": "yes",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_helo_restrictions": "reject_unknown_helo_hostname, reject_rhsbl_helo silent.example",
    }
    with DnsWorld(ZONES, SCRIPTS, options="timeout:20 attempts:1") as world:
        mta = new_instance("pyfix", main=main, mounts=world.mounts).start()
        waiting = []
        for _ in range(50):
            connection = socket.create_connection((mta.host, mta.port))
            connection.settimeout(10)
            assert connection.recv(1000).startswith(b"220 ")
            connection.sendall(b"EHLO silent.example\r\n")
            assert connection.recv(1000).startswith(b"250-")
            connection.sendall(b"MAIL FROM:<a@host.example>\r\n")
            assert connection.recv(1000).startswith(b"250 ")
            connection.sendall(b"RCPT TO:<user@ours.example>\r\n")
            waiting.append(connection)
        assert processes.wait_until(lambda: world.front.asked.count(("silent.example", "A")) == 50, 10)
        begun = time.monotonic()
        lines = ["EHLO host.example", "MAIL FROM:<a@host.example>", "RCPT TO:<user@ours.example>", "QUIT"]
        assert mta.dialogue(*lines, client="127.0.0.2")[2].startswith("250 ")
        assert time.monotonic() - begun < 15, "it was served only when the others were"
        assert len({line.partition("smtpd[")[2].partition("]")[0] for line in mta.log_lines() if "smtpd[" in line}) == 1
        for connection in waiting:
            connection.close()
