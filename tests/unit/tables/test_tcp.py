from __future__ import annotations

import pytest

from pyfix.tables import flags as bits
from pyfix.tables import tcp
from pyfix.tables.source import open_table
from pyfix.tables.table import Table, TableError
from tests.kit.tableservers import HANG_UP, TcpServer

from .conftest import Notices


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "_PAUSE", 0.0)


def table_of(server: TcpServer) -> Table:
    return open_table(f"tcp:127.0.0.1:{server.port}")


def test_answers(notices: Notices) -> None:
    with TcpServer({b"A": b"200 b%20c\n", b"t": b"400 later\n", b"x": b"hello\n", b"u": b"200 %e9\n"}) as server:
        table = table_of(server)
        assert table.pattern and not table.local
        assert table.find_now("A") == "b c"
        assert table.find_now("none") is None
        assert table.find_now("\udce9") is None
        for key in ("t", "x", "u"):
            with pytest.raises(TableError, match=r"query error$"):
                table.find_now(key)
        assert server.asked == [b"A", b"none", b"t", b"x", b"u"]
        assert server.connections == 1
    assert ["non-UTF-8 key" in notices[0], "malformed reply: hello" in notices[1], "non-UTF-8 value" in notices[2]] == [True] * 3


def test_a_server_that_hangs_up_is_asked_ten_times(notices: Notices) -> None:
    with TcpServer({b"h": HANG_UP}) as server:
        table = table_of(server)
        with pytest.raises(TableError, match=r"query error$"):
            table.find_now("h")
        assert server.asked == [b"h"] * 10
    assert notices == [f"warning: read TCP map reply from 127.0.0.1:{server.port}: unexpected EOF"] * 10


def test_a_server_that_was_restarted_is_asked_over_a_new_connection(notices: Notices) -> None:
    with TcpServer({b"a": b"200 x\n"}) as server:
        table = table_of(server)
        assert table.find_now("a") == "x"
        server.hang_up()
        assert table.find_now("a") == "x"
    assert notices == []


def test_nobody_there(notices: Notices) -> None:
    with pytest.raises(TableError, match="query error: Connection refused"):
        open_table("tcp:127.0.0.1:1").find_now("a")
    assert notices == ["warning: connect to TCP map 127.0.0.1:1: Connection refused"] * 10


def test_not_for_names_of_files_and_users() -> None:
    with pytest.raises(TableError, match=r"^tcp:127.0.0.1:1 map is not allowed for security sensitive data$"):
        open_table("tcp:127.0.0.1:1", flags=bits.ORDINARY | bits.PARANOID)


