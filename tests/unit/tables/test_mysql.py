from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyfix.tables.mysql import MysqlTable, _double, _escape, _host
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError

from .conftest import Notices


def reference(tmp_path: Path, text: str) -> str:
    (tmp_path / "t.cf").write_text(text)
    return f"mysql:{tmp_path}/t.cf"


def test_without_the_library(tmp_path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(TableError, match=r"^unsupported dictionary type: mysql$"):
        open_table(reference(tmp_path, ""))
    assert "pip install 'pyfix[mysql]'" in notices[0]


def test_quotes() -> None:
    assert _escape("a'b\\c\"d\n\0é") == "a\\'b\\\\c\\\"d\\n\\0é"
    assert _double("a'b\\c") == "a''b\\c"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "unix:/nonexistent"])
def test_a_server_that_is_down(tmp_path: Path, notices: Notices, host: str) -> None:
    pytest.importorskip("pymysql")
    table = open_table(reference(tmp_path, f"hosts = {host}\ndbname = x\nquery = SELECT '%s'\n"))
    assert not table.local
    with pytest.raises(TableError, match="query error"):
        table.find_now("a")
    assert len(notices) == 2 and notices[0].startswith(f"warning: connect to mysql server {host}: Can't connect to ")


def test_settings(tmp_path: Path, notices: Notices) -> None:
    pytest.importorskip("pymysql")
    with pytest.raises(TableError, match="unknown service: nosuch/tcp"):
        open_table(reference(tmp_path, "hosts = a:nosuch\ndbname = x\nquery = x\n"))
    with pytest.raises(TableError, match="bad boolean configuration: require_result_set = x"):
        open_table(reference(tmp_path, "hosts = a\ndbname = x\nquery = x\nrequire_result_set = x\n"))
    table = open_table(reference(tmp_path, "hosts = 127.0.0.1:1\ndbname = x\ncharset = nosuch\nquery = x\n"), share=False)
    with pytest.raises(TableError):
        table.find_now("a")
    assert "mysql_set_character_set 'nosuch' failed" in notices[0]


def test_localhost_is_the_socket() -> None:
    assert [_host(word).local for word in ("localhost", "localhost:5", "inet:localhost:5", "127.0.0.1:5", "unix:/x")] == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("text", "encrypts", "trusts"),
    [
        ("", False, True), ("tls_verify_cert = no\n", False, True), ("tls_CAfile = /ca\n", True, False), ("tls_verify_cert = yes\n", True, False),
        ("tls_ciphers = x\n", True, True), ("tls_CApath = /d\ntls_verify_cert = no\n", True, False), ("tls_cert_file = c\ntls_key_file = k\n", True, True),
        ("option_file = {folder}/my.cnf\n", True, False), ("option_file = {folder}/my.cnf\noption_group = other\n", True, False),
        ("option_file = /nonexistent\n", False, True), ("option_file = {folder}/bad.cnf\n", False, True),
    ],
)  # fmt: skip
def test_encryption(tmp_path: Path, text: str, encrypts: bool, trusts: bool) -> None:
    pytest.importorskip("pymysql")
    (tmp_path / "my.cnf").write_text("[mysqld]\nssl_ca = no\n[client]\nssl_ca = '/ca'\nquick\n[other]\nuser = x\n")
    (tmp_path / "bad.cnf").write_text("ssl_ca = x\n")
    group = "" if "option" in text else "option_group =\n"
    settings = f"hosts = a\ndbname = x\nquery = x\n{group}{text.replace('{folder}', str(tmp_path))}"
    table = open_table(reference(tmp_path, settings), share=False)
    assert isinstance(table, MysqlTable)
    assert (table._encrypts, table._trusts) == (encrypts, trusts)


def test_a_certificate_that_is_not_there(tmp_path: Path, notices: Notices) -> None:
    pytest.importorskip("pymysql")
    table = open_table(reference(tmp_path, "hosts = 127.0.0.1:1\ndbname = x\nquery = x\ntls_CAfile = /nonexistent\n"), share=False)
    with pytest.raises(TableError):
        table.find_now("a")
    assert notices[0] == "warning: connect to mysql server 127.0.0.1:1: TLS/SSL error: No such file or directory"
