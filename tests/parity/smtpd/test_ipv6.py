"""Clients that come by IPv6: names and addresses in replies, log lines, lists and the Received: header."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import Dialogue, Line
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import LENIENT

pytestmark = [pytest.mark.reference, pytest.mark.root]

SESSION: list[Line] = [
    "EHLO c.test", "MAIL FROM:<a@x.test>", "RCPT TO:<x@elsewhere.example>", "RCPT TO:<user@ours.example>",
    "RCPT TO:<root@[IPv6:::1]>", "RCPT TO:<root@[IPv6:2001:db8::1]>", "RCPT TO:<root@[::1]>", "DATA", b"Subject: x\r\n\r\nx\r\n.\r\n",
    "XFORWARD NAME=f ADDR=IPV6:2001:db8::2 PORT=9", "MAIL FROM:<b@[IPv6:2001:db8::9]>", "RCPT TO:<second@ours.example>", "DATA",
    b"\r\n.\r\n", "XCLIENT NAME=n.test ADDR=IPV6:2001:db8::7", "EHLO [IPv6:2001:db8::7]", "MAIL FROM:<a@x.test>",
    "RCPT TO:<x@elsewhere.example>", "RSET", "XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1", "HELO c", "MAIL FROM:<a@x.test>",
    "RCPT TO:<x@elsewhere.example>", "FOO", "QUIT",
]  # fmt: skip
NETWORKS = ["[::1]/128", "[2001:db8::]/32", "127.0.0.2/32", "!cidr:{{::1/128 ok}} [::]/0", "inline:{::1=1}", "[2001:db8::7]"]


@pytest.mark.parametrize("mynetworks", NETWORKS)
def test_sessions(instance_pool: InstancePool, mynetworks: str) -> None:
    requirements.need_reference("reference")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        requirements.missing(f"IPv6 on the loopback interface: {error}")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Any) -> None:
        with Dialogue("::1", mta.port, "::1") as client:
            mta.transcript.append(client.greeting)
            for line in SESSION:
                mta.transcript += [f"> {line!r}", *client.say(line)]
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")
        mta.wait_until_empty()

    main = LENIENT | {
        "inet_protocols": "all", "inet_interfaces": "127.0.0.1, [::1]", "mynetworks": mynetworks,
        "smtpd_authorized_xclient_hosts": "[::1], [2001:db8::7]", "smtpd_authorized_xforward_hosts": "[::1]/128",
        "smtpd_client_connection_rate_limit": "100", "smtpd_client_event_limit_exceptions": "",
        "smtpd_sender_restrictions": "check_client_access inline:{{2001:db8=warn far}, {::1=warn seen}}",
        "default_transport": "discard:far away",
    }  # fmt: skip
    parity(
        case, main=main, master={"smtp6": "[::1]:{port} inet n - n - - smtpd"}, replace={"smtpd": "pyfix"}, logs="smtpd",
        deliveries=True, fresh=True,
    )  # fmt: skip
