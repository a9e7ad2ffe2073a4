"""A lookup that waits stops nobody else: other sessions and messages of the same processes go on meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.tableservers import TcpServer

pytestmark = [pytest.mark.root]

WAIT = 0.3
"""Seconds until the server answers what has to do with the slow client."""
SLOW_CLIENT = "127.0.0.3"
_FOUND = {b"mail.ours.example", b"ours.example", TRUSTED.encode()}


class SlowServer(TcpServer):
    """Takes its time for some keys."""

    waited = 0

    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        found = super().request(buffer)
        if found is not None and (b"slow" in found[0] or found[0] == SLOW_CLIENT.encode()):
            self.waited += 1
            time.sleep(WAIT)
        return found


TABLE = "tcp:127.0.0.1:{number}"
LISTS = dict.fromkeys(("smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts", "smtpd_authorized_verp_clients", "debug_peer_list", "smtpd_forbid_bare_newline_exclusions", "smtpd_client_event_limit_exceptions", "smtpd_discard_ehlo_keyword_address_maps", "smtpd_milter_maps", "smtpd_noop_commands", "smtpd_forbidden_commands", "fast_flush_domains", "mynetworks", "mydestination", "virtual_alias_maps", "canonical_maps", "masquerade_exceptions", "transport_maps", "relay_domains", "recipient_bcc_maps"), TABLE)  # fmt: skip


@pytest.fixture
def server() -> Iterator[SlowServer]:
    with SlowServer(dict.fromkeys(_FOUND, b"200 yes\n")) as server:
        yield server


def test_other_clients_go_on(server: SlowServer) -> None:
    """While one client's lookups wait, by turns in smtpd, cleanup and trivial-rewrite, another sends message after message."""
    main = {name: text.format(number=server.port) for name, text in LISTS.items()} | {
        "masquerade_domains": "ours.example",
        "local_header_rewrite_clients": f"check_address_map {TABLE.format(number=server.port)}",
        "smtpd_recipient_restrictions": f"check_sender_access {TABLE.format(number=server.port)}, permit_mynetworks, reject_unauth_destination",
        "virtual_mailbox_domains": "virtual.example",
        "virtual_mailbox_maps": "static:user",
    }
    with Instance("pyfix", main=main) as mta:
        mta.start()
        mta.send_message("user@virtual.example")
        longest, ended = 0.0, threading.Event()

        def others() -> None:
            nonlocal longest
            while not ended.is_set():
                begin = time.monotonic()
                mta.send_message("user@virtual.example")
                longest = max(longest, time.monotonic() - begin)

        watcher = threading.Thread(target=others)
        watcher.start()
        try:
            envelope = ("EHLO slow.example", "MAIL FROM:<slow@slow.example> XVERP", "MAIL FROM:<slow@slow.example>")
            words = (*envelope, "RCPT TO:<slow@virtual.example>", "ETRN slow.example", "SLOW", "DATA", "Subject: x\r\n\r\n.", "QUIT")
            replies = mta.dialogue(*words, client=SLOW_CLIENT)
        finally:
            ended.set()
            watcher.join(20)
    assert server.waited >= 15, server.asked
    assert [reply[:3] for reply in replies[1:4]] == ["555", "250", "250"] and replies[-2].startswith("250 2.0.0 Ok: queued"), replies
    assert longest < WAIT * 0.8, f"{longest:.3f} s for a message of another client; {server.asked}"
