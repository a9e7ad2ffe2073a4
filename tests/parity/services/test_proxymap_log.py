"""What proxymap says of tables that fail: nothing beside what the tables themselves say.

Source: proxymap(8), DIAGNOSTICS.
"""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.services.asking import ask
from tests.parity.services.test_proxymap import READ, WRITE, about, delete, lookup, sequence, update

pytestmark = [pytest.mark.reference, pytest.mark.root]

TABLES = (
    "fail:x", "lmdb:DIR/data/absent", "texthash:DIR/etc/absent", "regexp:DIR/etc/absent", "nonsense:x", "tcp:127.0.0.1:1", "socketmap:inet:127.0.0.1:1:x", "hash:DIR/etc/damaged", "debug:fail:x",
    "sqlite:DIR/etc/absent.cf", "regexp:DIR/etc/broken", "static:", "hash:DIR/etc/absent", "cidr:DIR/etc/broken",
)  # fmt: skip
MAIN = {
    "proxy_read_maps": " ".join(f"proxy:{name.replace('DIR', '{dir}')}" for name in TABLES),
    "proxy_write_maps": "proxy:fail:x proxy:static:y proxy:btree:{dir}/nowhere/kept",
}
FILES: dict[str, str | bytes] = {"damaged.db": b"no database", "broken": "/(/ x\n/x\n1.2.3.4/99 x\n"}


_DEBIAN = ("hash/btree support is deprecated", "NON_BERKELEYDB_README", "package installed?", "BDB0")
"""What Debian's adds about its packages, and the library says of itself."""


def _said(mta: Instance) -> list[str]:
    said = [line.partition("]: ")[2].replace(str(mta.directory), "") for line in mta.log_lines() if re.search(r"/proxy\w+\[", line)]
    return [line for line in said if not any(words in line for words in _DEBIAN)]


@pytest.mark.parametrize("name", TABLES)
def test_reading(parity: Parity, name: str) -> None:
    def case(mta: Instance) -> object:
        replies = ask(mta, READ, about(mta, "open", name), lookup(mta, name, 64, "k"), lookup(mta, name, 64, "k"), sequence(mta, name, 0))
        mta.settle()
        return "\n".join([*map(repr, replies), *_said(mta)])

    # The master of the reference throttles the service after a process that only said that it can't.
    parity(case, main=MAIN, files=FILES, fresh=name == "static:")


@pytest.mark.parametrize("name", ["fail:x", "static:y", "btree:DIR/nowhere/kept"])
def test_writing(parity: Parity, name: str) -> None:
    def case(mta: Instance) -> object:
        replies = ask(mta, WRITE, about(mta, "open", name), update(mta, name, "k", "v"), delete(mta, name, "k"), lookup(mta, name, 64, "k"), sequence(mta, name, 0))
        mta.settle()
        return "\n".join([*map(repr, replies), *_said(mta)])

    parity(case, main=MAIN, files=FILES)
