from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.formats.attributes import decode_pairs, encode_pairs, end_of_list
from pyfix.protocols.internal.proxymap import DENIED, NO_KEY, OK, RETRY
from pyfix.tables import flags as bits
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError

ANSWERS = {"root": (OK, "root:x:0:0"), "nobody@there": (NO_KEY, ""), "later": (RETRY, ""), "secret": (DENIED, "")}


class Proxymap:
    """Answers lookups; closes each connection after *requests* of them."""

    def __init__(self, path: Path, requests: int) -> None:
        self.asked: list[list[tuple[str, str]]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._requests = requests
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.sendall(encode_pairs([("protocol", "proxymap_protocol")]))
                data = b""
                for _ in range(self._requests):
                    while end_of_list(data, 0, "null") < 0:
                        more = client.recv(4096)
                        if not more:
                            break
                        data += more
                    if not data:
                        break
                    pairs = decode_pairs(data)
                    data = b""
                    self.asked.append(pairs)
                    status, value = ANSWERS[dict(pairs)["key"]]
                    # Postfix 3.7 has no instance_flags in requests and no flags in replies.
                    flags = [("flags", "0")] if "instance_flags" in dict(pairs) else []
                    client.sendall(encode_pairs([("status", str(status)), *flags, ("value", value)]))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(params=[1, 100], ids=["a connection each", "one connection"])
def proxymap(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxymap]:
    (tmp_path / "private").mkdir()
    monkeypatch.chdir(tmp_path)
    server = Proxymap(tmp_path / "private/proxymap", request.param)
    yield server
    server.close()


def test_lookups(proxymap: Proxymap) -> None:
    table = open_table("proxy:unix:passwd.byname", share=False)
    assert not table.local and not table.pattern
    assert table.find_now("Root") == "root:x:0:0"
    assert table.find_now("nobody@there") is None
    for key in ("later", "secret"):
        with pytest.raises(TableError, match=r"table proxy:unix:passwd\.byname: query error"):
            table.find_now(key)
    table.close()
    assert proxymap.asked[0] == [
        ("request", "lookup"),
        ("table", "unix:passwd.byname"),
        ("instance_flags", str(bits.ORDINARY)),
        ("flags", str(bits.ORDINARY | bits.FIXED | bits.UTF8_ACTIVE | bits.TRY0NULL | bits.TRY1NULL)),
        ("key", "root"),
    ]


def test_the_form_of_postfix_37(proxymap: Proxymap) -> None:
    snapshot = Snapshot({"pyfix_internal_protocol": "3.7"})
    table = open_table("proxy:unix:passwd.byname", snapshot=snapshot, share=False)
    assert table.find_now("root") == "root:x:0:0"
    assert table.find_now("nobody@there") is None
    assert [name for name, _value in proxymap.asked[0]] == ["request", "table", "flags", "key"]


def test_a_pattern_table_is_asked_with_the_key_as_it_is() -> None:
    table = open_table("proxy:regexp:/etc/x", share=False)
    assert table.pattern and not table.fold


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TableError, match="query error"):
        open_table("proxy:unix:passwd.byname", share=False).find_now("root")


def test_names_of_files_and_users_are_read_without_the_service() -> None:
    table = open_table("proxy:unix:passwd.byname", flags=bits.ORDINARY | bits.PARANOID, share=False)
    assert table.name == "unix:passwd.byname"
    assert (table.find_now("root") or "").startswith("root:")
