from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pyfix.runtime.resolvconf import NameServer, ResolvConf, ResolverConfiguration, read_configuration


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALDOMAIN", raising=False)
    monkeypatch.delenv("RES_OPTIONS", raising=False)
    monkeypatch.setattr(socket, "gethostname", lambda: "host.own.example")


def read(tmp_path: Path, text: str) -> ResolverConfiguration:
    (tmp_path / "resolv.conf").write_text(text)
    return read_configuration(str(tmp_path / "resolv.conf"))


def test_the_whole_file(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "; comment\n# another\nnameserver 192.0.2.1\nnameserver ::1 trailing\nnameserver bad\nnameserver fe80::1%lo\n"
        "nameserver 192.0.2.9\ndomain first.example\nsearch a.example b.example.\n"
        "options ndots:2 timeout:99 attempts:3 rotate\noptions edns0 use-vc unknown timeout:x\n",
    )
    assert [server.address[0] for server in found.servers] == ["192.0.2.1", "::1", "fe80::1"]
    assert found.servers[1] == NameServer(socket.AF_INET6, ("::1", 53, 0, 0))
    assert found.servers[2].address[3:] == (socket.if_nametoindex("lo"),)
    assert found.search == ("a.example", "b.example")
    assert (found.ndots, found.timeout, found.attempts) == (2, 30, 3)
    assert (found.rotate, found.edns, found.tcp) == (True, True, True)


def test_nothing_said(tmp_path: Path) -> None:
    found = read(tmp_path, "")
    assert found == ResolverConfiguration(search=("own.example",))
    assert found.servers[0].address == ("127.0.0.1", 53)
    assert (found.ndots, found.timeout, found.attempts) == (1, 5, 2)
    assert read_configuration(str(tmp_path / "missing")) == found


def test_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALDOMAIN", "x.example y.example")
    monkeypatch.setenv("RES_OPTIONS", "ndots:0 attempts:0")
    found = read(tmp_path, "domain first.example\noptions attempts:5\n")
    assert (found.search, found.ndots, found.attempts) == (("x.example", "y.example"), 0, 1)


def test_seconds_for_each_server() -> None:
    three = ResolverConfiguration(servers=tuple(NameServer(socket.AF_INET, (f"192.0.2.{n}", 53)) for n in (1, 2, 3)))
    assert [three.seconds(position) for position in range(3)] == [5, 3, 6]


def test_a_file_that_changes(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 192.0.2.1\n")
    configuration = ResolvConf(str(file))
    assert configuration() is configuration()
    file.write_text("nameserver 192.0.2.22\n")
    os.utime(file, (1, 1))
    assert configuration().servers[0].address[0] == "192.0.2.22"
    file.unlink()
    assert configuration().servers[0].address[0] == "127.0.0.1"
