"""What services say of requests that are no requests, or lack something."""

from __future__ import annotations

import socket

import pytest

from pyfix.formats.attributes import Encoding, encode_pairs
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.services.asking import pairs

pytestmark = [pytest.mark.reference, pytest.mark.root]

SERVICES: dict[str, tuple[str, Encoding]] = {
    "anvil": ("private/anvil", "plain"),
    "flush": ("public/flush", "null"),
    "scache": ("private/scache", "null"),
    "tlsmgr": ("private/tlsmgr", "null"),
    "verify": ("private/verify", "null"),
    "proxymap": ("private/proxymap", "null"),
}

REQUESTS = {
    "anvil": ["connect", "connect x=y", "bogus", "bogus ident=", ""],
    "flush": ["add", "add site=a", "send_site x=y", "bogus", ""],
    "scache": [
        "save_endp", "save_endp ttl=x label=a property=b", "save_endp ttl= label=a property=b", "save_endp ttl=-1 label=a property=b",
        "save_endp ttl=0 label=a property=b",
        "save_dest", "save_dest ttl=x label=a property=b label=c", "save_dest ttl=1 label=a property=b",
        "save_dest ttl=-1 label=a property=b label=c", "save_dest ttl=0 label=a property=b label=c",
        "find_endp", "find_endp x=y", "find_dest", "find_dest x=y", "bogus", "",
    ],
    "tlsmgr": [
        "seed", "seed size=x", "seed size=0", "seed size=-1", "seed size=256", "policy", "policy x=y", "lookup",
        "lookup cache_type=smtpd", "update cache_type=smtpd cache_id=x", "delete cache_type=x", "tktkey", "bogus", "",
    ],
    "verify": [
        "query", "query x=y", "update", "update address=a@x", "update address=a@x recipient_status=x reason=y", "bogus", "",
    ],
    "proxymap": ["bogus", ""],
}  # fmt: skip
CASES = [(service, f"request={request}") for service, requests in REQUESTS.items() for request in requests]
CASES += [(service, request) for service in SERVICES for request in ("", "x=y") if (service, request) != ("scache", "x=y")]
"""The reference's scache takes the rest of a list without a name for the next one."""


@pytest.mark.parametrize(("service", "request_"), CASES)
def test_replies_and_complaints(parity: Parity, service: str, request_: str) -> None:
    parity(lambda mta: ask_once(mta, service, request_))


def ask_once(mta: Instance, service: str, request: str) -> list[object]:
    """Send a request; return all that comes back, and the warnings."""
    path, encoding = SERVICES[service]
    answer = b""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(mta.queue_directory / path))
        client.sendall(encode_pairs(pairs(request), encoding))
        client.shutdown(socket.SHUT_WR)
        try:
            while more := client.recv(4096):
                answer += more
        except ConnectionResetError:
            pass
    mta.settle()
    return [answer, *(line.partition(": warning: ")[2] for line in mta.log_lines() if f"/{service}[" in line and "warning" in line)]
