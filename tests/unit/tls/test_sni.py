from __future__ import annotations

from typing import Any

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.task import run_now
from pyfix.tables.maps import Maps
from pyfix.tables.table import Table
from pyfix.tls.credentials import load_pem
from pyfix.tls.loglevel import LogLevel
from pyfix.tls.sni import ServerNames
from pyfix.tls.verification import Verification
from tests.kit.tls import World

from .meeting import talk


@pytest.mark.parametrize(
    ("name", "shown", "line"),
    [
        ("", "rsa.example", ""),
        ("mx.example", "ec.example", ""),
        ("MX.Example", "ec.example", ""),
        ("a.b.wild.example", "ed.example", ""),
        ("wild.example", "rsa.example", "TLS SNI wild.example from p not matched, using default chain"),
        ("bad_name!", "rsa.example", "warning: TLS SNI from p is invalid: bad_name!"),
        ("broken.example", "", "warning: error loading chain from SNI data for broken.example: key not first"),
        ("missing.example", "", "warning: tls_server_sni_maps: missing.example map lookup problem"),
    ],
)
@pytest.mark.parametrize("waits", [False, True])
def test_names(world: World, tmp_path: Any, lines: list[str], monkeypatch: Any, waits: bool, name: str, shown: str, line: str) -> None:
    text = f"mx.example {world.file('ec.chain')}\n.wild.example {world.file('ed.chain')}\nbroken.example {world.file('ec.pem')}\n"
    (tmp_path / "names").write_text(text)
    server, asking = Context(), Context()
    with open(world.file("rsa.chain"), "rb") as file:
        load_pem(server, file.read(), "x")
    tables = ["fail:x"] if name.startswith("missing") else [f"texthash:{tmp_path}/names"]
    monkeypatch.setattr(Table, "local", not waits)
    names = ServerNames(Snapshot({}), tables)
    names.serve(server)
    assert names.wait is waits
    for _ in range(2):  # the second time from what was made
        ours, theirs = Connection(server), Connection(asking)
        found = Verification("p", LogLevel(summary=True), 9, "client")
        ours.data = found
        ours.accepts()
        if waits:
            run_now(names.prepare(found, name))
            monkeypatch.setattr(Maps, "find_now", None)
        theirs.connects()
        if name:
            theirs.ask_for(name)
        assert talk(theirs, ours) is bool(shown)
        if shown:
            certificate = theirs.peer_certificate
            assert certificate is not None and shown in certificate.subject.rfc4514_string()
        assert found.server_name == ("" if shown in ("", "rsa.example") else name)
        assert not line or line in lines
