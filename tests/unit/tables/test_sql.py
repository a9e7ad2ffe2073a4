from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from pyfix.tables.sql import Host, Hosts, ServerFailed, SqlTable, host_words, library_missing
from pyfix.tables.table import Opening, TableError
from tests.unit.runtime.forked import on_loop

from .conftest import Notices


class Fake(SqlTable):
    """Servers whose names say what they do."""

    kind = "fake"

    def __init__(self, path: Path, hosts: list[Host], text: str = "") -> None:
        path.write_text(text)
        super().__init__(str(path), Opening())
        self.read_result_parameters()
        self.connected: list[str] = []
        self.closed: list[Any] = []
        self.use(hosts)

    def connect(self, host: Host) -> Any:
        self.connected.append(host.name)
        if host.name.startswith("down"):
            raise ServerFailed(f"connect to {host.name}")
        return [host.name]

    def run(self, connection: Any, host: Host, key: str) -> list[str | None] | None:
        if key == "break" and host.name.startswith("up"):
            raise ServerFailed(f"query failed on {host.name}")
        return None if key == "nothing" else [key, None, host.name]

    def hang_up(self, connection: Any) -> None:
        self.closed.append(connection)


def hosts(*names: str) -> list[Host]:
    return [Host(name, name, local="socket" in name) for name in names]


def test_a_connection_is_kept(tmp_path: Path) -> None:
    table = Fake(tmp_path / "t.cf", hosts("up"))
    assert [table.find_now("a"), table.find_now("b"), table.find_now("nothing")] == ["a,up", "b,up", None]
    assert table.connected == ["up"]
    table.close()
    assert table.closed == [["up"]]


def test_hosts_that_are_down_rest(tmp_path: Path, notices: Notices) -> None:
    table = Fake(tmp_path / "t.cf", hosts("down1", "down2", "up"))
    for _ in range(10):
        assert table.find_now("a") == "a,up"
    assert table.connected.count("up") == 1 and len(table.connected) <= 3
    assert len(notices) == len(table.connected) - 1


def test_sockets_come_first(tmp_path: Path) -> None:
    for _ in range(10):
        assert Fake(tmp_path / "t.cf", hosts("up", "up-socket")).find_now("a") == "a,up-socket"


def test_a_single_host_is_asked_twice_and_then_rests(tmp_path: Path, notices: Notices) -> None:
    table = Fake(tmp_path / "t.cf", hosts("down"), "retry_interval = 1\n")
    for _ in range(2):
        with pytest.raises(TableError, match="query error"):
            table.find_now("a")
    assert table.connected == ["down", "down"]
    assert notices == ["warning: connect to down"] * 2
    for host in table.hosts.all:
        host.again = 0.0
    with pytest.raises(TableError):
        table.find_now("a")
    assert len(table.connected) == 4


def test_a_query_that_fails_is_no_answer(tmp_path: Path, notices: Notices) -> None:
    table = Fake(tmp_path / "t.cf", hosts("up1", "up2"))
    with pytest.raises(TableError, match="query error"):
        table.find_now("break")
    assert len(table.closed) == 2 and len(notices) == 2


def test_threads_have_connections_of_their_own(tmp_path: Path) -> None:
    table = Fake(tmp_path / "t.cf", hosts("up"))
    barrier, found = threading.Barrier(4), []
    original = table.run

    def run(connection: Any, host: Host, key: str) -> list[str | None] | None:
        barrier.wait(5)
        return original(connection, host, key)

    table.run = run  # type: ignore[method-assign]  # instead of the real one
    threads = [threading.Thread(target=lambda key=str(n): found.append(table.find_now(key))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == ["0,up", "1,up", "2,up", "3,up"]


def test_idle_connections_are_closed_in_the_event_loop(tmp_path: Path) -> None:
    async def test() -> list[object]:
        from pyfix.runtime.task import sleep

        table = Fake(tmp_path / "t.cf", hosts("up"))
        table.hosts.idle = 0.02  # type: ignore[misc]  # Final for all but this test
        found = await table.find("a")
        await sleep(0.1)
        return [found, len(table.closed)]

    assert on_loop(test) == ["a,up", 1]


def test_a_child_makes_connections_of_its_own() -> None:
    pool = Hosts(hosts("up"), 60, 60, lambda connection: None)
    host = pool.choose()
    assert host is not None
    pool.answered(host, "connection")
    child = os.fork()
    if not child:
        os._exit(0 if pool.take(host) is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert pool.take(host) == "connection"


def test_words(notices: Notices) -> None:
    assert host_words("a, b\tc") == ["a", "b", "c"]
    assert host_words("") == ["localhost"]
    assert str(library_missing("pgsql", "pgsql")) == "unsupported dictionary type: pgsql"
    assert "pip install 'pyfix[pgsql]'" in notices[0]
