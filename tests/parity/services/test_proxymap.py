"""proxymap and proxywrite answer and complain as the reference's do."""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.services.asking import ask, pairs

pytestmark = [pytest.mark.reference, pytest.mark.root]
READ, WRITE = "private/proxymap", "private/proxywrite"
MAIN = {
    "proxy_read_maps": "proxy:texthash:{dir}/etc/table, proxy:inline:{{a=b c}, {d=e}}, proxy:lmdb:{dir}/data/absent, "
    "proxy:static:always, proxy:regexp:{dir}/etc/patterns proxy:lmdb:{dir}/data/kept",
    "proxy_write_maps": "proxy:lmdb:{dir}/data/kept, proxy:texthash:{dir}/etc/table",
}
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
            _lookup(mta, name, 64, key),
            _lookup(mta, name, 0, key),
        )  # fmt: skip

    parity(case, main=MAIN, files=FILES)


def _lookup(mta: Instance, name: str, flags: int, key: str) -> list[tuple[str, str]]:
    return [*about(mta, "lookup", name, flags), ("flags", "0"), ("key", key)]


def _update(mta: Instance, name: str, key: str, value: str) -> list[tuple[str, str]]:
    return [*about(mta, "update", name), ("flags", "0"), ("key", key), ("value", value)]


def _delete(mta: Instance, name: str, key: str) -> list[tuple[str, str]]:
    return [*about(mta, "delete", name), ("flags", "0"), ("key", key)]


def _sequence(mta: Instance, name: str, function: int) -> list[tuple[str, str]]:
    return [*about(mta, "sequence", name), ("flags", "0"), ("function", str(function))]


KEPT = "lmdb:DIR/data/kept"


def test_writing(parity: Parity) -> None:
    def case(mta: Instance) -> list[bytes]:
        return ask(
            mta, WRITE,
            about(mta, "open", KEPT),
            _lookup(mta, KEPT, 64, "k"),
            _update(mta, KEPT, "k", "v"),
            _lookup(mta, KEPT, 64, "k"),
            _update(mta, KEPT, "k", "newer"),
            _lookup(mta, KEPT, 64, "k"),
            _sequence(mta, KEPT, 0),
            _sequence(mta, KEPT, 1),
            _delete(mta, KEPT, "k"),
            _delete(mta, KEPT, "k"),
            _lookup(mta, KEPT, 64, "k"),
            _sequence(mta, KEPT, 0),
        )  # fmt: skip

    parity(case, main=MAIN, files=FILES, fresh=True)


@pytest.mark.parametrize("service", [READ, WRITE])
@pytest.mark.parametrize("request_", ["open", "lookup", "update", "delete", "sequence"])
def test_unapproved(parity: Parity, service: str, request_: str) -> None:
    def case(mta: Instance) -> list[object]:
        name = "unix:passwd.byname"
        requests = {
            "open": about(mta, "open", name), "lookup": _lookup(mta, name, 64, "root"), "delete": _delete(mta, name, "x"),
            "update": _update(mta, name, "root", "x"), "sequence": _sequence(mta, name, 0),
        }  # fmt: skip
        replies: list[object] = list(ask(mta, service, requests[request_]))
        words = r"/proxy\w+\[\d+\]: (warning: .*)"
        return [*replies, mta.wait_for_log(words)[1], mta.wait_for_log(words, count=2)[1]]

    parity(case, main=MAIN, files=FILES)


@pytest.mark.parametrize("request_", ["update", "delete"])
def test_no_writing_through_proxymap(parity: Parity, request_: str) -> None:
    def case(mta: Instance) -> list[object]:
        name = "texthash:DIR/etc/table"
        asked = _update(mta, name, "one", "x") if request_ == "update" else _delete(mta, name, "one")
        return [*ask(mta, READ, asked), mta.wait_for_log(r"/proxymap\[\d+\]: (warning: refusing.*)")[1]]

    parity(case, main=MAIN, files=FILES)


def test_unknown_requests(parity: Parity) -> None:
    parity(lambda mta: ask(mta, READ, pairs("request=bogus"), pairs("request=bogus")), main=MAIN, files=FILES)
