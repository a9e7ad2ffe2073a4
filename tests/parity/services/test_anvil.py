"""anvil counts as the reference's does."""

from __future__ import annotations

import time

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.parity.services.asking import Client, ask, pairs

pytestmark = [pytest.mark.reference, pytest.mark.root]
PATH = "private/anvil"


def talk(mta: Instance, *requests: str) -> list[bytes]:
    return ask(mta, PATH, *map(pairs, requests), encoding="plain")


@pytest.mark.parametrize(
    "requests",
    [
        [f"request={what} ident=a:1" for what in ("connect", "lookup", "disconnect", "lookup", "disconnect", "lookup")],
        ["request=connect ident=c:1"]
        + [f"request={what} ident=c:1" for what in ("message", "recipient", "recipient", "newtls", "auth")]
        + ["request=newtls_status ident=c:1", "request=lookup ident=c:1"],
        [
            f"request={what} ident=d:1"
            for what in ("newtls_status", "lookup", "message", "recipient", "auth", "newtls", "lookup")
        ],
        ["request=disconnect ident=e:1", "request=lookup ident=e:1"],
        ["request=bogus ident=f:1", "request=lookup ident=f:1"],
        ["request=connect"],
        ["request=connect ident=", "request=lookup ident="],
        ["ident=g:1"],
        ["request=connect ident=h:1 more=x", "request=lookup ident=h:1"],
    ],
)
def test_replies(parity: Parity, requests: list[str]) -> None:
    parity(lambda mta: talk(mta, *requests))


@pytest.mark.parametrize("request_", ["request=bogus ident=x:1", "request=connect", "ident=x:1"])
def test_complaints(parity: Parity, request_: str) -> None:
    def case(mta: Instance) -> str:
        talk(mta, request_)
        return mta.wait_for_log(r"/anvil\[\d+\]: (warning: .*)")[1]

    parity(case)


def test_client_that_leaves_is_counted_out(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        with Client(mta, PATH, "plain") as one, Client(mta, PATH, "plain") as other:
            seen: list[object] = [client.receive() for client in (one, other)]
            seen += [client.ask(*pairs("request=connect ident=left:1")) for client in (one, other)]
            seen.append(talk(mta, "request=lookup ident=left:1"))

        def counted_out() -> bool:
            return b"\ncount=0\n" in talk(mta, "request=lookup ident=left:1")[1]

        seen.append(wait_until(counted_out, 5))
        seen.append(talk(mta, "request=lookup ident=left:1"))
        return seen

    parity(case)


def test_one_connection_may_count_out_what_another_counted_in(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        with Client(mta, PATH, "plain") as first:
            first.receive()
            seen: list[object] = [first.ask(*pairs("request=connect ident=x:1"))]
            seen.append(talk(mta, "request=disconnect ident=x:1", "request=lookup ident=x:1"))
            seen.append(first.ask(*pairs("request=lookup ident=x:1")))
        return seen

    parity(case, fresh=True)


def test_rate_begins_anew_after_the_time_unit(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        with Client(mta, PATH, "plain") as client:
            client.receive()
            seen: list[object] = [client.ask(*pairs("request=connect ident=x:1"))]
            time.sleep(2.2)
            seen.append(client.ask(*pairs("request=lookup ident=x:1")))
            seen.append(client.ask(*pairs("request=message ident=x:1")))
            seen.append(client.ask(*pairs("request=lookup ident=x:1")))
        return seen

    parity(case, main={"anvil_rate_time_unit": "1s"}, fresh=True)
