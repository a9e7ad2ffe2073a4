"""tlsmgr(8) as the TLS library of other daemons sees it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from pyfix.daemons.tlsmgr import daemon as tlsmgr
from tests.unit.daemons.running import Client, Pair, System, running

FAILED, ERROR = "4294967294", "4294967295"  # -2 and -1 on the wire


@pytest.fixture
def client(system: System) -> Iterator[Client]:
    system.write_main(
        smtpd_tls_session_cache_database="btree:/x", smtpd_tls_session_cache_timeout="50s",
        smtp_tls_session_cache_timeout="70s",
    )  # fmt: skip
    with running(tlsmgr.main, system, "tlsmgr", "-l") as found:
        client = found.greeted("tlsmgr_protocol")
        yield client
        client.close()


def ask(client: Client, kind: str, **values: str) -> list[Pair] | None:
    return client.ask(("request", kind), *values.items())


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_randomness(client: Client) -> None:
    first, second = ask(client, "seed", size="32"), ask(client, "seed", size="32")
    assert first is not None and second is not None
    assert first[0] == ("status", "0") and first[1][0] == "seed"
    assert len(base64.b64decode(first[1][1])) == 32
    assert first != second


@pytest.mark.parametrize("size", ["0", "-1", "256"])
def test_too_much_randomness(client: Client, size: str) -> None:
    assert ask(client, "seed", size=size) == [("status", FAILED), ("seed", "")]


@pytest.mark.parametrize(
    ("kind", "status", "cachable", "timeout"), [("smtpd", "0", "1", "50"), ("smtp", "0", "0", "70"), ("x", FAILED, "0", "0")]
)
def test_policy(client: Client, kind: str, status: str, cachable: str, timeout: str) -> None:
    assert ask(client, "policy", cache_type=kind) == [("status", status), ("cachable", cachable), ("timeout", timeout)]


def test_sessions(client: Client) -> None:
    one = {"cache_type": "smtpd", "cache_id": "id"}
    assert ask(client, "lookup", **one) == [("status", ERROR), ("session", "")]
    assert ask(client, "update", **one, session=encoded(b"\0data")) == [("status", "0")]
    assert ask(client, "lookup", **one) == [("status", "0"), ("session", encoded(b"\0data"))]
    assert ask(client, "delete", **one) == [("status", "0")]
    assert ask(client, "delete", **one) == [("status", ERROR)]


def test_no_cache(client: Client) -> None:
    one = {"cache_type": "smtp", "cache_id": "id"}
    assert ask(client, "update", **one, session=encoded(b"x")) == [("status", FAILED)]
    assert ask(client, "lookup", **one) == [("status", FAILED), ("session", "")]
    assert ask(client, "delete", **one) == [("status", FAILED)]


def test_ticket_keys(client: Client) -> None:
    found = ask(client, "tktkey", keyname="")
    assert found is not None and found[0] == ("status", "0")
    key = base64.b64decode(found[1][1])
    assert len(key) == 88
    assert ask(client, "tktkey", keyname=encoded(key[:16])) == found
    unknown = encoded(b"x" * 16)
    found = ask(client, "tktkey", keyname=unknown)
    assert found is not None and found[0] == ("status", ERROR)


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        (("request", "seed"), [("seed", "")]),
        (("request", "policy"), [("cachable", "0"), ("timeout", "0")]),
        (("request", "lookup"), [("session", "")]),
        (("request", "update"), []),
        (("request", "delete"), []),
        (("request", "tktkey"), [("keybuf", "")]),
        (("x", "y"), []),
    ],
)
def test_what_is_malformed(client: Client, request_: Pair, more: list[Pair]) -> None:
    """A reply has all that it has otherwise."""
    assert client.ask(request_) == [("status", FAILED), *more]


@pytest.mark.parametrize("pairs", [[("request", "dance")], []])
def test_an_unknown_request_is_passed_over(client: Client, pairs: list[Pair]) -> None:
    client.send(*pairs)
    assert client.ask(("request", "policy"), ("cache_type", "x")) == [("status", FAILED), ("cachable", "0"), ("timeout", "0")]


@pytest.mark.parametrize("size", ["0", "256"])
def test_seeds_of_no_size(client: Client, system: System, size: str) -> None:
    assert client.ask(("request", "seed"), ("size", size)) == [("status", FAILED), ("seed", "")]
    assert f'tlsmgr: warning: bogus seed length "{size}" in "seed" request' in system.logged("bogus")
