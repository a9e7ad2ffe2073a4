"""proxymap(8) and proxywrite(8): who may ask what; parity is in tests/parity/tables/test_proxy.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyfix.daemons.proxymap import daemon as proxymap
from tests.unit.daemons.running import Client, Pair, System, running

PROTOCOL = "proxymap_protocol"
TABLE = "inline:{a=one,b=two}"
FLAGS = "65600"


@pytest.fixture
def reader(system: System) -> Iterator[Client]:
    system.write_main(proxy_read_maps=f"proxy:{TABLE} proxy:fail:x proxy:nosuch:x")
    with running(proxymap.main, system, "proxymap") as daemon:
        client = daemon.greeted(PROTOCOL)
        yield client
        client.close()


@pytest.fixture
def writer(system: System) -> Iterator[Client]:
    path = system.data / "known"
    system.write_main(proxy_write_maps=f"proxy:btree:{path}")
    with running(proxymap.main, system, "proxywrite", "-l") as daemon:
        client = daemon.greeted(PROTOCOL)
        yield client
        client.close()


def ask(client: Client, what: str, table: str, *more: Pair) -> list[Pair] | None:
    if what == "open":
        return client.ask(("request", what), ("table", table), ("instance_flags", FLAGS))
    return client.ask(("request", what), ("table", table), ("instance_flags", FLAGS), ("flags", "0"), *more)


def test_lookups(reader: Client) -> None:
    opened = ask(reader, "open", TABLE)
    assert opened is not None and opened[0] == ("status", "0")
    assert ask(reader, "lookup", TABLE, ("key", "a")) == [("status", "0"), ("flags", "0"), ("value", "one")]
    assert ask(reader, "lookup", TABLE, ("key", "c")) == [("status", "1"), ("flags", "0"), ("value", "")]
    assert ask(reader, "lookup", f"proxy:{TABLE}", ("key", "b")) == [("status", "0"), ("flags", "0"), ("value", "two")]


def test_the_form_of_postfix_3_7(reader: Client) -> None:
    asked = [("request", "lookup"), ("table", TABLE), ("flags", FLAGS), ("key", "a")]
    assert reader.ask(*asked) == [("status", "0"), ("value", "one")]
    found = reader.ask(("request", "open"), ("table", TABLE), ("flags", FLAGS))
    assert found is not None and [name for name, _value in found] == ["status", "flags"]


def test_tables_that_are_not_approved(reader: Client, system: System) -> None:
    assert ask(reader, "open", "hash:/etc/shadow") == [("status", "4"), ("flags", "0")]
    lines = system.logged("to approve")
    assert lines[-2:] == [
        'proxymap: warning: request for unapproved table: "hash:/etc/shadow"',
        "proxymap: warning: to approve this table for read-only access, list proxy:hash:/etc/shadow in main.cf:proxy_read_maps",
    ]
    assert ask(reader, "lookup", "hash:/etc/shadow", ("key", "root")) == [("status", "4"), ("flags", "0"), ("value", "")]


def test_readers_do_not_write(reader: Client, system: System) -> None:
    assert ask(reader, "update", TABLE, ("key", "a"), ("value", "x")) == [("status", "4"), ("flags", "0")]
    assert ask(reader, "delete", TABLE, ("key", "a")) == [("status", "4"), ("flags", "0")]
    assert f"proxymap: warning: refusing {TABLE} update request on non-proxywrite service" in system.logged("delete")
    assert ask(reader, "lookup", TABLE, ("key", "a")) == [("status", "0"), ("flags", "0"), ("value", "one")]


def test_a_table_that_fails_is_worth_another_try(reader: Client, system: System) -> None:
    assert ask(reader, "lookup", "fail:x", ("key", "a")) == [("status", "2"), ("flags", "0"), ("value", "")]
    assert ask(reader, "open", "nosuch:x") == [("status", "0"), ("flags", "65633")]
    lines = system.logged("error: .*nosuch")
    assert "proxymap: error: unsupported dictionary type: nosuch" in lines and not any("fail:x" in line for line in lines)
    assert ask(reader, "lookup", "nosuch:x", ("key", "a")) == [("status", "2"), ("flags", "0"), ("value", "")]
    system.logged("warning: nosuch:x is unavailable. unsupported dictionary type: nosuch")


def test_a_table_without_a_type(reader: Client) -> None:
    assert ask(reader, "open", "x") == [("status", "3"), ("flags", "0")]


@pytest.mark.parametrize("pairs", [[("request", "dance")], [("request", "lookup"), ("table", TABLE)]])
def test_nonsense(reader: Client, pairs: list[Pair]) -> None:
    assert reader.ask(*pairs) == [("status", "3")]
    assert ask(reader, "lookup", TABLE, ("key", "a")) == [("status", "0"), ("flags", "0"), ("value", "one")]


@pytest.mark.parametrize(
    ("pairs", "warning"),
    [
        ([("x", "y")], "unexpected attribute x from proxymap socket (expecting: request)"),
        ([], "missing attribute request in input from proxymap socket"),
    ],
)
def test_a_list_that_is_no_request_ends_the_connection(reader: Client, system: System, pairs: list[Pair], warning: str) -> None:
    assert reader.ask(*pairs) is None
    assert f"proxymap: warning: {warning}" in system.logged("attribute")


def test_writing(writer: Client, system: System) -> None:
    table = f"btree:{system.data}/known"
    opened = ask(writer, "open", table)
    assert opened is not None and opened[0] == ("status", "0"), "a table that is not there yet is made"
    for key, value in (("a", "one"), ("b", "two"), ("a", "three")):
        done = ask(writer, "update", table, ("key", key), ("value", value))
        assert done is not None and done[0] == ("status", "0")
    assert ask(writer, "lookup", table, ("key", "a")) == [("status", "0"), ("flags", "0"), ("value", "three")]
    gone = [ask(writer, "delete", table, ("key", "a")) for _ in range(2)]
    assert [found[0][1] for found in gone if found] == ["0", "1"]
    entries = [ask(writer, "sequence", table, ("function", function)) for function in "01"]
    assert [dict(found) for found in entries if found] == [
        {"status": "0", "flags": dict(opened)["flags"], "key": "b", "value": "two"},
        {"status": "1", "flags": dict(opened)["flags"], "key": "", "value": ""},
    ]
