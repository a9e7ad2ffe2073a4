"""scache keeps and gives descriptors as the reference's does."""

from __future__ import annotations

import os
import time

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.services.asking import Client, ask, pairs, temporary

pytestmark = [pytest.mark.reference, pytest.mark.root]
PATH = "private/scache"
DUMMY = [("dummy", "")]


def save_endpoint(client: Client, label: str, properties: str, text: bytes, ttl: int = 10) -> list[bytes]:
    seen = [client.ask(*pairs(f"request=save_endp ttl={ttl} label={label} property={properties}"))]
    fd = temporary(text)
    client.send_descriptor(fd)
    os.close(fd)
    return [*seen, client.receive()]


def taken(client: Client, request: str) -> list[bytes]:
    """Return the reply and, if there is one, what stands in the file whose descriptor is passed."""
    reply = client.ask(*pairs(request))
    if not reply.startswith(b"status\0000\0"):
        return [reply]
    client.send(*DUMMY)
    fd = client.receive_descriptor()
    client.send(*DUMMY)
    with os.fdopen(fd, "rb") as file:
        return [reply, file.read()]


def save_destination(client: Client, destination: str, properties: str, endpoint: str, ttl: int = 10) -> bytes:
    return client.ask(
        ("request", "save_dest"), ("ttl", str(ttl)), ("label", destination), ("property", properties), ("label", endpoint)
    )


def test_endpoints(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        with Client(mta, PATH) as client:
            seen: list[object] = [client.receive()]
            seen += save_endpoint(client, "ep1", "one", b"first")
            seen += save_endpoint(client, "ep1", "two", b"second")
            seen += save_endpoint(client, "ep2", "three", b"third")
            for label in ("ep1", "ep2", "ep1", "ep1", "none"):
                seen += taken(client, f"request=find_endp label={label}")
            return seen

    parity(case)


def test_destinations(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        with Client(mta, PATH) as client:
            seen: list[object] = [client.receive()]
            seen.append(save_destination(client, "dest", "prop1", "ep1"))
            seen += taken(client, "request=find_dest label=dest")
            seen += save_endpoint(client, "ep1", "one", b"first")
            seen += save_endpoint(client, "ep1", "two", b"second")
            seen += save_endpoint(client, "ep2", "three", b"third")
            seen.append(save_destination(client, "dest", "prop2", "ep2"))
            seen.append(save_destination(client, "dest", "prop3", "ep1"))
            for _ in range(4):
                seen += taken(client, "request=find_dest label=dest")
            return seen

    parity(case)


def test_one_client_takes_what_another_saved(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        with Client(mta, PATH) as client, Client(mta, PATH) as other:
            seen: list[object] = [client.receive(), other.receive()]
            seen += save_endpoint(client, "ep", "p", b"text")
            return [*seen, *taken(other, "request=find_endp label=ep"), *taken(client, "request=find_endp label=ep")]

    parity(case)


def test_time_to_live(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        with Client(mta, PATH) as client:
            seen: list[object] = [client.receive()]
            seen += save_endpoint(client, "short", "p", b"text", ttl=1)
            seen += save_endpoint(client, "long", "p", b"text", ttl=9)
            seen += save_endpoint(client, "other", "p", b"text", ttl=9)
            seen.append(save_destination(client, "dest", "p", "other", ttl=1))
            time.sleep(2.2)
            seen += taken(client, "request=find_endp label=short")
            seen += taken(client, "request=find_dest label=dest")
            seen += taken(client, "request=find_endp label=long")
            return seen

    parity(case)


def test_limit_of_the_time_to_live(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        with Client(mta, PATH) as client:
            seen: list[object] = [client.receive(), *save_endpoint(client, "ep", "p", b"text", ttl=1000)]
            time.sleep(2.2)
            return [*seen, *taken(client, "request=find_endp label=ep")]

    parity(case, main={"connection_cache_ttl_limit": "1s"})


@pytest.mark.parametrize("request_", ["request=bogus", "request=find_endp label=x", "request=find_dest label=x"])
def test_refused(parity: Parity, request_: str) -> None:
    parity(lambda mta: ask(mta, PATH, pairs(request_), pairs(request_)))
