"""How long an event loop stands still while tables are asked: the longest time between two turns that were due.

What answers is slow: a query of SQLite that computes, servers that wait before they answer, or say nothing and hang up,
a function that sleeps.  A table that is read in the loop itself answers at once; there it is one lookup that is seen.
"""

from __future__ import annotations

import gc
import socket
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from pyfix.runtime.task import gather, sleep
from pyfix.tables.build import build_table
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError
from tests.kit.double import Double
from tests.kit.tableservers import SocketmapServer, TcpServer, netstring
from tests.unit.runtime.forked import on_loop

LIMIT: Final = 10.0
"""Most milliseconds of the processor that the loop's own thread may take between two turns."""
WAITED: Final = 250.0
"""Milliseconds between two turns, in each round, that no busy machine explains: the loop has waited for an answer."""
_TURN: Final = 0.001
_WAIT: Final = 0.3
"""Seconds that servers and functions take for an answer."""
_QUERY: Final = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x < 1000000) SELECT count(*) FROM n WHERE '%s' <> ''"
_SERVER: Final = "hosts = 127.0.0.1:{port}\nuser = x\npassword = x\ndbname = x\nquery = SELECT '%s'\n"

SLOW: Final[Mapping[str, str]] = {
    "sqlite": f"dbpath = {{folder}}/db\nquery = {_QUERY}\n",
    "mysql": _SERVER,
    "pgsql": _SERVER,
    "ldap": "server_host = ldap://127.0.0.1:{port}\nsearch_base = x\n",
    "memcache": "memcache = inet:127.0.0.1:{port}\n",
}
"""Tables that have a file of parameters."""
NAMES: Final[Mapping[str, str]] = {
    "tcp": "tcp:127.0.0.1:{tcp}",
    "socketmap": "socketmap:inet:127.0.0.1:{socketmap}:any",
    "python": "python:slow:find",
    "unix": "unix:passwd.byname",
}
INDEXED: Final = ("hash", "btree", "lmdb", "cdb")
PATTERNS: Final = ("regexp", "pcre", "cidr")
KINDS: Final = (*SLOW, *NAMES, *INDEXED, "texthash", *PATTERNS)
_ENTRIES: Final = 100_000
_RULES: Final = 1000


class _Stalled(Double):
    """Says nothing for a while, and hangs up."""

    def serve(self, client: socket.socket) -> None:
        time.sleep(_WAIT)


class _SlowTcp(TcpServer):
    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        found = super().request(buffer)
        if found is not None:
            time.sleep(_WAIT)
        return found


class _SlowSocketmap(SocketmapServer):
    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        found = super().request(buffer)
        if found is not None:
            time.sleep(_WAIT)
        return found


@contextmanager
def prepared(folder: Path) -> Iterator[Callable[[str], str]]:
    """Lay out all tables, and run their servers; yields what tells the name of the table of a kind."""
    with ExitStack() as stack:
        stalled = stack.enter_context(_Stalled())
        ports = {
            "port": stalled.port,
            "tcp": stack.enter_context(_SlowTcp({}, b"200 found\n")).port,
            "socketmap": stack.enter_context(_SlowSocketmap({}, netstring(b"OK found"))).port,
        }
        sqlite3.connect(folder / "db").close()
        for kind, text in SLOW.items():
            (folder / kind).write_text(text.format(folder=folder, port=ports["port"]))
        (folder / "slow.py").write_text(f"import time\n\ndef find(key):\n    time.sleep({_WAIT})\n    return 'found'\n")
        entries = [(f"key{number}", f"value{number}") for number in range(_ENTRIES)]
        for kind in INDEXED:
            build_table(kind, str(folder / kind), entries)
        (folder / "texthash").write_text("".join(f"{key} {value}\n" for key, value in entries))
        for kind in ("regexp", "pcre"):
            (folder / kind).write_text("".join(f"/^(.*w{number}x)-(list|owner)@/ $1@lists\n" for number in range(_RULES)))
        (folder / "cidr").write_text("".join(f"10.{number % 256}.{number // 256}.0/24 OK\n" for number in range(_RULES)))

        def name(kind: str) -> str:
            return NAMES[kind].format(**ports) if kind in NAMES else f"{kind}:{folder / kind}"

        yield name


class _Settings:
    """What a python table asks of main.cf."""

    def __init__(self, folder: Path) -> None:
        self._values = {"config_directory": str(folder), "pyfix_python_tables": "slow:find"}

    def value(self, name: str) -> str:
        return self._values.get(name, "")


def longest(kind: str, name: str, folder: Path) -> tuple[float, float, float, int]:
    """Return the longest times, in milliseconds, that a loop stood still without lookups and with some; and their number.

    The third is what the loop's thread had of the processor meanwhile, at most: what else runs there does not matter.
    """
    settings = _Settings(folder) if kind == "python" else None
    slow = kind in SLOW or kind in NAMES

    async def test() -> list[float]:
        gaps: list[tuple[float, float]] = []
        ended, asked = False, 0
        gc.collect()
        gc.freeze()  # as the fork server does

        async def turns() -> None:
            last, used = time.monotonic(), time.thread_time()
            while not ended:
                await sleep(_TURN)
                now, using = time.monotonic(), time.thread_time()
                gaps.append((now - last - _TURN, using - used))
                last, used = now, using

        async def ask() -> None:
            nonlocal ended, asked
            try:
                table = open_table(name, settings, share=False)
                await sleep(20 * _TURN)
                gaps.clear()  # tables are opened before there is anything to do
                for number in range(3 if slow else 300):
                    key = f"10.1.{number % 4}.1" if kind == "cidr" else f"key{number * 7919 % _ENTRIES}"
                    try:
                        await table.find(key)
                    except TableError:
                        assert kind in SLOW
                    asked += 1
                    await sleep(_TURN)
            finally:
                ended = True

        async def rest() -> None:
            nonlocal ended
            await sleep(0.5)
            ended = True

        found: list[float] = []
        for other in (rest, ask):
            ended = False
            gaps.clear()
            work: tuple[Callable[[], Coroutine[None, None, None]], ...] = (turns, other)
            await gather(*(each() for each in work))
            found += [1000 * max(values) for values in zip(*gaps, strict=True)]
        return [*found, asked]

    said = on_loop(test)
    assert isinstance(said, list)
    return said[0], said[2], said[3], int(said[4])
