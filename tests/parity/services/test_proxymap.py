"""proxymap and proxywrite answer and complain as the reference's do."""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.services.asking import ask, pairs

pytestmark = [pytest.mark.reference, pytest.mark.root]
READ, WRITE = "private/proxymap", "private/proxywrite"
MAIN = {
    "proxy_read_maps": "proxy:texthash:{dir}/etc/table, proxy:inline:{{a=b c}, {d=e}}, proxy:lmdb:{dir}/data/absent, "
    "proxy:static:always, proxy:regexp:{dir}/etc/patterns proxy:btree:{dir}/data/kept",
    "proxy_write_maps": "proxy:btree:{dir}/data/kept, proxy:texthash:{dir}/etc/table",
}
BINARY = "12"
"""What open says of btree: and others besides, keys and values may end with a null byte: 4 and 8."""
FILES = {"table": "one first\nTwo second value\nbroken\n", "patterns": "/^x(.*)$/ y$1\n"}


def table(mta: Instance, name: str) -> str:
    return name.replace("DIR", str(mta.directory))


def about(mta: Instance, request: str, name: str, flags: int = 64) -> list[tuple[str, str]]:
    return [("request", request), ("table", table(mta, name)), ("instance_flags", str(flags))]


@pytest.mark.parametrize(
    "name",
    [
        "texthash:DIR/etc/table", "proxy:texthash:DIR/etc/table", "inline:{{a=b c}, {d=e}}", "static:always",
        "regexp:DIR/etc/patterns", "texthash:DIR/etc/other", "nonsense:x", "", "table",
    ],
)  # fmt: skip
def test_open(parity: Parity, name: str) -> None:
    parity(lambda mta: ask(mta, READ, about(mta, "open", name), about(mta, "open", name, 0)), main=MAIN, files=FILES)


@pytest.mark.parametrize("key", ["one", "ONE", "two", "Two", "three", "", "xyz", "a", "broken"])
@pytest.mark.parametrize(
    "name", ["texthash:DIR/etc/table", "inline:{{a=b c}, {d=e}}", "static:always", "regexp:DIR/etc/patterns", "unix:x"]
)
def test_lookup(parity: Parity, name: str, key: str) -> None:
    def case(mta: Instance) -> list[bytes]:
        return ask(
            mta, READ,
            lookup(mta, name, 64, key),
            lookup(mta, name, 0, key),
        )  # fmt: skip

    parity(case, main=MAIN, files=FILES)


def lookup(mta: Instance, name: str, flags: int, key: str) -> list[tuple[str, str]]:
    return [*about(mta, "lookup", name, flags), ("flags", BINARY), ("key", key)]


def update(mta: Instance, name: str, key: str, value: str) -> list[tuple[str, str]]:
    return [*about(mta, "update", name), ("flags", BINARY), ("key", key), ("value", value)]


def delete(mta: Instance, name: str, key: str) -> list[tuple[str, str]]:
    return [*about(mta, "delete", name), ("flags", BINARY), ("key", key)]


def sequence(mta: Instance, name: str, function: int) -> list[tuple[str, str]]:
    return [*about(mta, "sequence", name), ("flags", BINARY), ("function", str(function))]


KEPT = "btree:DIR/data/kept"


def test_writing(parity: Parity) -> None:
    """All but the flags, in which the reference shows how its Berkeley DB handle feels about null bytes."""

    def case(mta: Instance) -> list[bytes]:
        replies = ask(
            mta, WRITE,
            about(mta, "open", KEPT),
            lookup(mta, KEPT, 64, "k"),
            update(mta, KEPT, "k", "v"),
            lookup(mta, KEPT, 64, "k"),
            update(mta, KEPT, "k", "newer"),
            lookup(mta, KEPT, 64, "k"),
            sequence(mta, KEPT, 0),
            sequence(mta, KEPT, 1),
            delete(mta, KEPT, "k"),
            sequence(mta, KEPT, 0),
            delete(mta, KEPT, "k"),
            lookup(mta, KEPT, 64, "k"),
            sequence(mta, KEPT, 0),
        )  # fmt: skip
        assert not [line for line in mta.log_lines() if "has changed" in line], "it changed the table itself"
        return [re.sub(rb"flags\0\d+", b"flags\0<N>", reply) for reply in replies]

    parity(case, main=MAIN, files=FILES, fresh=True)


@pytest.mark.parametrize("service", [READ, WRITE])
@pytest.mark.parametrize("request_", ["open", "lookup", "update", "delete", "sequence"])
def test_unapproved(parity: Parity, service: str, request_: str) -> None:
    def case(mta: Instance) -> list[object]:
        name = "unix:passwd.byname"
        requests = {
            "open": about(mta, "open", name), "lookup": lookup(mta, name, 64, "root"), "delete": delete(mta, name, "x"),
            "update": update(mta, name, "root", "x"), "sequence": sequence(mta, name, 0),
        }  # fmt: skip
        refused = request_ in ("update", "delete") and service == READ
        mark = mta.log_mark()
        replies: list[object] = list(ask(mta, service, requests[request_]))
        last = "refusing" if refused else "to approve"
        mta.wait_for_log(rf"/proxy\w+\[\d+\]: warning: {last}", since=mark)
        return [*replies, *[line.partition("warning: ")[2] for line in mta.log_lines(mark) if "/proxy" in line]]

    parity(case, main=MAIN, files=FILES)


@pytest.mark.parametrize("request_", ["update", "delete"])
def test_no_writing_through_proxymap(parity: Parity, request_: str) -> None:
    def case(mta: Instance) -> list[object]:
        name = "texthash:DIR/etc/table"
        asked = update(mta, name, "one", "x") if request_ == "update" else delete(mta, name, "one")
        return [*ask(mta, READ, asked), mta.wait_for_log(r"/proxymap\[\d+\]: (warning: refusing \w+):.*( \w+ request on .*)").groups()]

    parity(case, main=MAIN, files=FILES)


def test_unknown_requests(parity: Parity) -> None:
    parity(lambda mta: ask(mta, READ, pairs("request=bogus"), pairs("request=bogus")), main=MAIN, files=FILES)
