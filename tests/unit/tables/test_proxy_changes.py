"""Changing and listing tables through proxymap, and asking it by other ways than its socket."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.formats.attributes import decode_pairs, encode_pairs, end_of_list
from pyfix.protocols.internal.proxymap import BAD, DENIED, NO_KEY, OK
from pyfix.tables.proxy import ProxyTable, ask_with
from pyfix.tables.table import Opening, TableError


class Server:
    """Keeps a table of its own; refuses the key ``refused``."""

    def __init__(self, path: Path) -> None:
        self.values = {"b": "2", "a": "1"}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            client.sendall(encode_pairs([("protocol", "proxymap_protocol")]))
            data, rest = b"", iter(())
            while more := client.recv(4096):
                data += more
                if end_of_list(data) < 0:
                    continue
                request, data = dict(decode_pairs(data)), b""
                key = request.get("key", "")
                status, pairs = OK, []
                if key == "refused":
                    status = DENIED
                elif key == "bad":
                    status = BAD
                elif request["request"] == "update":
                    self.values[key] = request["value"]
                elif request["request"] == "delete":
                    status = NO_KEY if self.values.pop(key, None) is None else OK
                elif request["request"] == "sequence":
                    if request["function"] == "0":
                        rest = iter(sorted(self.values.items()))
                    found = next(rest, None)
                    status = NO_KEY if found is None else OK
                    name, value = found or ("", "")
                    pairs = [("key", name), ("value", value)]
                    if name == "refused":
                        status = DENIED
                client.sendall(encode_pairs([("status", str(status)), ("flags", "0"), *pairs]))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    (tmp_path / "private").mkdir()
    monkeypatch.chdir(tmp_path)
    found = Server(tmp_path / "private/proxywrite")
    (tmp_path / "private/proxymap").symlink_to("proxywrite")
    yield found
    found.close()


def test_changes(server: Server, notices: list[str]) -> None:
    table = ProxyTable("btree:/x", Opening())
    table.store("New", "3")
    assert server.values["new"] == "3"
    assert table.remove("B") and not table.remove("B")
    assert list(table.items()) == [("a", "1"), ("new", "3")]
    for change in (lambda: table.store("refused", "x"), lambda: table.remove("bad")):
        with pytest.raises(TableError, match="query error"):
            change()
    assert notices == [
        'warning: private/proxywrite service is not configured for table "btree:/x"',
        'warning: private/proxywrite lookup failed for table "btree:/x" key "bad": invalid request',
    ]
    server.values["refused"] = "x"
    with pytest.raises(TableError):
        list(table.items())
    table.close()


def test_the_queue_directory_is_looked_for_when_the_process_is_elsewhere(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameters: type
) -> None:
    snapshot = parameters(
        queue_directory=str(tmp_path), proxymap_service_name="proxymap", proxywrite_service_name="proxywrite",
        ipc_timeout="5s",
    )  # fmt: skip
    monkeypatch.chdir("/")
    table = ProxyTable("btree:/x", Opening(snapshot))
    assert dict(table.items()) == {"a": "1", "b": "2"}
    table.close()


def test_another_way_to_ask() -> None:
    class Asker:
        async def lookup(self, table: str, flags: int, key: str) -> str | None:
            return f"{table} {key}"

    ask_with(Asker())
    try:
        assert asyncio.run(ProxyTable("hash:/x", Opening()).find("KEY")) == "hash:/x key"
    finally:
        ask_with(None)
