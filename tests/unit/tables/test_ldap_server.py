from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from pyfix.tables import ldap_server
from pyfix.tables.ldap_server import Connection, Connections, NotReached, ServerSettings, connections, reason_of
from pyfix.tables.parameters import TableParameters
from pyfix.tables.table import Opening, TableError
from tests.kit.openldap import need_library

from .conftest import Notices


def settings(tmp_path: Path, text: str = "") -> ServerSettings:
    (tmp_path / "t.cf").write_text(text)
    parameters = TableParameters(f"{tmp_path}/t.cf", Opening())
    made = ServerSettings(parameters)
    made.read_timeout(parameters)
    made.read_binding(parameters)
    made.read_options(parameters)
    return made


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", "ldap://localhost:389"), ("server_host = a b:1, ldap://c ldapi://%2Fx\n", "ldap://a:389 ldap://b:1 ldap://c ldapi://%2Fx"),
        ("server_host = a\nserver_port = 5\n", "ldap://a:5"), ("server_host = ldap://a:x ldaps://b\n", "ldaps://b"),
    ],
)  # fmt: skip
def test_servers(tmp_path: Path, text: str, urls: str) -> None:
    assert settings(tmp_path, text).urls == urls


def test_what_needs_version_3(tmp_path: Path, notices: Notices) -> None:
    assert settings(tmp_path, "version = 2\n").version == 2
    assert notices == []
    assert settings(tmp_path, "version = 2\nserver_host = ldaps://a\n").version == 3
    assert settings(tmp_path, "version = 2\nstart_tls = yes\n").version == 3
    assert settings(tmp_path, "version = 4\n").version == 3
    assert len(notices) == 3


def test_tables_that_say_the_same_share_connections(tmp_path: Path) -> None:
    one, same, other = (settings(tmp_path, text) for text in ("bind_dn = a\n", "bind_dn = a\nsearch_base = x\n", "bind_dn = b\n"))
    assert one == same and one != other
    assert connections(one) is connections(same)
    assert connections(one) is not connections(other)


def test_encryption_matters(tmp_path: Path) -> None:
    assert not settings(tmp_path).encrypted
    assert settings(tmp_path, "start_tls = yes\n").encrypted
    assert settings(tmp_path, "server_host = ldap://a ldaps://b\n").encrypted


def test_binding(tmp_path: Path) -> None:
    assert settings(tmp_path, "bind = SASL\nsasl_mechs = A B\n").mechanisms == "A B"
    assert settings(tmp_path, "bind = none\n").bind == ""
    with pytest.raises(TableError, match="unsupported parameter value: bind = nosuch"):
        settings(tmp_path, "bind = nosuch\n")


def test_words() -> None:
    assert reason_of(5) == "Compare False"


class Fake:
    """Stands for a Connection."""

    def __init__(self, made: object = None) -> None:
        self.used = 0.0
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_connections_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldap_server, "Connection", Fake)
    clock = [1000.0]
    monkeypatch.setattr(ldap_server.time, "monotonic", lambda: clock[0])
    pool = Connections(settings(tmp_path))
    one, two = pool.take(), pool.take()
    assert one is not two
    pool.keep(one)
    assert pool.take() is one
    pool.keep(one)
    pool.keep(two)
    assert pool.take() is two
    clock[0] += 61
    pool.keep(two)
    assert one.closed and not two.closed  # type: ignore[attr-defined]  # fakes have it
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert pool.take() is not two
    assert not two.closed  # type: ignore[attr-defined]  # fakes have it


def test_nobody_there(tmp_path: Path, notices: Notices) -> None:
    need_library()
    for text in ("server_host = ldap://127.0.0.1:1\n", "server_host = nosuch://x\n", "server_host = ldap://127.0.0.1:1\nstart_tls = yes\n"):
        with pytest.raises(NotReached):
            Connection(settings(tmp_path, text))
    assert notices == [
        "warning: dict_ldap_connect: Unable to bind to server ldap://127.0.0.1:1 with dn empty or implicit: -1 (Can't contact LDAP server)",
        "warning: dict_ldap_connect: Unable to init LDAP server ldap://nosuch://x",
        "error: dict_ldap_connect: Unable to set STARTTLS: -1: Can't contact LDAP server",
    ]


@pytest.mark.parametrize("text", ["", "start_tls = yes\n", "bind = sasl\nsasl_mechs = SCRAM-SHA-256\n"])
def test_a_server_that_is_silent(tmp_path: Path, text: str) -> None:
    """Each way to begin ends when the time is over."""
    need_library()
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"server_host = ldap://127.0.0.1:{server.getsockname()[1]}\ntimeout = 1\n"
        with pytest.raises(NotReached):
            Connection(settings(tmp_path, where + text))


def test_without_the_library(notices: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ldap", None)
    with pytest.raises(TableError, match=r"^unsupported dictionary type: ldap$"):
        ldap_server.library()
    assert "pip install 'pyfix[ldap]'" in notices[0]
